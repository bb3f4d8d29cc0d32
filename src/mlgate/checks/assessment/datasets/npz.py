"""NumPy archives: a zip of arrays, read without pickle and never further than declared.

Source: NumPy's NEP 1 (the npy format).
"""

import io
import math
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.data import Columns, Table, few
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npz",)
_KINDS = "biufU"
_HEADER_BYTES = 10_000
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the features' and the label's array; see :class:`mlgate.checks.assessment.data.Format`."""
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
        with archive.open(f"{member}.npy") as stream:
            raw = stream.read(most + 1)
    except _BROKEN as error:
        raise Unassessable("unreadable-data", f"{where} cannot be read: {error}", "data.path") from error
    if len(raw) > most:
        raise Unassessable("limit", f"{where} is larger than limits.data_bytes allows", "data.path")
    stream = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(stream, max_header_size=_HEADER_BYTES)
    except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise Unassessable("unreadable-data", f"{where} has no readable npy header", "data.path") from error
    if dtype.kind not in _KINDS:
        raise Unassessable(
            "wrong-type", f"{where} is of type {dtype}; numbers are needed, or text for a label", "data.path"
        )
    body = raw[stream.tell() :]
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(body) or not body:
        raise Unassessable(
            "truncated",
            f"{where} holds {len(body)} bytes, which is not what its shape {shape} needs",
            "data.path",
        )
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")
