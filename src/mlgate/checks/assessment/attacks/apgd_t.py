"""Auto-PGD towards each of the most likely other classes, on the difference of logits ratio.

Source: Croce and Hein 2020, arXiv:2003.01690; see :mod:`._apgd`. Up to nine targets, the
likeliest first, each with an ascent of 100 steps from a random point of its own.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks import _apgd
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.attacks._search import beginning, targeted_ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball

NAME = "apgd_t"
NORMS = ("linf", "l2")
NEEDS = "gradients"
ORDER = 30

TARGETS = 9
_DRAW = 2_000


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    n = len(labels)
    stream = Stream(effort.seed, effort.ids)
    scores = victim.predict(ball.x).copy()
    scores[np.arange(n), labels] = np.inf
    ranked = (-scores).argsort(axis=1, kind="stable")[:, 1:]
    best, broken, queries = ball.x.copy(), np.zeros(n, np.bool_), np.ones(n, np.int64)
    for rank in range(min(TARGETS, ranked.shape[1])):
        alive = np.flatnonzero(~broken)
        if not len(alive):
            break
        part = ball.part(alive)
        begin = beginning(part, stream, alive, _DRAW + rank)
        objective = targeted_ratio(labels[alive], ranked[alive, rank])
        found = _apgd.ascend(victim, part, labels[alive], objective, begin)
        best[alive], broken[alive] = found.x, found.broken
        queries[alive] += found.queries
    return Attempt(best, broken, queries)
