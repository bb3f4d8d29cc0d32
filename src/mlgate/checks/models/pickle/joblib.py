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
_OUTSIDE = frozenset(("NDArrayWrapper", "ZNDArrayWrapper"))


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
    # Plain text keys only: what another key would mean to a dict cannot be told.
    if type(state) is not Dict or len(state) & 1 or not all(type(key) is str for key in state[::2]):
        return None
    fields = dict(zip(state[::2], state[1::2], strict=True))
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
    match = _TYPE.fullmatch(name)
    if match is None or (dtype.built and type(dtype.state) is not tuple):
        return None
    code, digits = match.groups()
    width = -1 if code == "O" else int(digits) if digits else _WIDTHS.get(code)
    if width is not None and code == "U":
        width *= 4
    return _with_state(code, width, dtype.state or ())


def _with_state(code: str, width: int | None, state: tuple[Any, ...]) -> int | None:
    """Width once the dtype has its state: only types of any size take theirs from it."""
    if len(state) < 8:
        return width
    size, flags = state[5], state[7]
    if type(size) is not int or type(flags) is not int:
        return None
    if flags & _HAS_OBJECT or code == "O":
        # One without the other is no dtype that NumPy writes.
        return -1 if flags & _HAS_OBJECT and code in "OV" else None
    if size < 0:
        return width
    return size if code in "SaUV" or size == width else None


def outside(value: Made, state: Any) -> str | None:
    """Return the file that joblib reads in place of this instance, or None where it reads none.

    joblib below 0.10 kept arrays in files of their own, and newer versions still read them.
    """
    origin = value.origin()
    if origin is None or origin.name not in _OUTSIDE or "joblib" not in origin.module:
        return None
    if type(state) is Dict and not len(state) & 1:
        for key, name in zip(state[::2], state[1::2], strict=True):
            if key == "filename" and type(name) is str:
                return name
    return "?"
