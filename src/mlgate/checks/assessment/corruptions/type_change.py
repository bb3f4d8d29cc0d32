"""Changed types: numbers that a pipeline stored as something smaller on their way."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("tabular",)
MEANING = "half precision; three, two, one significant digits; whole numbers"

_DIGITS = {2: 3, 3: 2, 4: 1}


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    x = material.x
    if severity == 1:
        with np.errstate(over="ignore"):
            changed = x.astype(np.float16).astype(np.float64)
        # What half precision cannot hold was not stored in it.
        changed = np.where(np.isinf(changed), x, changed)
    elif severity in _DIGITS:
        changed = _significant(x, _DIGITS[severity])
    else:
        changed = np.trunc(x)
    return np.where(material.categorical, x, changed)


def _significant(x: "NDArray[Any]", digits: int) -> "NDArray[Any]":
    size = np.where((x == 0) | ~np.isfinite(x), 1.0, np.abs(x))
    unit = 10.0 ** (np.floor(np.log10(size)) - digits + 1)
    rounded: NDArray[Any] = np.round(x / unit) * unit
    return rounded
