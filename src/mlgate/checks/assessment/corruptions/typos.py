"""Typing errors: a neighbouring key, a letter left out, doubled, or swapped with the next."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("text",)
MEANING = "a share of 0.01, 0.02, 0.05, 0.1, 0.2 of the letters"

_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: (row[max(at - 1, 0) : at] + row[at + 1 : at + 2])
    for row in _ROWS
    for at, letter in enumerate(row)
}


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    return _texts.changed(material.x, lambda text: _mistyped(text, _SHARES[severity - 1], rng))


def _mistyped(text: str, share: float, rng: np.random.Generator) -> str:
    letters = list(text)
    hits = _texts.places([letter.isalpha() for letter in letters], share, rng)
    for at, act in zip(hits, rng.integers(0, 4, len(hits)), strict=True):
        letter = letters[at]
        if act == 0:
            near = _NEIGHBOURS.get(letter.lower(), letter)
            other = near[rng.integers(0, len(near))]
            letters[at] = other.upper() if letter.isupper() else other
        elif act == 1:
            letters[at] = ""
        elif act == 2:
            letters[at] = letter * 2
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letter
    return "".join(letters)
