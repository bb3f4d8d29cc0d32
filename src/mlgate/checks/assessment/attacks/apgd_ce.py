"""Auto-PGD on the cross-entropy: one ascent of 100 steps from a random point.

Source: Croce and Hein 2020, arXiv:2003.01690; see :mod:`._apgd`.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks import _apgd
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.attacks._search import beginning, cross_entropy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball

NAME = "apgd_ce"
NORMS = ("linf", "l2")
NEEDS = "gradients"
ORDER = 20
# Which draws of a sample's random numbers are this attack's.
_DRAW = 1_000


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    begin = beginning(ball, Stream(effort.seed, effort.ids), np.arange(len(labels)), _DRAW)
    found = _apgd.ascend(victim, ball, labels, cross_entropy(labels), begin)
    return Attempt(found.x, found.broken, found.queries)
