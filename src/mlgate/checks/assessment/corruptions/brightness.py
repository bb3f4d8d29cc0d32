"""Brightness: the same scene in more light.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "0.05, 0.1, 0.15, 0.2, 0.3 of the range are added"

_ADDED = (0.05, 0.1, 0.15, 0.2, 0.3)


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    return np.clip(material.x + _ADDED[severity - 1], 0, 1)
