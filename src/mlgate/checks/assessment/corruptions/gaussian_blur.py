"""Blur: out of focus.

The kernel grows with the image, so that a severity means the same for any resolution of
at least 32 pixels. Parameters after Hendrycks and Dietterich (2019), arXiv:1903.12261.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "standard deviation 0.4, 0.6, 0.7, 0.8, 1.0 pixels for each 32 of the shorter side"

_DEVIATIONS = (0.4, 0.6, 0.7, 0.8, 1.0)
_SIDE = 32
_REACH = 4


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    _, height, width, _ = material.x.shape
    deviation = _DEVIATIONS[severity - 1] * max(1.0, min(height, width) / _SIDE)
    return _along(_along(material.x, deviation, 1), deviation, 2)


def _along(x: "NDArray[Any]", deviation: float, axis: int) -> "NDArray[Any]":
    """Blur along one axis; beyond the edge the image goes on as it ends."""
    reach = max(1, round(_REACH * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padding = [(reach, reach) if at == axis else (0, 0) for at in range(4)]
    padded = np.pad(x, padding, mode="edge")
    size = x.shape[axis]
    parts = (
        weight * padded.take(range(at, at + size), axis) for at, weight in enumerate(weights / weights.sum())
    )
    blurred: NDArray[Any] = sum(parts, np.zeros_like(x))
    return blurred
