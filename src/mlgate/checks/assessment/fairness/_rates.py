"""Rates by group from counts, for whole stacks of resamples at once.

Counts are [..., g, 2, 2]: by group, by whether the favourable answer is right, and by
whether it was given. Where only right and wrong matter, what is right stands on the diagonal.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Rate = Callable[[NDArray[Any]], NDArray[Any]]


def counts(
    truth: "NDArray[Any]", answers: "NDArray[Any]", places: "NDArray[Any]", groups: int
) -> "NDArray[Any]":
    """Count samples [n] into [g, 2, 2]: ``truth`` and ``answers`` are 0 or 1, ``places`` the groups."""
    cells = (places * 2 + truth) * 2 + answers
    found: NDArray[Any] = np.bincount(cells, minlength=groups * 4).reshape(groups, 2, 2)
    return found


def _quotient(above: "NDArray[Any]", below: "NDArray[Any]") -> "NDArray[Any]":
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


# From counts [..., g, 2, 2] to the rate in each group, [..., g]; NaN where it is undefined.
RATES: "dict[str, Rate]" = {
    "selection": lambda held: _quotient(held[..., 1].sum(-1), held.sum((-1, -2))),
    "true_positive": lambda held: _quotient(held[..., 1, 1], held[..., 1, :].sum(-1)),
    "false_positive": lambda held: _quotient(held[..., 0, 1], held[..., 0, :].sum(-1)),
    "accuracy": lambda held: _quotient(held[..., 0, 0] + held[..., 1, 1], held.sum((-1, -2))),
}


def _ratio(rates: "NDArray[Any]") -> "NDArray[Any]":
    """Return the smallest over the largest; alike where all are 0."""
    largest = rates.max(-1)
    return np.where(largest == 0, 1.0, _quotient(rates.min(-1), largest))


# From rates [..., g] to one figure, and which of several figures is the worst.
SPREADS: "dict[str, tuple[Rate, Callable[..., Any]]]" = {
    "difference": (lambda rates: rates.max(-1) - rates.min(-1), np.max),
    "ratio": (_ratio, np.min),
    "smallest": (lambda rates: rates.min(-1), np.min),
}


def spread(metric: Any, held: "NDArray[Any]") -> "NDArray[Any]":
    """Return a metric on counts [..., g, 2, 2]: [...], NaN where a rate is undefined."""
    between, worst = SPREADS[metric.SPREAD]
    return np.asarray(worst([between(RATES[name](held)) for name in metric.RATES], axis=0))
