"""NumPy archives: a zip of arrays, read without pickle and never further than declared.

Source: NumPy's NEP 1 (the npy format).
"""

import io
import math
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.data import Columns, Table, few
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npz",)
_KINDS = tuple("biufU")
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}
_HEADER = (
    r"\{\s*'descr' *: *'(?P<descr>[<>|=][A-Za-z][0-9]{0,9}(\[\w+\])?)' *, *"
    r"'fortran_order' *: *(?P<fortran>True|False) *, *"
    r"'shape' *: *\((?P<shape>[0-9, ]*)\) *,? *\}\s*"
)
_HEADER_BYTES = 10_000
_MOST_DIMENSIONS = 32
# How an entry of a zip's directory begins. Millions of them would fill the memory.
_ENTRY = b"PK\x01\x02"
_MOST_ENTRIES = 10_000
# What NumPy writes; other methods may ask for gigabytes to unpack a byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the features' and the label's array; see :class:`mlgate.checks.assessment.data.Format`."""
    if data.count(_ENTRY) > _MOST_ENTRIES:
        raise Unassessable("limit", f"{name} holds more than {_MOST_ENTRIES} arrays", "data.path")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
    except _BROKEN as error:
        raise Unassessable(
            "unreadable-data", f"{name} is not a readable npz archive: {error}", "data.path"
        ) from error
    features = _features(members, columns, name)
    for wanted, key in ((features, "data.features"), (columns.label, "data.label")):
        if wanted not in members:
            raise Unassessable(
                "missing-array", f"{name} has no array {wanted!r}; it holds {few(members)}", key
            )
    return Table(_array(archive, features, most, name), _array(archive, columns.label, most, name))


def _features(members: list[str], columns: Columns, name: str) -> str:
    if columns.features is not None:
        if len(columns.features) == 1:
            return columns.features[0]
        raise Unassessable(
            "wrong-features",
            f"{name} is an npz archive: data.features names one array of it",
            "data.features",
        )
    others = [member for member in members if member != columns.label]
    if len(others) == 1:
        return others[0]
    raise Unassessable(
        "wrong-features",
        f"{name} holds {few(members)}; say in data.features which array has the features",
        "data.features",
    )


def _array(archive: zipfile.ZipFile, member: str, most: int, name: str) -> "NDArray[Any]":
    where = f"array {member!r} of {name}"
    try:
        if archive.getinfo(f"{member}.npy").compress_type not in _METHODS:
            raise NotImplementedError("it is compressed in a way that NumPy does not use")
        with archive.open(f"{member}.npy") as stream:
            raw = stream.read(most + 1)
    except _BROKEN as error:
        raise Unassessable("unreadable-data", f"{where} cannot be read: {error}", "data.path") from error
    if len(raw) > most:
        raise Unassessable("limit", f"{where} is larger than limits.data_bytes allows", "data.path")
    descr, fortran, shape, body = _header(raw, where)
    if descr[1:2] not in _KINDS:
        raise Unassessable(
            "wrong-type",
            f"{where} is of type {descr!r}; numbers are needed, or text for a label",
            "data.path",
        )
    try:
        dtype = np.dtype(descr)
    except TypeError as error:
        raise Unassessable("wrong-type", f"{where} is of no type {descr!r}", "data.path") from error
    if math.prod(shape) * dtype.itemsize != len(body) or not body:
        raise Unassessable(
            "truncated",
            f"{where} holds {len(body)} bytes, which is not what its shape {list(shape)} needs",
            "data.path",
        )
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _header(raw: bytes, where: str) -> tuple[str, bool, tuple[int, ...], memoryview]:
    """Split an npy file into what its header says and its body.

    NumPy's own reader hands the header to a Python parser; a pattern is enough.
    """
    width = _LENGTH_BYTES.get(raw[6:8]) if raw[:6] == b"\x93NUMPY" else None
    start = 8 + (width or 0)
    end = start + int.from_bytes(raw[8:start], "little")
    text = raw[start:end].decode("latin-1") if width and end - start <= _HEADER_BYTES else ""
    found = re.fullmatch(_HEADER, text)
    sizes = found["shape"].replace(" ", "").rstrip(",").split(",") if found else []
    if (
        found is None
        or len(sizes) > _MOST_DIMENSIONS
        or not all(size.isdigit() and len(size) < 16 for size in sizes if size or len(sizes) > 1)
    ):
        raise Unassessable("unreadable-data", f"{where} has no npy header of a plain array", "data.path")
    shape = tuple(int(size) for size in sizes if size)
    return found["descr"], found["fortran"] == "True", shape, memoryview(raw)[end:]
