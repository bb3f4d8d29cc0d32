"""The facts of a database in sqlite, made once and then asked for single packages.

An index belongs to the data whose digest it carries in its name, and its name carries the
digest of the index too: one that is damaged, foreign or of another layout is made again,
never believed. It comes into being by a rename, so runs at the same time do not meet.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from mlgate import __version__
from mlgate.checks.dependencies.advisories import cache
from mlgate.checks.dependencies.advisories.facts import TooLargeError, day, reduce
from mlgate.checks.dependencies.advisories.files import AdvisoriesError, Files, digest
from mlgate.checks.dependencies.advisories.records import BrokenRecordError, Record, decode

_SCHEMA = 1
_KEPT = 4
_SUFFIX = ".sqlite"
_BROKEN_SHOWN = 100
# Records about one package: several times what any has.
_PER_PACKAGE = 3_000
_NAMES = 500_000

_LAYOUT = """
CREATE TABLE about (data BLOB NOT NULL);
CREATE TABLE record (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE name (name TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (name, record)) WITHOUT ROWID;
"""


class Contents(Struct, frozen=True):
    """What a database holds as a whole.

    Attributes:
        layout: Version of the index and of the mlgate that made it.
        digest: SHA-256 of the data.
        total: PyPI records, withdrawn ones included.
        packages: How many packages they are about.
        newest: ISO date of the record that was changed last; "" where none says.
        unread: How many files are no OSV records.
        broken: Names of some of them.
    """

    layout: str
    digest: str
    total: int
    packages: int
    newest: str
    unread: int
    broken: tuple[str, ...]


class Found(Struct, frozen=True):
    """What a database says of some packages.

    Attributes:
        contents: The database as a whole.
        records: By normalised package name, in the order of the database.
    """

    contents: Contents
    records: dict[str, tuple[Record, ...]]


class _UnusableError(Exception):
    """The index is none, or not of this data."""


_LAYOUT_VERSION = f"{_SCHEMA}/{__version__}"
_CONTENTS = msgspec.msgpack.Decoder(Contents)
_RECORD = msgspec.msgpack.Decoder(Record)


def look_up(data: str, files: Callable[[], Files], wanted: Collection[str], folder: Path | None) -> Found:
    """Return what a database says of the wanted packages.

    Args:
        data: SHA-256 of the database.
        files: Opens it, from its start.
        wanted: Normalised package names.
        folder: Where indexes are kept; None keeps none.

    Raises:
        AdvisoriesError: It cannot be read, or holds no record.
    """
    place = None if folder is None else folder / "index"
    if place is not None:
        with contextlib.suppress(_UnusableError):
            return _kept(place, data, wanted)
        with contextlib.suppress(OSError, sqlite3.Error, _UnusableError):
            return _made(place, data, files, wanted)
    # Nowhere to keep it: only what is wanted, and in memory.
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection, data, files(), frozenset(wanted))
        return _ask(connection, data, wanted)


def _kept(place: Path, data: str, wanted: Collection[str]) -> Found:
    """Ask an index that an earlier run made; remove what is damaged."""
    try:
        candidates = sorted(place.glob(f"{data}-*{_SUFFIX}"))
    except OSError as error:
        raise _UnusableError from error
    for path in candidates:
        try:
            with cache.private(path) as stream:
                own = digest(stream)
            if path.name != _name(data, own):
                raise _UnusableError(path.name)  # noqa: TRY301 - the same answer
            found = _open(path, data, wanted)
        except (OSError, sqlite3.Error, _UnusableError):
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        cache.touch(path)
        return found
    raise _UnusableError(data)


def _made(place: Path, data: str, files: Callable[[], Files], wanted: Collection[str]) -> Found:
    place.mkdir(mode=0o700, exist_ok=True)
    with cache.draft(place, _SUFFIX) as draft:
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            _fill(connection, data, files(), None)
        with draft.open("rb") as stream:
            path = place / _name(data, digest(stream))
        draft.replace(path)
    cache.prune(place, _SUFFIX, _KEPT)
    return _open(path, data, wanted)


def _name(data: str, own: str) -> str:
    return f"{data}-{own}{_SUFFIX}"


def _open(path: Path, data: str, wanted: Collection[str]) -> Found:
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        return _ask(connection, data, wanted)


def _fill(connection: sqlite3.Connection, data: str, files: Files, wanted: frozenset[str] | None) -> None:
    """Put the facts of all records, or of the wanted packages' alone, into a new database."""
    connection.executescript(_LAYOUT)
    total, newest, unread = 0, "", 0
    broken: list[str] = []
    names: set[str] = set()
    for shown, raw in files:
        try:
            if raw is None:
                raise BrokenRecordError(shown)  # noqa: TRY301 - the same answer
            record = decode(raw)
            about = record.names
            kept = (
                reduce(record)
                if record.withdrawn is None and (wanted is None or not wanted.isdisjoint(about))
                else None
            )
        except (BrokenRecordError, TooLargeError):
            unread += 1
            if len(broken) < _BROKEN_SHOWN:
                broken.append(shown)
            continue
        if not about:
            continue
        total += 1
        names |= about
        if len(names) > _NAMES:
            raise AdvisoriesError(f"names more than {_NAMES} packages")
        newest = max(newest, day(record.modified))
        if kept is not None:
            connection.execute("INSERT INTO record VALUES (?, ?)", (total, msgspec.msgpack.encode(kept)))
            connection.executemany("INSERT INTO name VALUES (?, ?)", ((name, total) for name in about))
    if not total:
        raise AdvisoriesError("holds no OSV record about a PyPI package (JSON, one record a file)")
    contents = Contents(_LAYOUT_VERSION, data, total, len(names), newest, unread, tuple(broken))
    connection.execute("INSERT INTO about VALUES (?)", (msgspec.msgpack.encode(contents),))
    connection.commit()


def _ask(connection: sqlite3.Connection, data: str, wanted: Collection[str]) -> Found:
    try:
        contents = _CONTENTS.decode(connection.execute("SELECT data FROM about").fetchone()[0])
        if (contents.layout, contents.digest) != (_LAYOUT_VERSION, data):
            raise _UnusableError(contents.layout)
        records: dict[str, tuple[Record, ...]] = {}
        for name in wanted:
            found = tuple(_RECORD.decode(raw) for raw in _rows(connection, name))
            if found:
                records[name] = found
    except (msgspec.DecodeError, TypeError, IndexError, RecursionError) as error:
        raise _UnusableError(str(error)) from error
    return Found(contents, records)


def _rows(connection: sqlite3.Connection, name: str) -> Iterator[bytes]:
    query = (
        "SELECT data FROM name JOIN record ON record.id = name.record WHERE name.name = ? ORDER BY record.id"
    )
    for position, row in enumerate(connection.execute(query, (name,))):
        if position >= _PER_PACKAGE:
            raise AdvisoriesError(f"holds more than {_PER_PACKAGE} records about {name}")
        yield row[0]
