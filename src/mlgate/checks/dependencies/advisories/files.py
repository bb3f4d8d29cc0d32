"""The files of a database, one at a time, whatever a zip or a folder holds.

A zip's sizes are claims: what is read is counted, and a limit ends the reading.
"""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    import zipfile

# Name, and bytes; None where they cannot be read or are too many.
Files: TypeAlias = Iterable[tuple[str, bytes | None]]

_RECORD_BYTES = 4 << 20
_RECORDS = 1_000_000
_TOTAL_BYTES = 4 << 30
# Of a zip's central directory: some 300,000 members.
_DIRECTORY_BYTES = 32 << 20
_CHUNK = 1 << 20


class AdvisoriesError(Exception):
    """The database cannot be used: missing, broken or empty."""


class _Frugal(io.RawIOBase):
    """A stream that does not read more at once than a zip's directory may have."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int | None = -1) -> bytes:
        everything = size is None or size < 0
        wanted = _DIRECTORY_BYTES + 1 if everything else int(size or 0)
        if wanted <= _DIRECTORY_BYTES or everything:
            data = self._stream.read(wanted)
            if len(data) <= _DIRECTORY_BYTES:
                return data
        raise AdvisoriesError(f"has a directory of more than {_DIRECTORY_BYTES} bytes")


def digest(stream: BinaryIO) -> str:
    """Return the SHA-256 of a stream, from its start; it is left at its start."""
    stream.seek(0)
    found = hashlib.sha256()
    while data := stream.read(_CHUNK):
        found.update(data)
    stream.seek(0)
    return found.hexdigest()


def digest_of(files: Files) -> str:
    """Return the SHA-256 over the names and bytes of files, each with its length."""
    found = hashlib.sha256(b"folder")
    for name, data in files:
        for part in (os.fsencode(name), b"" if data is None else data):
            found.update(b"%d:" % len(part))
            found.update(part)
    return found.hexdigest()


def of_zip(stream: BinaryIO, *, strict: bool = False) -> Iterator[tuple[str, bytes | None]]:
    """Yield the ``.json`` members of a zip.

    Args:
        stream: The zip.
        strict: Raise for a damaged member, too.

    Raises:
        AdvisoriesError: It is no zip, or larger than any database.
    """
    import zipfile  # noqa: PLC0415 - an index that was made earlier needs no zip
    import zlib  # noqa: PLC0415 - as above

    damaged = (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    )
    stream.seek(0)
    try:
        # zipfile asks for no more than seek, tell and read.
        with zipfile.ZipFile(_Frugal(stream)) as archive:
            yield from _bounded(_members(archive, damaged, strict=strict))
    except damaged as error:
        raise AdvisoriesError(f"is no readable zip: {error}") from error


def _members(
    archive: "zipfile.ZipFile", damaged: tuple[type[Exception], ...], *, strict: bool
) -> Iterator[tuple[str, bytes | None]]:
    for member in archive.infolist():
        if member.is_dir() or not member.filename.endswith(".json"):
            continue
        try:
            with archive.open(member) as stream:
                data = stream.read(_RECORD_BYTES + 1)
        except damaged as error:
            if strict:
                raise AdvisoriesError(f"holds a damaged member, {member.filename}: {error}") from error
            data = b""
        yield member.filename, data if 0 < len(data) <= _RECORD_BYTES else None


def of_folder(root: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield every ``.json`` file below ``root``, in a stable order; links are not followed.

    Raises:
        AdvisoriesError: It cannot be listed, or is larger than any database.
    """
    try:
        yield from _bounded(_entries(root))
    except OSError as error:
        raise AdvisoriesError(f"cannot be read: {error.strerror or error}") from error


def _entries(root: Path) -> Iterator[tuple[str, bytes | None]]:
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


def _bounded(files: Files) -> Iterator[tuple[str, bytes | None]]:
    total = 0
    for position, (name, data) in enumerate(files):
        # A file that is too large was read all the same.
        total += _RECORD_BYTES if data is None else len(data)
        if position >= _RECORDS or total > _TOTAL_BYTES:
            raise AdvisoriesError(f"holds more than {_RECORDS} files or {_TOTAL_BYTES >> 30} GiB of records")
        yield name, data
