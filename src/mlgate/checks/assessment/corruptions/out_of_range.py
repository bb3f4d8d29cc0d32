"""Out of range: one number of each sample lies beyond all that can occur."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("tabular",)
MEANING = "beyond the range by 0.1, 0.5, 1, 5, 10 times its width"

_WIDTHS = (0.1, 0.5, 1.0, 5.0, 10.0)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    rows, places = _columns.drawn(material, rng)
    width = np.where(material.high > material.low, material.high - material.low, 1.0)[places]
    above = rng.random(len(rows)) < 0.5
    far = _WIDTHS[severity - 1] * width
    x = material.x.copy()
    x[rows, places] = np.where(above, material.high[places] + far, material.low[places] - far)
    return x
