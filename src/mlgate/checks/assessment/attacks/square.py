"""Square attack: random search with scores only.

Source: Andriushchenko, Croce, Flammarion, Hein, "Square Attack: a query-efficient
black-box adversarial attack via random search", ECCV 2020, arXiv:1912.00049. The loss
is the margin between the label's score and the best other one; a sample is done once it
is negative. The share of features that a step changes shrinks by the paper's schedule
from 0.8, the start that AutoAttack uses.

Linf: images ([c, h, w], [h, w, c] or [h, w]) begin with vertical stripes, and each step
sets a square to one end of the ball in every channel. Other samples have no
neighbourhoods: they begin at a random corner of the ball, and each step flips as many
features, chosen at random among those that can move, as a square would cover.

L2: see :mod:`._square_l2`.
"""

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks import _square_l2
from mlgate.checks.assessment.attacks._layout import Layout
from mlgate.checks.assessment.attacks._random import Stream, coins
from mlgate.checks.assessment.attacks._search import margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

    Indices: TypeAlias = NDArray[np.int64]
    Corners: TypeAlias = NDArray[np.bool_]

NAME = "square"
NORMS = ("linf", "l2")
NEEDS = "scores"
ORDER = 80

START_SHARE = 0.8
# The paper halves the share at these iterations of 10,000.
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def share(step: int, steps: int) -> float:
    """Share of features that a step changes, by the paper's schedule."""
    scaled = int(step / steps * 10_000)
    halvings = sum(scaled > bound for bound in _HALVINGS)
    return START_SHARE / float(1 << halvings)


def run(victim: "Victim", ball: "Ball", labels: "Indices", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    stream = Stream(effort.seed, effort.ids)
    search = _Corners(ball) if ball.norm == "linf" else _square_l2.Windows(ball)
    everyone = np.arange(len(labels))
    x = search.begin(stream)
    losses = margin(victim.predict(x), labels)
    queries = np.ones(len(labels), np.int64)
    for step in range(1, effort.queries):
        alive = everyone[losses >= 0]
        if not len(alive):
            break
        proposal = search.propose(x, alive, stream, step, share(step - 1, effort.queries))
        found = margin(victim.predict(proposal), labels[alive])
        queries[alive] += 1
        better = found < losses[alive]
        x[alive[better]] = proposal[better]
        losses[alive[better]] = found[better]
    return Attempt(x, losses < 0, queries)


class _Corners:
    """The corners of Linf balls: every feature at its high or its low end.

    Args:
        ball: Of all samples.
    """

    def __init__(self, ball: "Ball") -> None:
        self._ball = ball
        self._layout = Layout.of(ball.x.shape[1:])
        # For a square: its row, its column and a coin a channel; otherwise a key a feature.
        self._words = 2 + self._layout.channels if self._layout.height > 1 else self._layout.width

    def begin(self, stream: Stream) -> "Floats":
        """Return [n, ...] striped corners."""
        layout = self._layout
        everyone = np.arange(len(self._ball.x))
        rows = coins(stream.bits(everyone, 0, layout.channels * layout.width))
        grid = np.repeat(rows.reshape(-1, layout.channels, 1, layout.width), layout.height, axis=2)
        return self._at(everyone, layout.flat(grid))

    def propose(self, x: "Floats", chosen: "Indices", stream: Stream, step: int, part: float) -> "Floats":
        """Return what to try next for the samples at these positions."""
        words = stream.bits(chosen, step, self._words)
        high = (x[chosen] == self._ball.high[chosen]).reshape(len(chosen), -1)
        if self._layout.height == 1:
            return self._at(chosen, self._flip(high, chosen, words, part))
        return self._at(chosen, self._squared(high, words, part))

    def _at(self, chosen: "Indices", corners: "Corners") -> "Floats":
        shape = (len(chosen), *self._ball.x.shape[1:])
        return np.where(corners.reshape(shape), self._ball.high[chosen], self._ball.low[chosen])

    def _squared(self, corners: "Corners", words: "NDArray[np.uint64]", part: float) -> "Corners":
        layout = self._layout
        side = round(math.sqrt(part * layout.height * layout.width))
        inside = layout.squares(words, min(max(side, 1), layout.height, layout.width))[:, None]
        high = coins(words[:, 2:])[:, :, None, None]
        grid = layout.grid(corners)
        changed = np.where(inside, high, grid)
        # A square that changes nothing would waste a query: it takes the other end.
        idle = (changed == grid).all(axis=(1, 2, 3))
        changed[idle] = np.where(inside[idle], ~high[idle], grid[idle])
        return layout.flat(changed)

    def _flip(
        self, corners: "Corners", chosen: "Indices", words: "NDArray[np.uint64]", part: float
    ) -> "Corners":
        width = self._layout.width
        movable = self._ball.movable[chosen].reshape(len(chosen), width)
        count = min(max(round(part * int(movable.sum(axis=1).max())), 1), width)
        # What cannot move comes last.
        keys = np.where(movable, words >> np.uint64(1), words | np.uint64(1 << 63))
        flipped = np.argpartition(keys, count - 1, axis=1)[:, :count]
        changed = corners.copy()
        np.put_along_axis(changed, flipped, ~np.take_along_axis(corners, flipped, axis=1), axis=1)
        return changed
