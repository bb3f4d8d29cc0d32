"""Translation: the object is not where it was in training.

What comes in from beyond the edge goes on as the image ends.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "0.04, 0.08, 0.12, 0.16, 0.20 of the side, in a random direction"

_SHARES = (0.04, 0.08, 0.12, 0.16, 0.20)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    n, height, width, _ = material.x.shape
    angle = rng.uniform(0, 2 * np.pi, n)
    step = np.stack([np.sin(angle) * height, np.cos(angle) * width], axis=1) * _SHARES[severity - 1]
    return _geometry.resampled(material.x, np.tile(np.eye(2), (n, 1, 1)), step)
