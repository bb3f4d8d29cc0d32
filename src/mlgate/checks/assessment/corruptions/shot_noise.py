"""Shot noise: light comes in quanta, so that dark images are grainy.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "500, 250, 100, 75, 50 quanta for full brightness"

_QUANTA = (500, 250, 100, 75, 50)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    most = _QUANTA[severity - 1]
    return np.asarray(rng.poisson(np.clip(material.x, 0, 1) * most) / most)
