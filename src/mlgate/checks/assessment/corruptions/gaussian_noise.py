"""Gaussian noise: what a sensor adds in poor light, or a feature that is measured badly.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image", "tabular")
MEANING = "standard deviation 0.04, 0.06, 0.08, 0.09, 0.10 of the range"

_DEVIATIONS = (0.04, 0.06, 0.08, 0.09, 0.10)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    noise = rng.normal(0, _DEVIATIONS[severity - 1], material.x.shape)
    if material.kind == "tabular":
        noise = np.where(material.categorical, 0, noise * (material.high - material.low))
    return material.x + noise
