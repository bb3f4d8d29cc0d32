"""Letter case: small letters for capitals and the other way round."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("text",)
MEANING = "a share of 0.05, 0.1, 0.25, 0.5, 1.0 of the letters"

_SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    return _texts.changed(material.x, lambda text: _swapped(text, _SHARES[severity - 1], rng))


def _swapped(text: str, share: float, rng: np.random.Generator) -> str:
    letters = list(text)
    for at in _texts.places([letter.swapcase() != letter for letter in letters], share, rng):
        letters[at] = letters[at].swapcase()
    return "".join(letters)
