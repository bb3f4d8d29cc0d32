"""Square attack in the Linf ball: random search with scores only.

Source: Andriushchenko, Croce, Flammarion, Hein, "Square Attack: a query-efficient
black-box adversarial attack via random search", ECCV 2020, arXiv:1912.00049. The loss
is the margin between the label's score and the best other one; a sample is done once it
is negative. The share of features that a step changes shrinks by the paper's schedule
from 0.8, the start that AutoAttack uses.

Images ([c, h, w], [h, w, c] or [h, w]) begin with vertical stripes, and each step sets a
square to one end of the ball in every channel. Other samples have no neighbourhoods: they
begin at a random corner of the ball, and each step flips as many features, chosen at
random, as a square would cover.
"""

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks._random import Stream, below, coins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

    Indices: TypeAlias = NDArray[np.int64]
    Corners: TypeAlias = NDArray[np.bool_]

NAME = "square"
NORMS = ("linf",)
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


def margin(scores: "Floats", labels: "Indices") -> "Floats":
    """Label's score minus the best other score: [n], negative where the model is wrong.

    A tie is broken as ``argmax`` breaks it, towards the first column, so zero counts as
    wrong only where an earlier column holds the other score.
    """
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, labels] = -np.inf
    gap: Floats = scores[rows, labels] - others.max(axis=1)
    lost_tie = (gap == 0) & (scores.argmax(axis=1) != labels)
    return np.where(lost_tie, -np.finfo(gap.dtype).tiny, gap)


def run(victim: "Victim", ball: "Ball", labels: "Indices", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    layout = _Layout(ball.x.shape[1:])
    stream = Stream(effort.seed, effort.ids)
    everyone = np.arange(len(ball.x))
    # Each changed sample is a corner of the ball: True where a feature is at its high end.
    corners = layout.stripes(stream.bits(everyone, 0, layout.start_words))
    losses = margin(victim.predict(_at(ball, everyone, corners)), labels)
    queries = np.ones(len(ball.x), np.int64)
    for step in range(1, effort.queries):
        alive = everyone[losses >= 0]
        if not len(alive):
            break
        part = share(step - 1, effort.queries)
        proposal = layout.step(corners[alive], stream.bits(alive, step, layout.step_words), part)
        found = margin(victim.predict(_at(ball, alive, proposal)), labels[alive])
        queries[alive] += 1
        better = found < losses[alive]
        corners[alive[better]] = proposal[better]
        losses[alive[better]] = found[better]
    return Attempt(_at(ball, everyone, corners), losses < 0, queries)


def _at(ball: "Ball", samples: "Indices", corners: "Corners") -> "Floats":
    shape = (len(samples), *ball.x.shape[1:])
    return np.where(corners.reshape(shape), ball.high[samples], ball.low[samples])


class _Layout:
    """How the features of one sample neighbour each other, as [channels, height, width].

    A sample without neighbourhoods has height 1.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._last = False
        if len(shape) == 3 and min(shape[1:]) > 1 and shape[2] < shape[0]:
            self._last = True
            self.channels, self.height, self.width = shape[2], shape[0], shape[1]
        elif len(shape) == 3 and min(shape[1:]) > 1:
            self.channels, self.height, self.width = shape
        elif len(shape) == 2 and min(shape) > 1:
            self.channels, (self.height, self.width) = 1, shape
        else:
            self.channels, self.height, self.width = 1, 1, math.prod(shape)
        self.start_words = self.channels * self.width
        # For a square: its row, its column and a coin a channel; otherwise a key a feature.
        self.step_words = 2 + self.channels if self.height > 1 else self.width

    def stripes(self, words: "NDArray[np.uint64]") -> "Corners":
        """Return the corners [n, features] at which the search starts."""
        rows = coins(words).reshape(-1, self.channels, 1, self.width)
        return self._flat(np.repeat(rows, self.height, axis=2))

    def step(self, corners: "Corners", words: "NDArray[np.uint64]", part: float) -> "Corners":
        """Return corners [n, features] with a share of the features changed."""
        if self.height == 1:
            return self._flip(corners, words, part)
        side = round(math.sqrt(part * self.height * self.width))
        side = min(max(side, 1), self.height, self.width)
        top = below(words[:, 0], self.height - side + 1)[:, None]
        left = below(words[:, 1], self.width - side + 1)[:, None]
        high = coins(words[:, 2:])
        rows = (np.arange(self.height) >= top) & (np.arange(self.height) < top + side)
        columns = (np.arange(self.width) >= left) & (np.arange(self.width) < left + side)
        inside = rows[:, None, :, None] & columns[:, None, None, :]
        grid = self._grid(corners)
        changed = np.where(inside, high[:, :, None, None], grid)
        # A square that changes nothing would waste a query: it takes the other end.
        idle = (changed == grid).all(axis=(1, 2, 3))
        changed[idle] = np.where(inside[idle], ~high[idle][:, :, None, None], grid[idle])
        return self._flat(changed)

    def _flip(self, corners: "Corners", words: "NDArray[np.uint64]", part: float) -> "Corners":
        count = min(max(round(part * self.width), 1), self.width)
        chosen = np.argpartition(words, count - 1, axis=1)[:, :count]
        changed = corners.copy()
        np.put_along_axis(changed, chosen, ~np.take_along_axis(corners, chosen, axis=1), axis=1)
        return changed

    def _flat(self, grid: "Corners") -> "Corners":
        if self._last:
            grid = grid.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(grid).reshape(len(grid), -1)

    def _grid(self, corners: "Corners") -> "Corners":
        if self._last:
            return corners.reshape(-1, self.height, self.width, self.channels).transpose(0, 3, 1, 2)
        return corners.reshape(-1, self.channels, self.height, self.width)
