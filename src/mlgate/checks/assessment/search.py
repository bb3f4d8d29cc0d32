"""Exact search of one sample's box: is there a point where a rival outscores its class?

Branch and bound over boxes of cells (:mod:`mlgate.checks.assessment.cells`). The margin
of the class over a rival is a sum over the trees. In a box it is at least the sum of each
tree's smallest leaf in reach: where that bound is above zero, no point of the box is a
witness. Where the smallest leaves of all trees can be reached by one point, the bound is
attained, and the point is one. Otherwise the box is cut between leaves that exclude each
other, where both halves' bounds rise most.

A witness is a claim about numbers, and is checked on the model. A proof rests on the
ensemble's own sums, with room for how the library rounds them.

Sources: the bound is that of Chen et al., "Robustness verification of tree-based models",
NeurIPS 2019, arXiv:1906.03849; best-first search by it as in Devos, Meert and Davis,
"Versatile verification of tree ensembles", ICML 2021, arXiv:2010.13880; the exact problem
is from Kantchelian, Tygar and Joseph, ICML 2016, arXiv:1509.07892.
"""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.distance import Distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlgate.checks.assessment.cells import Cells
    from mlgate.checks.assessment.margins import Margin

_MOST_AT_ONCE = 64
_MOST_ALIVE = 1 << 22
_MOST_OPEN = 1 << 28
_MOST_CELLS = 1 << 24
# What a leaf weighs at least, so that one that excludes a cell can be told from none.
_TRACE = 1e-6
# Points of boxes that are looked at though their smallest leaves exclude each other.
_LOOKS = 4


class Found(Struct, frozen=True):
    """What a search came to.

    Attributes:
        state: ``proven`` (there is no such point), ``witness`` or ``unknown``.
        chosen: [A] The witness's cell in every feature. Where nothing is known: a point
            whose margin is too close to zero for the structure to say, if one was met.
        boxes: Boxes that were cut.
    """

    state: str
    chosen: "NDArray[np.int64] | None"
    boxes: int


def search(
    cells: "Cells", held: "Margin", radius: float | None, most: int, on_time: "Callable[[], None]"
) -> Found:
    """Search a puzzle for a point where the margin is not above zero.

    Args:
        cells: The puzzle.
        held: The margin.
        radius: Of an L2 ball; None where every point of the puzzle is allowed.
        most: Boxes that may be cut before the answer is ``unknown``.
        on_time: Called now and then; it raises where the time is up.
    """
    if not len(held.rows):
        # No tree is undecided: every point has the margin of the sample itself.
        proven = held.rest > held.slack
        return Found("proven" if proven else "witness", None if proven else cells.center, 0)
    state = _Search(cells, held, radius)
    count = 0
    while len(state.open.bound):
        on_time()
        if count >= most or state.open.alive.size > _MOST_OPEN:
            return Found("unknown", state.close, count)
        picked = state.pick(most - count)
        count += len(picked.bound)
        witness = state.cut(picked)
        if witness is not None:
            return Found("witness", witness, count)
    return Found("proven" if state.close is None else "unknown", state.close, count)


class _Boxes(Struct, frozen=True):
    """Boxes of cells.

    Attributes:
        low: [B, A] First cell in every feature.
        high: [B, A] Last cell.
        alive: [B, Q] Leaves that are reached from the box.
        cost: [B, Q] Squared distance of each leaf's part of the box; [B, 0] where any is allowed.
        bound: [B] The margin is nowhere smaller.
    """

    low: "NDArray[np.int64]"
    high: "NDArray[np.int64]"
    alive: "NDArray[np.bool_]"
    cost: "NDArray[np.float64]"
    bound: "NDArray[np.float64]"

    def part(self, rows: "NDArray[np.bool_] | NDArray[np.int64]") -> "_Boxes":
        return _Boxes(*(getattr(self, name)[rows] for name in self.__struct_fields__))

    def with_(self, other: "_Boxes") -> "_Boxes":
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__struct_fields__)
        return _Boxes(*(np.concatenate(pair) for pair in pairs))


class _Search:
    """The boxes that may still hold a witness.

    Attributes:
        open: Those boxes.
        close: A point whose margin is too close to zero for the structure to say, if one was met.
    """

    def __init__(self, cells: "Cells", held: "Margin", radius: float | None) -> None:
        self._cells, self._held = cells, held
        self._leaf_low = cells.low[held.rows].astype(np.int64)
        self._leaf_high = cells.high[held.rows].astype(np.int64)
        self._sizes = np.diff(held.first, append=len(held.rows))
        # Every cell of every feature in a row: whose it is, and which.
        self._feature = np.repeat(np.arange(len(cells.active)), cells.count)
        self._place = np.arange(len(self._feature)) - cells.offset[self._feature]
        self.close: NDArray[np.int64] | None = None
        alive = np.ones((1, len(held.rows)), np.bool_)
        self._distance = None if radius is None else Distance(cells, held, radius)
        cost = np.zeros((1, 0)) if self._distance is None else self._distance.leaves[None]
        self.open = self._worth(
            np.zeros((1, len(cells.active)), np.int64), (cells.count - 1)[None], alive, cost
        )

    def pick(self, most: int) -> _Boxes:
        """Take some of the most promising boxes out: those with the lowest bounds."""
        width = max(1, self.open.alive.shape[1])
        size = max(1, min(_MOST_AT_ONCE, most, len(self.open.bound), _MOST_ALIVE // width))
        places = np.argpartition(self.open.bound, size - 1)[:size]
        picked = self.open.part(places)
        left = np.ones(len(self.open.bound), np.bool_)
        left[places] = False
        self.open = self.open.part(left)
        return picked

    def cut(self, boxes: _Boxes) -> "NDArray[np.int64] | None":
        """Return a witness from these boxes; or cut each in two, and keep what may hold one."""
        best, regret = self._choice(boxes.alive)
        over, under = self._conflicts(best, regret)
        witness = self._met(boxes, over + under)
        if witness is None:
            self._split(boxes, over, under)
        return witness

    def _choice(self, alive: "NDArray[np.bool_]") -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
        """Return each tree's smallest leaf [B, S] in each box, and how much the next one adds."""
        first = self._held.first
        values = np.where(alive, self._held.value, np.inf)
        least = np.minimum.reduceat(values, first, axis=1)
        is_least = values == np.repeat(least, self._sizes, axis=1)
        best = np.minimum.reduceat(np.where(is_least, np.arange(values.shape[1]), 1 << 40), first, axis=1)
        np.put_along_axis(values, best, np.inf, axis=1)
        following = np.minimum.reduceat(values, first, axis=1)
        # A tree with one leaf left is reached from everywhere, and excludes nothing.
        return best, np.where(np.isfinite(following), following - least, 0.0)

    def _conflicts(
        self, best: "NDArray[np.int64]", regret: "NDArray[np.float64]"
    ) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
        """Return for every cell [B, cells] what the smallest leaves cost that begin after, or end before.

        Where a box ends before a leaf begins, that tree's part of the bound rises by its
        regret at least.
        """
        boxes, cells = len(best), len(self._feature)
        weight = regret + _TRACE
        every = np.repeat(weight[:, :, None], len(self._cells.active), axis=2).reshape(-1)
        row = np.arange(boxes)[:, None, None] * cells + self._cells.offset
        begins, ends = ((row + edge[best]).reshape(-1) for edge in (self._leaf_low, self._leaf_high))
        begin, end = (
            np.bincount(at, weights=every, minlength=boxes * cells).reshape(boxes, cells)
            for at in (begins, ends)
        )
        # Cumulated over all features in a row: each feature before holds the total once.
        total = weight.sum(axis=1)[:, None]
        over = total * (self._feature + 1) - np.cumsum(begin, axis=1)
        under = np.cumsum(end, axis=1) - end - total * self._feature
        return np.maximum(over, 0.0), np.maximum(under, 0.0)

    def _met(self, boxes: _Boxes, excluded: "NDArray[np.float64]") -> "NDArray[np.int64] | None":
        """Look at the point of each box that the most of the smallest leaves are reached from."""
        cells, feature, place = self._cells, self._feature, self._place
        inside = (place >= boxes.low[:, feature]) & (place <= boxes.high[:, feature])
        excluded = np.where(inside, excluded, np.inf)
        least = np.minimum.reduceat(excluded, cells.offset, axis=1)
        # Among equals, the nearest to the sample.
        away = np.abs(place - cells.center[feature]) * _MOST_CELLS + place
        nearest = np.where(excluded <= least[:, feature] + _TRACE / 2, away, 1 << 60)
        points = np.minimum.reduceat(nearest, cells.offset, axis=1) % _MOST_CELLS
        looked = least.sum(axis=1) < _TRACE / 2
        looked[np.argsort(boxes.bound)[:_LOOKS]] = True
        points = points[looked]
        margins = self._margins(points)
        if self._distance is not None:
            margins = np.where(self._distance.within(points, points), margins, np.inf)
        at = int(margins.argmin())
        if margins[at] < -self._held.slack:
            return np.asarray(points[at])
        if margins[at] <= self._held.slack:
            self.close = points[at]
        return None

    def _margins(self, points: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the margin at points [P, A]: each reaches one leaf in every tree."""
        met = np.ones((len(points), len(self._held.rows)), np.bool_)
        for feature in range(points.shape[1]):
            at = points[:, feature, None]
            met &= (self._leaf_low[:, feature] <= at) & (self._leaf_high[:, feature] >= at)
        return np.asarray(self._held.rest + np.where(met, self._held.value, 0.0).sum(axis=1))

    def _split(self, boxes: _Boxes, over: "NDArray[np.float64]", under: "NDArray[np.float64]") -> None:
        """Cut boxes where both halves' bounds rise most; a box of one cell in each feature is done."""
        feature, place = self._feature, self._place
        # Cut before a cell: the lower half loses what begins there or later, the upper what ended before.
        begun = np.zeros_like(over)
        begun[:, 1:] = over[:, :-1]
        gain = np.minimum(begun, under) + 1e-3 * np.maximum(begun, under)
        cuttable = (place > boxes.low[:, feature]) & (place <= boxes.high[:, feature])
        gain = np.where(cuttable, gain, -1.0)
        whole = np.flatnonzero(cuttable.any(axis=1))
        at = gain.argmax(axis=1)[whole]
        boxes = boxes.part(whole)
        rows, chosen, cut = np.arange(len(at)), feature[at], place[at]
        lower, upper = boxes.high.copy(), boxes.low.copy()
        lower[rows, chosen], upper[rows, chosen] = cut - 1, cut
        before = lower[rows, chosen, None] >= self._leaf_low[:, chosen].T
        after = upper[rows, chosen, None] <= self._leaf_high[:, chosen].T
        costs = [boxes.cost, boxes.cost]
        if self._distance is not None:
            whole_cost = self._distance.alone(chosen, boxes.low, boxes.high)
            costs[0] = boxes.cost + self._distance.alone(chosen, boxes.low, lower) - whole_cost
            costs[1] = boxes.cost + self._distance.alone(chosen, upper, boxes.high) - whole_cost
        for half in (
            self._worth(boxes.low, lower, boxes.alive & before, costs[0]),
            self._worth(upper, boxes.high, boxes.alive & after, costs[1]),
        ):
            self.open = self.open.with_(half)

    def _worth(
        self,
        low: "NDArray[np.int64]",
        high: "NDArray[np.int64]",
        alive: "NDArray[np.bool_]",
        cost: "NDArray[np.float64]",
    ) -> _Boxes:
        """Return those boxes that may hold a witness."""
        if self._distance is None:
            bound = self._held.least(alive)
            return _Boxes(low, high, alive, cost, bound).part(bound <= self._held.slack)
        alive = alive & (cost <= self._distance.most)
        bound = np.maximum(self._held.least(alive), self._distance.least(alive))
        kept = self._distance.within(low, high) & (bound <= self._held.slack)
        return _Boxes(low, high, alive, cost, bound).part(kept)
