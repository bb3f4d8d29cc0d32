"""Unit errors: one number of each sample is in another unit than in training."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("tabular",)
MEANING = "feet for metres (3.28), inches for centimetres (2.54), ten, a hundred, a thousand times"

_FACTORS = (1 / 3.28084, 2.54, 10.0, 100.0, 1000.0)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    rows, places = _columns.drawn(material, rng)
    x = material.x.copy()
    x[rows, places] *= _FACTORS[severity - 1]
    return x
