"""How far two samples of one feature lie apart."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 10
# With no more different values than this, each is a bin of its own, if it comes twice on average.
_FEW_VALUES = 20


def population_stability(reference: "NDArray[Any]", current: "NDArray[Any]") -> tuple[float, int]:
    """Return the population stability index of one feature, and the number of its bins.

    The bins are the deciles of the reference; or, where it has few values, the values. Missing
    values are a bin of their own. An empty bin counts as half a sample.

    Source: Siddiqi (2006), Credit Risk Scorecards. Usual reading: below 0.1 no change, above
    0.25 a large one.

    Args:
        reference: [m] Values, NaN for missing ones.
        current: [n] Values to compare.
    """
    known = reference[~np.isnan(reference)]
    values = np.unique(known)
    if len(values) <= min(_FEW_VALUES, len(known) / 2):
        # A value that the reference has not falls between its bins.
        edges = np.repeat(values, 2)
        edges[1::2] = np.nextafter(edges[1::2], np.inf)
    else:
        edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS))
    shares = [_shares(each, edges) for each in (reference, current)]
    occurs = (shares[0] > 0) | (shares[1] > 0)
    first, second = (
        np.maximum(share[occurs], 0.5 / len(each))
        for share, each in zip(shares, (reference, current), strict=True)
    )
    return float(((second - first) * np.log(second / first)).sum()), int(occurs.sum())


def _shares(values: "NDArray[Any]", edges: "NDArray[Any]") -> "NDArray[np.float64]":
    known = values[~np.isnan(values)]
    places = np.searchsorted(edges, known, side="right")
    counts = np.append(np.bincount(places, minlength=len(edges) + 1), len(values) - len(known))
    found: NDArray[np.float64] = counts / len(values)
    return found


def kolmogorov_smirnov(reference: "NDArray[Any]", current: "NDArray[Any]") -> float:
    """Return the largest distance of two empirical distribution functions: 0 to 1.

    Missing values are left out; where one side has nothing else, the distance is 1.
    """
    first, second = (np.sort(each[~np.isnan(each)]) for each in (reference, current))
    if not len(first) or not len(second):
        return float(len(first) != len(second))
    every = np.concatenate([first, second])
    gap = np.searchsorted(first, every, side="right") / len(first)
    gap -= np.searchsorted(second, every, side="right") / len(second)
    return float(np.abs(gap).max())
