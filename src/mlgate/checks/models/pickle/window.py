"""Read a seekable stream through a small window, and show a part of one as a stream."""

import io
from typing import Any, BinaryIO

WINDOW = 128 * 1024
# No opcode's fixed part or short string reaches further than this.
MARGIN = 512


class Window:
    """Bytes of a stream around a moving position.

    Attributes:
        size: Bytes in the stream.
        cuts: Offsets at which bytes were left out.
    """

    cuts: tuple[int, ...] = ()

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size

    def load(self, offset: int, length: int = WINDOW) -> tuple[bytes, int]:
        """Return bytes from ``offset`` on, padded, and how many may be used before the next load.

        At the stream's end that is every byte that there is; elsewhere the last
        :data:`MARGIN` bytes are held back, so that no opcode is cut in two.
        """
        data = self.read(offset, length)
        if offset + len(data) >= self.size or len(data) < length:
            return data + bytes(MARGIN), len(data)
        return data, len(data) - MARGIN

    def read(self, offset: int, length: int) -> bytes:
        """Return at most ``length`` bytes from ``offset`` on."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        self._stream.seek(offset)
        data = self._stream.read(length)
        while 0 < len(data) < length:
            more = self._stream.read(length - len(data))
            if not more:
                break
            data += more
        return data

    def line(self, offset: int, longest: int) -> tuple[bytes | None, int]:
        """Return the line at ``offset`` as C's unpickler takes it, and the offset after it.

        The unpickler drops a line's last byte, whether or not it is a newline: at the end
        of the file it takes ``system?`` for ``system``. A line longer than ``longest`` is
        skipped and None stands for it.
        """
        kept = b""
        position = offset
        while position < self.size:
            data = self.read(position, WINDOW)
            if not data:
                break
            found = data.find(b"\n")
            part = data if found < 0 else data[: found + 1]
            position += len(part)
            if len(kept) <= longest:
                kept += part
            if found >= 0:
                break
        if len(kept) > longest + 1:
            return None, position
        return kept[:-1], position

    def part(self, offset: int, size: int) -> BinaryIO:
        """Show ``size`` bytes from ``offset`` on as a stream of their own."""
        return io.BufferedReader(_Part(self._stream, offset, size))


class Spliced(Window):
    """The bytes of a window without those between two offsets."""

    def __init__(self, window: Window, start: int, end: int) -> None:
        self._window, self._start, self._gap = window, start, end - start
        self.size = window.size - self._gap
        self.cuts = (*window.cuts, start)

    def read(self, offset: int, length: int) -> bytes:
        """Return at most ``length`` bytes from ``offset`` on."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        before = b""
        if offset < self._start:
            before = self._window.read(offset, min(length, self._start - offset))
            offset += len(before)
            length -= len(before)
        return before + self._window.read(offset + self._gap, length) if length else before


class _Part(io.RawIOBase):
    def __init__(self, stream: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._stream, self._offset, self._size, self._position = stream, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        wanted = min(len(buffer), max(self._size - self._position, 0))
        self._stream.seek(self._offset + self._position)
        data = self._stream.read(wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
