"""Auto-PGD: projected gradient ascent that chooses its own step sizes.

Source: Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of
diverse parameter-free attacks", ICML 2020, arXiv:2003.01690, algorithm 1. Steps begin at
2 epsilon with momentum 0.75. At checkpoints, after 22% of the steps and then at intervals
that shrink by 3% to no less than 6%, a sample's step is halved and its search goes back to
its best point, if too few steps since the last one raised the loss (at most 75%), or if
nothing better was found and the step was not halved there. Intervals are whole numbers of
steps, as in the authors' own code.
"""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.attacks._search import wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Objective, Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

STEPS = 100
_MOMENTUM = 0.75
_RAISED = 0.75
_FIRST, _SHORTER, _SHORTEST = 0.22, 0.03, 0.06


class Ascent(Struct, frozen=True):
    """What one ascent came to.

    Attributes:
        x: [n, ...] Where the model erred, or the last point.
        broken: [n] True where it erred.
        queries: [n] Forward passes.
    """

    x: "Floats"
    broken: "NDArray[np.bool_]"
    queries: "NDArray[np.int64]"


def checkpoints(steps: int) -> "Iterator[tuple[int, int]]":
    """Yield the steps after which step sizes are judged, and how many steps lie before each."""
    interval, step = max(int(_FIRST * steps), 1), 0
    while step + interval <= steps:
        step += interval
        yield step, interval
        interval = max(interval - max(int(_SHORTER * steps), 1), int(_SHORTEST * steps), 1)


def ascend(
    victim: "Victim",
    ball: "Ball",
    labels: "NDArray[np.int64]",
    objective: "Objective",
    begin: "Floats",
    *,
    steps: int = STEPS,
) -> Ascent:
    """Raise the objective of every sample until the model errs.

    Args:
        victim: The model.
        ball: Around the samples.
        labels: [n] Right columns.
        objective: Of which rows are positions among the samples.
        begin: [n, ...] Where to begin, in the relaxed ball.
        steps: Forward and backward passes of a sample that stands, but for the one at the start.
    """
    state = _State(victim, ball, labels, objective, begin)
    judged = dict(checkpoints(steps))
    for step in range(1, steps + 1):
        if not len(state.alive):
            break
        state.advance(_MOMENTUM if step > 1 else 1.0)
        if step in judged and step < steps:
            state.judge(judged[step])
    return Ascent(state.x, state.broken, state.queries)


class _State:
    """Where the search of each sample stands: arrays over all n, used at ``alive``."""

    def __init__(
        self,
        victim: "Victim",
        ball: "Ball",
        labels: "NDArray[np.int64]",
        objective: "Objective",
        begin: "Floats",
    ) -> None:
        n = len(labels)
        self._victim, self._ball, self._labels, self._objective = victim, ball, labels, objective
        self.alive = np.arange(n)
        self.x = ball.x.copy()
        self.broken = np.zeros(n, np.bool_)
        self.queries = np.zeros(n, np.int64)
        self._now, self._before = begin.copy(), begin.copy()
        self._size = np.full(n, 2.0 * ball.epsilon)
        self._raised = np.zeros(n, np.int64)
        self._loss = np.zeros(n)
        self._slope = np.zeros(begin.shape)
        losses, slope = self._evaluate()
        self._loss[self.alive], self._slope[self.alive] = losses, slope
        self._best, self._best_loss, self._best_slope = begin.copy(), self._loss.copy(), self._slope.copy()
        self._judged_loss = self._best_loss.copy()
        # No step was taken yet, so none can have been too long: the first judgement asks for progress.
        self._halved = np.ones(n, np.bool_)

    def advance(self, momentum: float) -> None:
        """Take one step with every sample that still stands."""
        at = self.alive
        ball = self._ball.part(at)
        soft = ball.relaxed
        now = self._now[at].astype(np.float64)
        ahead = soft.project(now + ball.step(self._slope[at], self._size[at])).astype(np.float64)
        new = now + momentum * (ahead - now) + (1 - momentum) * (now - self._before[at])
        self._before[at] = self._now[at]
        self._now[at] = soft.project(new) if momentum < 1 else ahead
        losses, slope = self._evaluate()
        at = self.alive
        self._raised[at] += losses > self._loss[at]
        self._loss[at], self._slope[at] = losses, slope
        better = losses > self._best_loss[at]
        up = at[better]
        self._best[up], self._best_loss[up] = self._now[up], losses[better]
        self._best_slope[up] = slope[better]

    def judge(self, interval: int) -> None:
        """Halve the steps of the samples whose search does not get on."""
        at = self.alive
        restless = self._raised[at] <= _RAISED * interval
        stale = ~self._halved[at] & (self._judged_loss[at] >= self._best_loss[at])
        halve = restless | stale
        self._halved[at], self._judged_loss[at] = halve, self._best_loss[at]
        self._raised[at] = 0
        back = at[halve]
        self._size[back] /= 2
        self._now[back], self._slope[back] = self._best[back], self._best_slope[back]

    def _evaluate(self) -> "tuple[Floats, Floats]":
        """Ask the model about the samples that stand; return losses and gradients of those that still do."""
        at = self.alive
        x = self._ball.part(at).whole(self._now[at])
        scores, losses, slope = self._victim.gradient(x, _chosen(self._objective, at))
        self.queries[at] += 1
        self.x[at] = x
        found = wrong(scores, self._labels[at])
        self.broken[at[found]] = True
        self.alive = at[~found]
        return losses[~found], slope[~found]


def _chosen(objective: "Objective", at: "NDArray[np.int64]") -> "Objective":
    """Let an objective over all samples see those at some positions."""
    return lambda scores, rows: objective(scores, at[rows])
