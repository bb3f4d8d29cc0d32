"""Pixelation: the image was stored or sent at a lower resolution.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "0.9, 0.75, 0.6, 0.5, 0.4 of the resolution"

_FACTORS = (0.9, 0.75, 0.6, 0.5, 0.4)


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    x = material.x
    for axis in (1, 2):
        x = _coarse(x, axis, max(1, round(x.shape[axis] * _FACTORS[severity - 1])))
    return x


def _coarse(x: "NDArray[Any]", axis: int, size: int) -> "NDArray[Any]":
    """Average neighbours into ``size`` cells along an axis, and show each cell at full size."""
    cells = np.arange(x.shape[axis]) * size // x.shape[axis]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(starts, append=x.shape[axis])
    means = np.add.reduceat(x, starts, axis) / counts.reshape([-1 if at == axis else 1 for at in range(4)])
    shown: NDArray[Any] = means.take(cells, axis)
    return shown
