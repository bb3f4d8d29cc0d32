"""OSV's export of every advisory about PyPI packages: fetched, verified, and kept for a day."""

import contextlib
import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mlgate.checks.dependencies.advisories import cache, files
from mlgate.checks.dependencies.advisories.download import Patience, UnavailableError, download
from mlgate.checks.dependencies.advisories.files import AdvisoriesError

# https://google.github.io/osv.dev/data/#data-dumps
ADDRESS = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
# For mirrors. The environment alone may say so, never a file of what is judged.
VARIABLE = "MLGATE_OSV_URL"
_FRESH = dt.timedelta(hours=24)
_SKEW = dt.timedelta(minutes=5)
_KEPT = 2
_STATE_BYTES = 10_000


class Export(Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the export.

    Attributes:
        url: Where it came from.
        sha256: Digest of its bytes.
        fetched: When it was fetched.
        confirmed: When the service last said that it is the current one.
        etag: The service's name for this version, or "".
        modified: When the service says that it was made, or "".
    """

    url: str
    sha256: str
    fetched: dt.datetime
    confirmed: dt.datetime
    etag: str = ""
    modified: str = ""


def address() -> str:
    """Return the export's address: OSV's, or a mirror's."""
    return os.environ.get(VARIABLE) or ADDRESS


def cached(url: str, folder: Path | None) -> Export | None:
    """Return what is known of the version that is held; None where none is."""
    if folder is None:
        return None
    try:
        with cache.private(_state(folder, url)) as stream:
            found = msgspec.json.decode(stream.read(_STATE_BYTES), type=Export)
        with open_zip(folder, found):
            pass
    except (OSError, msgspec.DecodeError):
        return None
    dated = found.confirmed.tzinfo is not None and found.fetched.tzinfo is not None
    return found if found.url == url and _is_digest(found.sha256) and dated else None


def open_zip(folder: Path, export: Export) -> BinaryIO:
    """Open the bytes that are held; whoever reads them compares their digest.

    Raises:
        OSError: They are not there, or are somebody else's.
    """
    if not _is_digest(export.sha256):
        raise FileNotFoundError(export.sha256)
    return cache.private(folder / "export" / f"{export.sha256}.zip")


def is_fresh(export: Export, now: dt.datetime) -> bool:
    """Say whether a version may be used without asking for a newer one."""
    return -_SKEW <= now - export.confirmed < _FRESH


@contextlib.contextmanager
def fetched(
    url: str, folder: Path | None, held: Export | None, now: dt.datetime, patience: Patience | None = None
) -> Iterator[tuple[Export, BinaryIO]]:
    """Ask the service, and give the current version and its bytes.

    Args:
        url: Its address.
        folder: The cache folder; None keeps nothing.
        held: The version that need not be sent again.
        now: The time.
        patience: Limits of the download.

    Raises:
        UnavailableError: The service does not answer, or not with the whole export.
    """
    import tempfile  # noqa: PLC0415 - start-up time

    with tempfile.TemporaryFile() as fresh:
        answer = download(url, fresh, held.etag if held else "", patience)
        if not answer.changed and held is not None and folder is not None:
            export = replace(held, confirmed=now)
            _remember(folder, export)
            with open_zip(folder, export) as stream:
                yield export, stream
            return
        try:
            _complete(fresh)
        except AdvisoriesError as error:
            raise UnavailableError(f"what it sent {error}") from error
        export = Export(url, files.digest(fresh), now, now, answer.etag, answer.modified)
        if folder is not None:
            with contextlib.suppress(OSError):
                _keep(folder, export, fresh)
        yield export, fresh


def _complete(stream: BinaryIO) -> None:
    """Read every member to its end, which holds each against its CRC."""
    if not sum(1 for _ in files.of_zip(stream, strict=True)):
        raise AdvisoriesError("holds no record")


def _keep(folder: Path, export: Export, stream: BinaryIO) -> None:
    place = folder / "export"
    place.mkdir(mode=0o700, exist_ok=True)
    with cache.draft(place, ".zip") as draft:
        with draft.open("wb") as copy:
            stream.seek(0)
            while data := stream.read(1 << 20):
                copy.write(data)
        draft.replace(place / f"{export.sha256}.zip")
    _remember(folder, export)
    cache.prune(place, ".zip", _KEPT)


def _remember(folder: Path, export: Export) -> None:
    with contextlib.suppress(OSError):
        cache.write(_state(folder, export.url), msgspec.json.encode(export))


def forget(folder: Path, export: Export) -> None:
    """Drop a version whose bytes turned out to be damaged."""
    with contextlib.suppress(OSError):
        _state(folder, export.url).unlink(missing_ok=True)
        (folder / "export" / f"{export.sha256}.zip").unlink(missing_ok=True)


def _state(folder: Path, url: str) -> Path:
    return folder / "export" / f"{hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
