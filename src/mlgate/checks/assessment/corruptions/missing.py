"""Missing values: cells that were not filled in, as NaN."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("tabular",)
MEANING = "a share of 0.01, 0.05, 0.1, 0.2, 0.4 of the cells"

_SHARES = (0.01, 0.05, 0.1, 0.2, 0.4)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    hit = rng.random(material.x.shape) < _SHARES[severity - 1]
    return np.where(hit, np.nan, material.x)
