"""Where advisory records come from: a zip, a directory, or the set that mlgate brings along.

One pass, one record in memory at a time; only records of wanted packages are kept.
"""

import gzip
import os
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from mlgate.checks.dependencies.advisories.records import BrokenRecordError, Record, decode

BUNDLED = Path(__file__).parent.parent / "data" / "bundled.json.gz"
_RECORD_BYTES = 8 << 20
_RECORDS = 2_000_000


class AdvisoriesError(Exception):
    """The database cannot be used: missing, broken or empty."""


class Database(Struct, frozen=True, kw_only=True):
    """The records about some packages, and what they were taken from.

    Attributes:
        name: What it was, for reports.
        records: By normalised package name; withdrawn ones are left out.
        total: How many PyPI records the whole of it holds.
        packages: How many packages they are about.
        newest: ISO date of the record that was changed last.
        covered: The packages it can speak of; None means every package.
        broken: Names of members that are no OSV records.
        licence: Where the facts come from.
    """

    name: str
    records: dict[str, tuple[Record, ...]]
    total: int
    packages: int
    newest: str
    covered: frozenset[str] | None = None
    broken: tuple[str, ...] = ()
    licence: str = ""


class Bundle(Struct, frozen=True):
    """The bundled set as it is stored.

    Attributes:
        source: Where the facts come from, and under which licence.
        newest: ISO date of the newest record of the source.
        packages: The packages that it covers, with or without records.
        records: OSV records without any text.
    """

    source: str
    newest: str
    packages: tuple[str, ...]
    records: tuple[Record, ...]


@cache
def _bundle() -> Bundle:
    return msgspec.json.decode(gzip.decompress(BUNDLED.read_bytes()), type=Bundle)


def bundled(wanted: Collection[str]) -> Database:
    """Return what the bundled set says of the wanted packages."""
    bundle = _bundle()
    return Database(
        name="bundled advisories",
        records=_by_name(bundle.records, wanted),
        total=len(bundle.records),
        packages=len(bundle.packages),
        newest=bundle.newest,
        covered=frozenset(bundle.packages),
        licence=bundle.source,
    )


def from_path(path: Path, wanted: Collection[str], shown: str) -> Database:
    """Read a directory or a zip of OSV records.

    Raises:
        AdvisoriesError: It cannot be read, or holds no record.
    """
    try:
        if path.is_dir():
            return _collect(_directory(path), wanted, shown)
        with path.open("rb") as stream:
            return from_zip(stream, wanted, shown)
    except OSError as error:
        raise AdvisoriesError(f"cannot be read: {error.strerror or error}") from error


def from_zip(stream: BinaryIO, wanted: Collection[str], shown: str) -> Database:
    """Read a zip of OSV records.

    Raises:
        AdvisoriesError: It is no zip, or holds no record.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            return _collect(_members(archive), wanted, shown)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise AdvisoriesError(f"is no readable zip: {error}") from error


def _collect(files: Iterable[tuple[str, bytes | None]], wanted: Collection[str], shown: str) -> Database:
    kept: list[Record] = []
    broken: list[str] = []
    names: set[str] = set()
    newest, total = "", 0
    for position, (name, data) in enumerate(files):
        if position >= _RECORDS:
            raise AdvisoriesError(f"holds more than {_RECORDS} files")
        try:
            if data is None:
                raise BrokenRecordError(name)  # noqa: TRY301 - the same answer
            record = decode(data)
        except BrokenRecordError:
            broken.append(name)
            continue
        about = record.names
        if not about:
            continue
        total += 1
        names |= about
        newest = max(newest, record.modified)
        if not about.isdisjoint(wanted):
            kept.append(record)
    if not total:
        raise AdvisoriesError("holds no OSV record about a PyPI package (JSON, one record a file)")
    return Database(
        name=shown,
        records=_by_name(kept, wanted),
        total=total,
        packages=len(names),
        newest=newest[:10],
        broken=tuple(broken),
    )


def _by_name(records: Iterable[Record], wanted: Collection[str]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.withdrawn is None:
            for name in record.names.intersection(wanted):
                found.setdefault(name, []).append(record)
    return {name: tuple(each) for name, each in found.items()}


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes | None]]:
    for member in archive.infolist():
        if member.is_dir() or not member.filename.endswith(".json"):
            continue
        try:
            with archive.open(member) as stream:
                data = stream.read(_RECORD_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError):
            data = b""
        yield member.filename, data if 0 < len(data) <= _RECORD_BYTES else None


def _directory(root: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield every ``.json`` file below ``root``; links are not followed."""
    pending = [root]
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                elif entry.name.endswith(".json") and entry.is_file(follow_symlinks=False):
                    yield os.path.relpath(entry.path, root), _bytes(entry.path)


def _bytes(path: str) -> bytes | None:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(_RECORD_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= _RECORD_BYTES else None
