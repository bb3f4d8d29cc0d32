"""Rotation: the camera, or the page in the scanner, is tilted.

What comes in from beyond the edge goes on as the image ends.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "5, 10, 15, 20, 30 degrees to a random side"

_DEGREES = (5, 10, 15, 20, 30)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    n = len(material.x)
    angle = np.deg2rad(_DEGREES[severity - 1]) * rng.choice((-1, 1), n)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(n, 2, 2)
    return _geometry.resampled(material.x, turn, np.zeros((n, 2)))
