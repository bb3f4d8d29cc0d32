"""NumPy archives: a zip of arrays, read without pickle and never further than declared."""

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from mlgate.checks.assessment.datasets import _npy
from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.checks.assessment.table import Columns, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npz",)
# How an entry of a zip's directory begins. Millions of them would fill the memory.
_ENTRY = b"PK\x01\x02"
_MOST_ENTRIES = 10_000
# What NumPy writes; other methods may ask for gigabytes to unpack a byte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the features' and the label's array; see :class:`mlgate.checks.assessment.table.Format`."""
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
    for group in columns.groups:
        if group not in members:
            raise Unassessable(
                "missing-array",
                f"{name} has no array {group!r} to name groups; it holds {few(members)}",
                "data",
            )
    return Table(
        _array(archive, features, most, name),
        _array(archive, columns.label, most, name),
        {group: _array(archive, group, most, name) for group in columns.groups},
    )


def _features(members: list[str], columns: Columns, name: str) -> str:
    if columns.features is not None:
        if len(columns.features) == 1:
            return columns.features[0]
        raise Unassessable(
            "wrong-features",
            f"{name} is an npz archive: data.features names one array of it",
            "data.features",
        )
    others = [member for member in members if member not in columns.others]
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
    return _npy.plain(raw, where)
