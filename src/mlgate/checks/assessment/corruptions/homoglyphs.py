"""Homoglyphs: letters of other scripts that look the same, as evaders of filters use them.

Source: Unicode Technical Standard 39, confusables.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("text",)
MEANING = "a share of 0.02, 0.05, 0.1, 0.25, 0.5 of the letters that have one"

_SHARES = (0.02, 0.05, 0.1, 0.25, 0.5)
# Cyrillic for Latin, written as code points: in a source text nobody could tell them apart.
_LATIN = "aceijopsxyABCEHIJKMOPSTXY"
_CYRILLIC = (
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423"
)
_ALIKE = dict(zip(_LATIN, _CYRILLIC, strict=True))


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    return _texts.changed(material.x, lambda text: _disguised(text, _SHARES[severity - 1], rng))


def _disguised(text: str, share: float, rng: np.random.Generator) -> str:
    letters = list(text)
    for at in _texts.places([letter in _ALIKE for letter in letters], share, rng):
        letters[at] = _ALIKE[letters[at]]
    return "".join(letters)
