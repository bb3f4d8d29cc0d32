"""Of a tree ensemble, what decides whether one class outscores another near one sample."""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.cells import Cells
    from mlgate.checks.assessment.trees import Trees


class Margin(Struct, frozen=True):
    """A label's raw score minus a rival's, as a sum over trees: the trees that are undecided.

    Attributes:
        rows: [Q] Places of their leaves in the puzzle, tree by tree.
        first: [S] Where each tree begins among them.
        value: [Q] What each leaf adds to the margin.
        rest: What all other trees and the base add.
        slack: How far the library's margin may lie from the exact one.
    """

    rows: "NDArray[np.int64]"
    first: "NDArray[np.int64]"
    value: "NDArray[np.float64]"
    rest: float
    slack: float

    def least(
        self, alive: "NDArray[np.bool_]", value: "NDArray[np.float64] | None" = None
    ) -> "NDArray[np.float64]":
        """Return a lower bound of the margin [B] where the leaves ``alive`` [B, Q] are in reach.

        Args:
            alive: At least one leaf of every tree.
            value: [Q] What each leaf adds, where it is something else.
        """
        values = np.where(alive, self.value if value is None else value, np.inf)
        return np.asarray(self.rest + np.minimum.reduceat(values, self.first, axis=1).sum(axis=1))


def margin(trees: "Trees", cells: "Cells", label: int, rival: int) -> Margin:
    """Return the margin of a label over a rival in a puzzle."""
    owner = trees.owner[cells.leaves]
    if trees.shared:
        rows = np.arange(len(owner))
        value = trees.value[cells.leaves, label] - trees.value[cells.leaves, rival]
    else:
        column = trees.column[owner]
        rows = np.flatnonzero((column == label) | (column == rival))
        value = np.where(column[rows] == label, 1.0, -1.0) * trees.value[cells.leaves[rows], 0]
    owner = owner[rows]
    begins = np.diff(owner, prepend=-1) != 0
    count = np.diff(np.flatnonzero(begins), append=len(owner))
    lone = np.repeat(count == 1, count)
    rest = float(trees.base[label] - trees.base[rival] + value[lone].sum())
    kept = ~lone
    slack = float(trees.slack[label] + trees.slack[rival])
    return Margin(rows[kept], np.flatnonzero(begins[kept]), value[kept], rest, slack)


def bounds(trees: "Trees", cells: "Cells", label: int) -> "NDArray[np.float64]":
    """Return a lower bound of a label's margin over every class [k], in the whole puzzle."""
    owner = trees.owner[cells.leaves]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    value = trees.value[cells.leaves]
    if trees.shared:
        least = np.minimum.reduceat(value[:, label, None] - value, first, axis=0).sum(axis=0)
        return np.asarray(least + trees.base[label] - trees.base)
    largest = np.maximum.reduceat(value[:, 0], first)
    most = trees.base + np.bincount(trees.column, weights=largest, minlength=len(trees.base))
    least = np.minimum.reduceat(value[:, 0], first)[trees.column == label].sum()
    return np.asarray(trees.base[label] + least - most)
