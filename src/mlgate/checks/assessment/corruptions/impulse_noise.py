"""Impulse noise: single values stuck at black or white, from defects or broken bits.

Source: Hendrycks and Dietterich (2019), arXiv:1903.12261, with their parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "a share of 0.01, 0.02, 0.03, 0.05, 0.07 of the values"

_SHARES = (0.01, 0.02, 0.03, 0.05, 0.07)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    hit = rng.random(material.x.shape) < _SHARES[severity - 1]
    stuck = rng.integers(0, 2, material.x.shape)
    return np.where(hit, stuck, material.x)
