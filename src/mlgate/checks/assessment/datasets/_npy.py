"""The npy format of NumPy, read without pickle: a header in plain letters, then the numbers.

NumPy's own reader hands the header to a Python parser; a pattern is enough.

Source: NumPy's NEP 1.
"""

import math
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = tuple("biufU")
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}
_DTYPE = r"'[<>|=][A-Za-z][0-9]{0,9}(?:\[\w+\])?'"
_FIELD = rf"\('(?P<name>[^'\\]{{1,200}})', *(?P<descr>{_DTYPE})\)"
_HEADER = re.compile(
    rf"\{{\s*'descr' *: *(?P<descr>{_DTYPE}|\[[^\]]*\]) *, *"
    r"'fortran_order' *: *(?P<fortran>True|False) *, *"
    r"'shape' *: *\((?P<shape>[0-9, ]*)\) *,? *\}\s*"
)
_HEADER_BYTES = 10_000
_TABLE_HEADER_BYTES = 1 << 20
_MOST_DIMENSIONS = 32


def plain(raw: bytes, where: str) -> "NDArray[Any]":
    """Return an array of numbers or texts.

    Args:
        raw: The whole file.
        where: Names it, for messages.

    Raises:
        Unassessable: It is not such an array, or not as long as its header says.
    """
    descr, fortran, shape, body = _header(raw, where, _HEADER_BYTES)
    if descr.startswith("["):
        raise _no_header(where)
    return _shaped(body, _dtype(descr[1:-1], where), shape, where, fortran=fortran)


def table(raw: bytes, where: str) -> "NDArray[Any]":
    """Return an array whose elements may have named fields.

    Args:
        raw: The whole file.
        where: Names it, for messages.

    Raises:
        Unassessable: As for :func:`plain`.
    """
    descr, fortran, shape, body = _header(raw, where, _TABLE_HEADER_BYTES)
    if not descr.startswith("["):
        return _shaped(body, _dtype(descr[1:-1], where), shape, where, fortran=fortran)
    fields = [(found["name"], found["descr"][1:-1]) for found in re.finditer(_FIELD, descr)]
    if not fields or len({name for name, _ in fields}) != len(fields) or _spelled(fields) != _bare(descr):
        raise _no_header(where)
    dtype = np.dtype([(name, _dtype(own, f"field {name!r} of {where}")) for name, own in fields])
    return _shaped(body, dtype, shape, where, fortran=fortran)


def _spelled(fields: list[tuple[str, str]]) -> str:
    return _bare(str(fields))


def _bare(text: str) -> str:
    return text.replace(" ", "").replace('"', "'").replace(",]", "]")


def _header(raw: bytes, where: str, most: int) -> tuple[str, bool, tuple[int, ...], memoryview]:
    """Split an npy file into what its header says and its body."""
    width = _LENGTH_BYTES.get(raw[6:8]) if raw[:6] == b"\x93NUMPY" else None
    start = 8 + (width or 0)
    end = start + int.from_bytes(raw[8:start], "little")
    text = raw[start:end].decode("latin-1") if width and end - start <= most else ""
    found = _HEADER.fullmatch(text)
    sizes = found["shape"].replace(" ", "").rstrip(",").split(",") if found else []
    if (
        found is None
        or len(sizes) > _MOST_DIMENSIONS
        or not all(size.isdigit() and len(size) < 16 for size in sizes if size or len(sizes) > 1)
    ):
        raise _no_header(where)
    shape = tuple(int(size) for size in sizes if size)
    return found["descr"], found["fortran"] == "True", shape, memoryview(raw)[end:]


def _dtype(descr: str, where: str) -> "np.dtype[Any]":
    if descr[1:2] not in _KINDS:
        raise Unassessable(
            "wrong-type",
            f"{where} is of type {descr!r}; numbers are needed, or text for a label",
            "data.path",
        )
    try:
        return np.dtype(descr)
    except TypeError as error:
        raise Unassessable("wrong-type", f"{where} is of no type {descr!r}", "data.path") from error


def _shaped(
    body: memoryview, dtype: "np.dtype[Any]", shape: tuple[int, ...], where: str, *, fortran: bool
) -> "NDArray[Any]":
    if math.prod(shape) * dtype.itemsize != len(body) or not body:
        raise Unassessable(
            "truncated",
            f"{where} holds {len(body)} bytes, which is not what its shape {list(shape)} needs",
            "data.path",
        )
    held = np.frombuffer(body, dtype)
    if not all(_readable(held[name]) for name in dtype.names) if dtype.names else not _readable(held):
        raise Unassessable("wrong-type", f"{where} holds texts of what are no letters", "data.path")
    return held.reshape(shape, order="F" if fortran else "C")


def _readable(held: "NDArray[Any]") -> bool:
    """Say whether texts are made of Unicode's code points: of others, Python makes no text."""
    if held.dtype.kind != "U" or not held.dtype.itemsize:
        return True
    letters = np.ascontiguousarray(held).view(np.dtype("u4").newbyteorder(held.dtype.byteorder))
    return bool((letters <= sys.maxunicode).all())


def _no_header(where: str) -> Unassessable:
    return Unassessable("unreadable-data", f"{where} has no npy header of a plain array", "data.path")
