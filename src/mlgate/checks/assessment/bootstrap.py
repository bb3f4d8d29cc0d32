"""Intervals for figures that have no exact one: the percentile bootstrap, seeded.

Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_MOST_RESAMPLES = 1000
_FEWEST_RESAMPLES = 100
# Scores drawn in all: with more data an interval is narrower, and its ends need less precision.
_MOST_DRAWN = 50_000_000
_MOST_UNDEFINED = 0.5


class Interval(Struct, frozen=True):
    """An interval, and how it came about.

    Attributes:
        low: Lower end.
        high: Upper end.
        method: In words, for a report.
    """

    low: float | None
    high: float | None
    method: str


def resamples(n: int, width: int = 1) -> int:
    """Return how many resamples of n samples with so many scores each are drawn.

    It depends on nothing else, so that a second run draws the same.
    """
    return max(_FEWEST_RESAMPLES, min(_MOST_RESAMPLES, _MOST_DRAWN // max(n * width, 1)))


def percentile(
    value: "Callable[[NDArray[np.int64]], float]", n: int, confidence: float, seed: int, *, width: int = 1
) -> Interval:
    """Return the percentile interval of a statistic of n independent samples.

    Args:
        value: From the indices of a resample to the statistic. It may say that it is
            undefined there by :class:`Unassessable`.
        n: Samples.
        confidence: Between 0 and 1, both excluded.
        seed: Of the resamples.
        width: Scores of each sample, for the cost of a resample.
    """
    rng = np.random.default_rng(seed)
    found, count = [], resamples(n, width)
    for _ in range(count):
        try:
            found.append(value(rng.integers(0, n, n)))
        except Unassessable:
            continue
    return of_values(np.array(found), confidence, count, "percentile bootstrap")


def of_values(found: "NDArray[Any]", confidence: float, count: int, method: str) -> Interval:
    """Return the interval that holds the middle of a statistic's values on resamples.

    Args:
        found: [m] The values where the statistic is defined; others are NaN or left out.
        confidence: Between 0 and 1, both excluded.
        count: Resamples that were drawn.
        method: In words.
    """
    found = found[np.isfinite(found)]
    said = f"{method}, {count} resamples"
    if len(found) < count * _MOST_UNDEFINED:
        return Interval(None, None, f"none: undefined in {count - len(found)} of {count} resamples")
    if len(found) < count:
        said += f", {count - len(found)} of them left out: undefined there"
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, (tail, 1 - tail))
    if low == high:
        said += "; they are all alike, so it says nothing about samples that did not occur"
    return Interval(float(low), float(high), said)
