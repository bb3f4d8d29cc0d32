"""Rates by group, and how far apart they lie: the true ones, not only those that were seen.

Counts are [g, 2, 2]: by group, by whether the favourable answer is right, and by whether it
was given. Where only right and wrong matter, what is right stands on the diagonal.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.intervals import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    # Of each group [g]: samples of which something is true, and samples of which it could be.
    Share = tuple[NDArray[Any], NDArray[Any]]


def counts(
    truth: "NDArray[Any]", answers: "NDArray[Any]", places: "NDArray[Any]", groups: int
) -> "NDArray[Any]":
    """Count samples [n] into [g, 2, 2]: ``truth`` and ``answers`` are 0 or 1, ``places`` the groups."""
    cells = (places * 2 + truth) * 2 + answers
    found: NDArray[Any] = np.bincount(cells, minlength=groups * 4).reshape(groups, 2, 2)
    return found


RATES: "dict[str, Callable[[NDArray[Any]], Share]]" = {
    "selection": lambda held: (held[:, :, 1].sum(1), held.sum((1, 2))),
    "true_positive": lambda held: (held[:, 1, 1], held[:, 1].sum(1)),
    "false_positive": lambda held: (held[:, 0, 1], held[:, 0].sum(1)),
    "accuracy": lambda held: (held[:, 0, 0] + held[:, 1, 1], held.sum((1, 2))),
}


def _difference(low: "NDArray[Any]", high: "NDArray[Any]") -> tuple[float, float]:
    return max(0.0, float(low.max() - high.min())), float(high.max() - low.min())


def _ratio(low: "NDArray[Any]", high: "NDArray[Any]") -> tuple[float, float]:
    least = float(low.min() / high.max()) if high.max() > 0 else 1.0
    return least, min(1.0, float(high.min() / low.max())) if low.max() > 0 else 1.0


def _smallest(low: "NDArray[Any]", high: "NDArray[Any]") -> tuple[float, float]:
    return float(low.min()), float(high.min())


# From the ends of an interval for each group's rate, [g] both, to those for one figure; and
# which of several figures is the worst.
SPREADS: "dict[str, tuple[Callable[..., tuple[float, float]], Callable[..., float]]]" = {
    "difference": (_difference, max),
    "ratio": (_ratio, min),
    "smallest": (_smallest, min),
}


def between(name: str, shares: "Iterable[Share]", confidence: float) -> tuple[float, float]:
    """Return an interval for how far the groups' true rates lie apart.

    Every group's rate lies in an exact interval of its own, all of them at once with the
    stated confidence: the error is split between them (Bonferroni). What follows for the
    figure holds at least as often. A bootstrap would not do: the largest of several
    differences is never below 0 and grows with chance alone, so resamples lie too high.

    Args:
        name: Of :data:`SPREADS`.
        shares: For each rate that is compared; every group has samples.
        confidence: Between 0 and 1, both excluded.
    """
    spread, worst = SPREADS[name]
    held = list(shares)
    each = 1 - (1 - confidence) / sum(len(below) for _, below in held)
    found = []
    for above, below in held:
        ends = [clopper_pearson(int(k), int(n), each) for k, n in zip(above, below, strict=True)]
        found.append(spread(*np.array(ends).T))
    low, high = zip(*found, strict=True)
    return worst(low), worst(high)
