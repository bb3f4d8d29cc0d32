"""Unseen categories: codes that did not occur when the model was trained."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("tabular",)
MEANING = "in a share of 0.05, 0.1, 0.2, 0.4, 0.8 of the samples, one category each"

_SHARES = (0.05, 0.1, 0.2, 0.4, 0.8)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    places = np.flatnonzero(material.categorical)
    if not len(places):
        raise Unassessable(
            "no-category",
            "no column is said to be categorical; say so in data.columns: `{name: ..., categorical: true}`",
            "data.columns",
        )
    n = len(material.x)
    rows = np.flatnonzero(rng.random(n) < _SHARES[severity - 1])
    chosen = rng.choice(places, len(rows))
    x = material.x.copy()
    x[rows, chosen] = material.high[chosen] + rng.integers(1, 4, len(rows))
    return x
