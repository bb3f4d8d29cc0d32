"""Exact verification of tree ensembles: a witness for every fragile sample, a proof for every other.

Unlike an attack, it can say that there is *no* changed sample that the model gets wrong:
in the Linf and in the L2 ball, and within what the features allow. A sample whose search
is cut short is neither broken nor proven, and goes on to the attacks that follow.

See :mod:`mlgate.checks.assessment.search` for the method and its sources.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.cells import puzzles
from mlgate.checks.assessment.margins import bounds, margin
from mlgate.checks.assessment.search import search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.cells import Cells
    from mlgate.checks.assessment.trees import Trees

NAME = "verification"
NORMS = ("linf", "l2")
NEEDS = "trees"
ORDER = 0

# Boxes that may be cut for one sample: seconds for a large ensemble, and the same in every run.
MOST_BOXES = 4_000


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", _effort: Effort) -> Attempt:
    """Verify every sample; see :class:`mlgate.checks.assessment.attack.Attack`."""
    trees = victim.trees
    n = len(ball.x)
    proven, broken = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    x = ball.x.copy()
    if trees is None:
        return Attempt(x, broken, np.zeros(n, np.int64), proven=proven)
    flat = x.reshape(n, -1)
    for row, cells in enumerate(puzzles(trees, ball)):
        victim.on_time()
        if cells is None:
            continue
        proven[row], point = _verify(victim, trees, cells, int(labels[row]), _radius(ball))
        if point is not None:
            broken[row] = True
            flat[row] = cells.sample(flat[row], point)
    return Attempt(x, broken, np.zeros(n, np.int64), proven=proven)


def _radius(ball: "Ball") -> float | None:
    return ball.epsilon if ball.norm == "l2" else None


def _verify(
    victim: "Victim", trees: "Trees", cells: "Cells", label: int, radius: float | None
) -> "tuple[bool, NDArray[np.int64] | None]":
    """Return whether no rival can win, and a point where one seems to."""
    lowest = bounds(trees, cells, label)
    close: NDArray[np.int64] | None = None
    proven, left = True, MOST_BOXES
    # The rival that comes closest first: most likely it is the one that wins.
    for rival in np.argsort(lowest, kind="stable"):
        held = margin(trees, cells, label, int(rival))
        if rival == label or lowest[rival] > held.slack:
            continue
        found = search(cells, held, radius, left, victim.on_time)
        left = max(0, left - found.boxes)
        if found.state == "witness":
            return False, found.chosen
        proven &= found.state == "proven"
        close = found.chosen if close is None else close
    return proven, close
