"""joblib writes arrays as raw bytes between the opcodes: how many, the stream itself says.

Source: ``joblib/numpy_pickle.py``, ``NumpyArrayWrapper.read_array``.
"""

import re
from math import prod
from typing import Any

from mlgate.checks.models.pickle.values import Dict, Global, Made

_MODULES = frozenset(("joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"))
_TYPE = re.compile(r"[<>=|]?([?bBhHiIlLqQefdgFDGSaUVOMmcbiuf])(\d*)")
_WIDTHS = {
    "?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4,
    "d": 8, "F": 8, "D": 16, "M": 8, "m": 8, "S": 0, "a": 0, "U": 0, "V": 0,
}  # fmt: skip
_HAS_OBJECT = 1


class Array:
    """An array whose contents follow in the stream.

    Attributes:
        size: Bytes; None where the contents are a pickle of their own.
        aligned: Whether a padding length and padding come first.
    """

    __slots__ = ("aligned", "size")

    def __init__(self, size: int | None, *, aligned: bool) -> None:
        self.size, self.aligned = size, aligned


def is_wrapper(value: Made) -> bool:
    """Say whether joblib reads an array once this instance has its state."""
    maker = value.maker
    return type(maker) is Global and maker.name == "NumpyArrayWrapper" and maker.module in _MODULES


def array(state: Any) -> Array | None:
    """Return what the wrapper's state says of its array; None where that cannot be told."""
    if type(state) is not Dict:
        return None
    # Plain text keys only: other keys have no business here, and need not be hashable.
    pairs = zip(state[::2], state[1::2], strict=False)
    fields = {key: value for key, value in pairs if type(key) is str}
    shape, dtype = fields.get("shape"), fields.get("dtype")
    if type(shape) is not tuple or not all(type(side) is int and side >= 0 for side in shape):
        return None
    width = _width(dtype)
    if width is None:
        return None
    aligned = fields.get("numpy_array_alignment_bytes") is not None
    return Array(None, aligned=False) if width < 0 else Array(width * prod(shape), aligned=aligned)


def _width(dtype: Any) -> int | None:
    """Bytes of one item; -1 for objects, None where it cannot be told."""
    if type(dtype) is not Made or not dtype.args:
        return None
    origin, name = dtype.origin(), dtype.args[0]
    if origin is None or origin.subject != "numpy.dtype" or type(name) is not str:
        return None
    state = dtype.state or ()
    if len(state) >= 8:
        if type(state[7]) is int and state[7] & _HAS_OBJECT:
            return -1
        if type(state[5]) is int and state[5] >= 0:
            return state[5]
    match = _TYPE.fullmatch(name)
    if match is None:
        return None
    code, digits = match.groups()
    if code == "O":
        return -1
    width = int(digits) if digits else _WIDTHS.get(code)
    if width is not None and code == "U":
        width *= 4
    return width
