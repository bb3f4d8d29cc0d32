"""How far the boxes and leaves of a search lie from its sample, in the L2 ball."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.cells import Cells
    from mlgate.checks.assessment.margins import Margin

# Distances are compared in float64; what lies on the sphere is inside.
_ON_THE_SPHERE = 1 + 1e-9
# Prices that are tried, as shares of what a whole ball could be worth.
_PRICES = np.geomspace(1e-4, 1.0, 24)


class Distance:
    """Squared distances in one puzzle.

    Args:
        cells: The puzzle.
        held: The margin that is searched.
        radius: Of the ball.

    Attributes:
        most: The largest squared distance inside.
        leaves: [Q] Each leaf's.
    """

    def __init__(self, cells: "Cells", held: "Margin", radius: float) -> None:
        self._cells, self._held = cells, held
        self._low, self._high = cells.low[held.rows], cells.high[held.rows]
        self.most = radius**2 * _ON_THE_SPHERE
        self.leaves = self._each(self._low, self._high).sum(axis=1)
        self._price, self._value = self._priced()

    def within(self, low: "NDArray[np.int64]", high: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Say which boxes [B, A] the ball touches."""
        return np.asarray(self._each(low, high).sum(axis=1) <= self.most)

    def alone(
        self, chosen: "NDArray[np.int64]", low: "NDArray[np.int64]", high: "NDArray[np.int64]"
    ) -> "NDArray[np.float64]":
        """Return what one feature of each box [B, A] adds to the squared distance of each leaf: [B, Q]."""
        rows = np.arange(len(chosen))
        first = np.maximum(self._low[:, chosen].T, low[rows, chosen, None])
        last = np.minimum(self._high[:, chosen].T, high[rows, chosen, None])
        nearest = np.clip(self._cells.center[chosen, None], first, last)
        return np.asarray(self._cells.cost[self._cells.offset[chosen, None] + nearest])

    def least(self, alive: "NDArray[np.bool_]") -> "NDArray[np.float64]":
        """Return a lower bound of the margin [B] inside the ball, where the leaves [B, Q] are in reach."""
        return self._held.least(alive, self._value) - self._price * self.most

    def _each(
        self, low: "NDArray[np.integer[Any]]", high: "NDArray[np.integer[Any]]"
    ) -> "NDArray[np.float64]":
        nearest = np.clip(self._cells.center, low, high)
        return np.asarray(self._cells.cost[self._cells.offset + nearest])

    def _priced(self) -> "tuple[float, NDArray[np.float64]]":
        """Find the price of distance at which the bound of the whole puzzle is best.

        Each leaf pays for its distance, feature by feature, shared among the trees that
        ask for that feature: so all trees together pay for no more than a point's distance,
        and the bound, less the price of the whole radius, still holds (a Lagrangian bound).
        """
        held = self._held
        asks = (self._low > 0) | (self._high < self._cells.count - 1)
        users = np.maximum(np.logical_or.reduceat(asks, held.first, axis=0).sum(axis=0), 1)
        shares = (self._each(self._low, self._high) / users).sum(axis=1)
        alive = (self.leaves <= self.most)[None]
        best = (float(held.least(alive)[0]), 0.0)
        for price in np.ptp(held.value) * len(held.first) / max(self.most, 1e-300) * _PRICES:
            bound = float(held.least(alive, held.value + price * shares)[0]) - price * self.most
            best = max(best, (bound, float(price)))
        return best[1], held.value + best[1] * shares
