"""Streams for members: windows on the parent's bytes, and the blobs made of them."""

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from mlgate.checks.models.reader import HEAD, Blob
from mlgate.core.facts import Location

CHUNK = 1 << 20


class Window(io.RawIOBase):
    """A read-only part of a seekable stream; nothing is copied.

    Several windows may share one parent: each read seeks first.

    Args:
        parent: The stream that holds the bytes.
        start: Offset of the window's first byte in the parent.
        size: Bytes in the window.
    """

    def __init__(self, parent: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self.parent: BinaryIO = parent
        self.start: int = start
        self.size: int = size
        self._position = 0
        # A window on a window reads from the stream below: nesting costs nothing.
        if isinstance(parent, Window):
            self.size = max(min(size, parent.size - start), 0)
            self.start = start + parent.start
            self.parent = parent.parent

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, also past the end; a position before the start is an error."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Read up to ``size`` bytes, or to the end."""
        left = max(self.size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        self.parent.seek(self.start + self._position)
        data = self.parent.read(wanted)
        self._position += len(data)
        return data

    def readinto(self, buffer: "bytearray | memoryview[int]") -> int:  # type: ignore[override]
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def window(parent: BinaryIO, start: int, size: int) -> BinaryIO:
    """Return a part of a stream as a stream."""
    return cast("BinaryIO", Window(parent, start, size))


def read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    """Read up to ``size`` bytes at ``offset``; shorter only at the end."""
    stream.seek(offset)
    data = stream.read(size)
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data


def chunks(stream: BinaryIO, start: int, size: int, first: int = CHUNK) -> Iterator[bytes]:
    """Yield the bytes of a range, at most :data:`CHUNK` at a time.

    Args:
        stream: The bytes.
        start: Of the range.
        size: Of the range.
        first: Bytes of the first piece; each is twice as long as the one before.
    """
    end = start + size
    while start < end:
        data = read_at(stream, start, min(first, end - start))
        if not data:
            return
        start += len(data)
        first = min(2 * first, CHUNK)
        yield data


def member(
    parent: Blob,
    name: str,
    stream: BinaryIO,
    size: int,
    *,
    container: str,
    tentative: bool = False,
) -> Blob:
    """Make the blob of one member of a container.

    Args:
        parent: The container.
        name: The member's path inside it, as stored.
        stream: Its bytes.
        size: How many they are.
        container: Format of the container.
        tentative: See :class:`Blob`.
    """
    shown = printable(name)
    path = shown if parent.location.member is None else f"{parent.location.member}!/{shown}"
    return Blob(
        location=Location(path=parent.location.path, member=path),
        stream=stream,
        size=size,
        head=read_at(stream, 0, min(HEAD, size)),
        name=shown.replace("\\", "/").rstrip("/").rpartition("/")[2].lower(),
        depth=parent.depth + 1,
        container=container,
        tentative=tentative or parent.tentative,
    )


def printable(text: str, most: int = 500) -> str:
    """Escape what could act on a terminal or a page, and cut what is too long."""
    shown = text if len(text) <= most else text[:most] + "..."
    return shown if shown.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
