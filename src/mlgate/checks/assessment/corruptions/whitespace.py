"""White space: spaces left out, doubled, or put where none belongs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.corruptions import _texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("text",)
MEANING = "at a share of 0.01, 0.02, 0.05, 0.1, 0.2 of the letters, and of the spaces four times as often"

_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
_SPACES = ("", "  ", "\t", "\n")


def corrupt(material: Material, severity: int, rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    return _texts.changed(material.x, lambda text: _spaced(text, _SHARES[severity - 1], rng))


def _spaced(text: str, share: float, rng: np.random.Generator) -> str:
    letters = list(text)
    spaces = [letter.isspace() for letter in letters]
    for at in _texts.places(spaces, min(1.0, 4 * share), rng):
        letters[at] = _SPACES[rng.integers(0, len(_SPACES))]
    for at in _texts.places([not space for space in spaces], share, rng):
        letters[at] += " "
    return "".join(letters)
