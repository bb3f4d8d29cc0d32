"""What a database says of some packages: a zip, a directory, or the set that mlgate brings along."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from mlgate.checks.dependencies.advisories import files, index
from mlgate.checks.dependencies.advisories.files import AdvisoriesError
from mlgate.checks.dependencies.advisories.records import Record

__all__ = ["BUNDLED", "AdvisoriesError", "Bundle", "Database", "bundled", "from_path", "from_zip"]

BUNDLED = Path(__file__).parent.parent / "data" / "bundled.json.gz"


class Database(Struct, frozen=True, kw_only=True):
    """The records about some packages, and what they were taken from.

    Attributes:
        name: What it was, for reports.
        records: By normalised package name; withdrawn ones are left out.
        total: How many PyPI records the whole of it holds.
        packages: How many packages they are about.
        newest: ISO date of the record that was changed last; "" where none says.
        digest: SHA-256 of the data.
        origin: How it came here, for reports: ``bundled``, ``given``, ``fetched``, ...
        confirmed: ISO date on which its publisher last said that it is the current one.
        covered: The packages it can speak of; None means every package.
        unread: How many of its files are no OSV records.
        broken: Names of some of them.
        licence: Where the facts come from.
    """

    name: str
    records: dict[str, tuple[Record, ...]]
    total: int
    packages: int
    newest: str
    digest: str = ""
    origin: str = "given"
    confirmed: str | None = None
    covered: frozenset[str] | None = None
    unread: int = 0
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
def _bundle() -> tuple[Bundle, str]:
    import gzip  # noqa: PLC0415 - start-up time

    data = BUNDLED.read_bytes()
    return msgspec.json.decode(gzip.decompress(data), type=Bundle), hashlib.sha256(data).hexdigest()


def bundled(wanted: Collection[str]) -> Database:
    """Return what the bundled set says of the wanted packages."""
    bundle, digest = _bundle()
    return Database(
        name="bundled advisories",
        records=_by_name(bundle.records, wanted),
        total=len(bundle.records),
        packages=len(bundle.packages),
        newest=bundle.newest,
        digest=digest,
        origin="bundled",
        covered=frozenset(bundle.packages),
        licence=bundle.source,
    )


def _by_name(records: Iterable[Record], wanted: Collection[str]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.withdrawn is None:
            for name in record.names.intersection(wanted):
                found.setdefault(name, []).append(record)
    return {name: tuple(each) for name, each in found.items()}


def from_path(path: Path, wanted: Collection[str], shown: str, folder: Path | None = None) -> Database:
    """Ask a directory or a zip of OSV records.

    Args:
        path: The directory or zip.
        wanted: Normalised names of the packages.
        shown: Its name in reports.
        folder: The cache folder, where its index is kept; None keeps none.

    Raises:
        AdvisoriesError: It cannot be read, or holds no record.
    """
    try:
        if path.is_dir():
            digest = files.digest_of(files.of_folder(path))
            found = index.look_up(digest, lambda: _same_folder(path, digest), wanted, folder)
            return _database(found, shown)
        with path.open("rb") as stream:
            return from_zip(stream, wanted, shown, folder)
    except OSError as error:
        raise AdvisoriesError(f"cannot be read: {error.strerror or error}") from error


def from_zip(
    stream: BinaryIO,
    wanted: Collection[str],
    shown: str,
    folder: Path | None = None,
    digest: str | None = None,
) -> Database:
    """Ask a zip of OSV records; ``digest`` saves the reading where it is known.

    Raises:
        AdvisoriesError: It is no zip, holds no record, or is not what ``digest`` says.
    """
    known = files.digest(stream) if digest is None else digest
    return _database(index.look_up(known, lambda: _same_zip(stream, known), wanted, folder), shown)


def _same_zip(stream: BinaryIO, digest: str) -> Iterator[tuple[str, bytes | None]]:
    yield from files.of_zip(stream)
    if files.digest(stream) != digest:
        raise AdvisoriesError("is damaged, or changed while it was read; run again, or fetch it anew")


def _same_folder(path: Path, digest: str) -> Iterator[tuple[str, bytes | None]]:
    yield from files.of_folder(path)
    if files.digest_of(files.of_folder(path)) != digest:
        raise AdvisoriesError("is damaged, or changed while it was read; run again, or fetch it anew")


def _database(found: index.Found, shown: str) -> Database:
    contents = found.contents
    return Database(
        name=shown,
        records=found.records,
        total=contents.total,
        packages=contents.packages,
        newest=contents.newest,
        digest=contents.digest,
        unread=contents.unread,
        broken=contents.broken,
    )
