"""Projected gradient descent with random restarts, on the cross-entropy.

Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant
to adversarial attacks", ICLR 2018, arXiv:1706.06083: 40 steps of 2.5 epsilon / 40, each
back into the ball. A sample is done at the first step that fools the model.

Signals: ``zero_gradients``, the share of the samples whose gradient was exactly zero at
every step, though the scores where one start lies differ from those at the next;
``loss_not_raised``, the share of those that stand whose loss no step raised above where it
began, though there was a gradient.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.attacks._search import beginning, cross_entropy, wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

NAME = "pgd"
NORMS = ("linf", "l2")
NEEDS = "gradients"
ORDER = 10

STEPS = 40
RESTARTS = 2
_REACH = 2.5
# Scores that differ by no more than this share of themselves are the same but for rounding.
_SAME = 1e-6


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    stream = Stream(effort.seed, effort.ids)
    n = len(labels)
    best, broken, queries = ball.x.copy(), np.zeros(n, np.bool_), np.zeros(n, np.int64)
    trace = _Trace(n)
    for restart in range(RESTARTS):
        alive = np.flatnonzero(~broken)
        latent = beginning(ball.part(alive), stream, alive, restart)
        for step in range(STEPS + 1):
            if not len(alive):
                break
            part = ball.part(alive)
            x = part.whole(latent)
            if step == STEPS:
                found = wrong(victim.predict(x), labels[alive])
            else:
                scores, losses, slope = victim.gradient(x, cross_entropy(labels[alive]))
                found = wrong(scores, labels[alive])
                trace.note(alive, scores, losses, slope, first=step == 0)
                latent = part.relaxed.project(latent + part.step(slope, _REACH * ball.epsilon / STEPS))
            queries[alive] += 1
            best[alive] = x
            broken[alive[found]] = True
            alive, latent = alive[~found], latent[~found]
    return Attempt(best, broken, queries, trace.signals(~broken))


class _Trace:
    """What the search saw of each sample."""

    def __init__(self, n: int) -> None:
        self._blind, self._flat = np.ones(n, np.bool_), np.ones(n, np.bool_)
        self._raised = np.zeros(n, np.bool_)
        self._start = np.full(n, np.inf)
        self._scores: Floats | None = None

    def note(
        self, alive: "NDArray[np.int64]", scores: "Floats", losses: "Floats", slope: "Floats", *, first: bool
    ) -> None:
        """Note an answer about the samples at these positions; ``first`` where a start was asked about."""
        self._blind[alive] &= (slope == 0).all(axis=tuple(range(1, slope.ndim)))
        if not first:
            self._raised[alive] |= losses > self._start[alive]
            return
        self._start[alive] = losses
        if self._scores is None:
            self._scores = scores
            return
        before = self._scores[alive]
        near = np.abs(scores - before) <= _SAME * np.abs(before).max(axis=1, keepdims=True)
        self._flat[alive] &= near.all(axis=1)

    def signals(self, standing: "NDArray[np.bool_]") -> dict[str, float]:
        """Return the shares of the samples, of which some are left standing."""
        if not len(standing):
            return {}
        blind = standing & self._blind & ~self._flat
        stuck = standing & ~self._blind & ~self._raised
        return {"zero_gradients": float(blind.mean()), "loss_not_raised": float(stuck.mean())}
