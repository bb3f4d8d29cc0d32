"""Projected gradient descent with random restarts, on the cross-entropy.

Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant
to adversarial attacks", ICLR 2018, arXiv:1706.06083: 40 steps of 2.5 epsilon / 40, each
back into the ball. A sample is done at the first step that fools the model.

Signals: ``zero_gradients``, the share of the samples whose gradient was exactly zero at
every step; ``stuck``, the share whose loss no step raised above where it began, though
there was a gradient.
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
    blind, stuck = np.ones(n, np.bool_), np.ones(n, np.bool_)
    for restart in range(RESTARTS):
        alive = np.flatnonzero(~broken)
        latent = beginning(ball.part(alive), stream, alive, restart)
        start = np.full(n, np.inf)
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
                blind[alive] &= (slope == 0).all(axis=tuple(range(1, slope.ndim)))
                stuck[alive] &= ~(losses > start[alive]) & ~found
                start[alive] = np.minimum(start[alive], losses) if step == 0 else start[alive]
                latent = part.relaxed.project(latent + part.step(slope, _REACH * ball.epsilon / STEPS))
            queries[alive] += 1
            best[alive] = x
            broken[alive[found]] = True
            alive, latent = alive[~found], latent[~found]
    signals = {
        "zero_gradients": float(blind.mean()) if n else 0.0,
        "stuck": float((stuck & ~blind & ~broken).mean()) if n else 0.0,
    }
    return Attempt(best, broken, queries, signals)
