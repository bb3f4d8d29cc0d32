"""What one sample's box leaves of a tree ensemble: a small puzzle of whole numbers.

Inside a box, most nodes send every sample the same way. The thresholds that are left cut
each feature into cells; all samples of one cell go the same way at every node. A leaf is
reached from a range of cells in each feature, so a box of cells reaches the leaves whose
ranges it meets, and a single cell in every feature reaches one leaf in each tree.

Cells that hold no allowed value, such as whole numbers where only those occur, are none:
every point of the puzzle stands for a sample that may occur.
"""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.trees import Trees

_MOST_REACH = 1 << 24
_MOST_RANGES = 1 << 26


class Cells(Struct, frozen=True):
    """One sample's puzzle: A features that matter, R leaves in reach.

    Attributes:
        active: [A] The features, as places in a flat sample.
        count: [A] Cells of each.
        center: [A] The cell that holds the sample itself.
        leaves: [R] The leaves in reach, as the ensemble numbers them.
        low: [R, A] First cell from which a leaf is reached.
        high: [R, A] Last cell.
        value: [sum(count)] The allowed value in each cell that is nearest to the sample.
        cost: [sum(count)] Its squared distance, in the unit of epsilon.
        offset: [A] Where each feature's cells begin in ``value`` and ``cost``.
    """

    active: "NDArray[np.int64]"
    count: "NDArray[np.int64]"
    center: "NDArray[np.int64]"
    leaves: "NDArray[np.int64]"
    low: "NDArray[np.int32]"
    high: "NDArray[np.int32]"
    value: "Floats"
    cost: "NDArray[np.float64]"
    offset: "NDArray[np.int64]"

    def sample(self, x: "Floats", chosen: "NDArray[np.int64]") -> "Floats":
        """Return the flat sample ``x``, moved to the chosen cell [A] in every feature."""
        moved = x.copy()
        moved[self.active] = self.value[self.offset + chosen]
        return moved


def puzzles(trees: "Trees", ball: "Ball") -> "Iterator[Cells | None]":
    """Return each sample's puzzle, in order; None where it is too large to be built."""
    n = len(ball.x)
    low, high, x = (part.reshape(n, -1) for part in (ball.low, ball.high, ball.x))
    size = max(1, _MOST_REACH // len(trees.feature))
    for first in range(0, n, size):
        rows = slice(first, first + size)
        reach, open_ = _reach(trees, x[rows], low[rows], high[rows])
        for row in range(len(reach)):
            yield _puzzle(trees, ball, first + row, reach[row], np.flatnonzero(open_[row]))


def _reach(
    trees: "Trees", x: "Floats", low: "Floats", high: "Floats"
) -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
    """Say which nodes [n, N] the boxes reach, and which of these send a box both ways."""
    reach = np.zeros((len(x), len(trees.feature)), np.bool_)
    open_ = np.zeros_like(reach)
    reach[:, trees.roots] = True
    for level in trees.levels:
        inner = level[trees.feature[level] >= 0]
        feature, threshold = trees.feature[inner], trees.threshold[inner]
        missing = np.isnan(x[:, feature])
        here = reach[:, inner]
        # Nobody moves what is missing: it goes the way that the node has for it.
        left = here & np.where(missing, trees.missing[inner], low[:, feature] < threshold)
        right = here & np.where(missing, ~trees.missing[inner], high[:, feature] >= threshold)
        reach[:, trees.left[inner]] = left
        reach[:, trees.right[inner]] = right
        open_[:, inner] = left & right
    return reach, open_


def _puzzle(
    trees: "Trees", ball: "Ball", row: int, reach: "NDArray[np.bool_]", nodes: "NDArray[np.int64]"
) -> Cells | None:
    x, low, high = (part[row].reshape(-1) for part in (ball.x, ball.low, ball.high))
    leaf_nodes = np.flatnonzero(reach & (trees.feature < 0))
    leaves = np.sort(trees.start[leaf_nodes])
    active, feature = np.unique(trees.feature[nodes], return_inverse=True)
    if len(leaves) * len(active) > _MOST_RANGES:
        return None
    keys, smallest, largest = _keys(trees.threshold[nodes], active[feature], x, ball)
    # Thresholds that no allowed value tells apart count as one.
    order = np.lexsort((keys, feature))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(feature[order]) != 0) | (np.diff(keys[order]) != 0)
    one = order[fresh]
    of_feature = feature[one]
    cut_count = np.bincount(of_feature, minlength=len(active))
    rank = np.arange(len(one)) - (np.cumsum(cut_count) - cut_count)[of_feature] + 1
    rank_of = np.empty(len(order), np.int64)
    rank_of[order] = rank[np.cumsum(fresh) - 1]
    low_cell, high_cell = _ranges(trees, leaves, _Cuts(nodes, feature, rank_of, cut_count))
    count = cut_count + 1
    offset = np.cumsum(count) - count
    above = offset[of_feature] + rank
    # Seen from the sample, a cell's nearest value is its smallest, its own or its largest.
    under = np.repeat(x[active], count)
    first, last = under.copy(), under.copy()
    first[offset], last[offset + cut_count] = low[active], high[active]
    first[above], last[above - 1] = smallest[one], largest[one]
    value = np.clip(under, first, last)
    center = np.bincount(of_feature, weights=smallest[one] <= x[active[of_feature]], minlength=len(active))
    step = value.astype(np.float64) - under.astype(np.float64)
    scale = ball.features.scale
    if scale is not None:
        flat = scale.reshape(-1)[active]
        step = step / np.repeat(np.where(flat > 0, flat, 1), count)
    return Cells(active, count, center.astype(np.int64), leaves, low_cell, high_cell, value, step**2, offset)


def _keys(
    threshold: "Floats", feature: "NDArray[np.int64]", x: "Floats", ball: "Ball"
) -> "tuple[NDArray[np.float64], Floats, Floats]":
    """Return of each threshold a key, the smallest allowed value above it and the largest below.

    Two thresholds of one feature have the same key where no allowed value lies between them.
    """
    smallest, largest = threshold, np.nextafter(threshold, np.array(-np.inf, threshold.dtype))
    keys = threshold.astype(np.float64)
    if ball.features.integer is None:
        return keys, smallest, largest
    own = x[feature]
    whole = ball.features.integer.reshape(-1)[feature]
    over = np.ceil(threshold)
    # The sample's own value is allowed even where it is not whole.
    up = np.where((own >= threshold) & (own < over), own, over)
    down = np.where((own < threshold) & (own > over - 1), own, over - 1)
    return (
        np.where(whole, up.astype(np.float64), keys),
        np.where(whole, up, smallest),
        np.where(whole, down, largest),
    )


class _Cuts(Struct, frozen=True):
    """Where nodes cut their features.

    Attributes:
        nodes: The nodes that send the box both ways.
        feature: Which of the active features each asks for.
        rank: Its right side begins at this cell.
        count: [A] Different cuts of each feature.
    """

    nodes: "NDArray[np.int64]"
    feature: "NDArray[np.int64]"
    rank: "NDArray[np.int64]"
    count: "NDArray[np.int64]"


def _ranges(
    trees: "Trees", leaves: "NDArray[np.int64]", cuts: _Cuts
) -> "tuple[NDArray[np.int32], NDArray[np.int32]]":
    """Return the first and the last cell [R, A] from which each leaf is reached."""
    low = np.zeros((len(leaves), len(cuts.count)), np.int32)
    high = np.repeat(cuts.count.astype(np.int32)[None], len(leaves), axis=0)
    for child, right in ((trees.left[cuts.nodes], False), (trees.right[cuts.nodes], True)):
        first = np.searchsorted(leaves, trees.start[child])
        under = np.searchsorted(leaves, trees.stop[child]) - first
        place = np.repeat(first - (np.cumsum(under) - under), under) + np.arange(int(under.sum()))
        at = (place, np.repeat(cuts.feature, under))
        rank = np.repeat(cuts.rank, under).astype(np.int32)
        if right:
            np.maximum.at(low, at, rank)
        else:
            np.minimum.at(high, at, rank - 1)
    return low, high
