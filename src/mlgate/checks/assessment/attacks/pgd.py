"""Projected gradient descent with random restarts, on the cross-entropy.

Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant
to adversarial attacks", ICLR 2018, arXiv:1706.06083: 40 steps of 2.5 epsilon / 40, each
back into the ball. A sample is done at the first step that fools the model.

Signals, shares of the samples that stand although: ``zero_gradients``, their gradient was
exactly zero at every step; ``loss_not_raised``, there was one, and no step along it raised the
loss above where it began.
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
                trace.note(alive, losses, slope, first=step == 0)
                latent = part.relaxed.project(latent + part.step(slope, _REACH * ball.epsilon / STEPS))
            queries[alive] += 1
            best[alive] = x
            broken[alive[found]] = True
            alive, latent = alive[~found], latent[~found]
    return Attempt(best, broken, queries, trace.signals(~broken))


class _Trace:
    """What the search saw of each sample."""

    def __init__(self, n: int) -> None:
        self._blind, self._raised = np.ones(n, np.bool_), np.zeros(n, np.bool_)
        self._start = np.full(n, np.inf)

    def note(self, alive: "NDArray[np.int64]", losses: "Floats", slope: "Floats", *, first: bool) -> None:
        """Note an answer about the samples at these positions; ``first`` where a start was asked about."""
        self._blind[alive] &= (slope == 0).all(axis=tuple(range(1, slope.ndim)))
        if first:
            self._start[alive] = losses
        else:
            self._raised[alive] |= losses > self._start[alive]

    def signals(self, standing: "NDArray[np.bool_]") -> dict[str, float]:
        """Return the shares of the samples, of which some are left standing."""
        if not len(standing):
            return {}
        blind = standing & self._blind
        stuck = standing & ~self._blind & ~self._raised
        return {"zero_gradients": float(blind.mean()), "loss_not_raised": float(stuck.mean())}
