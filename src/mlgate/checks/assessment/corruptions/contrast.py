"""Lost contrast: fog, glare or a cheap camera.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "the distance from the image's mean shrinks to 0.75, 0.5, 0.4, 0.3, 0.15"

_FACTORS = (0.75, 0.5, 0.4, 0.3, 0.15)


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    middle = material.x.mean(axis=(1, 2), keepdims=True)
    return np.asarray((material.x - middle) * _FACTORS[severity - 1] + middle)
