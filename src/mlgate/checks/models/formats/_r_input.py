"""The three encodings of R's serialization (R Internals, section 1.8): XDR, native binary, text."""

import struct
from typing import BinaryIO, Literal

from mlgate.checks.models.reader import Clock
from mlgate.checks.models.stream import CHUNK, read_at

# R's NA, as an integer and as the length of a string.
NA = -(2**31)
_LONGEST_LINE = 1 << 16
# No number is written longer than this; R reads at most as much.
_WORD = 128
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"r": b"\r", b"f": b"\f", b"a": b"\a"}


class Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The bytes are no serialization; ``at`` says where."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


class Input:
    """A cursor on the bytes; forward only.

    Args:
        stream: The bytes.
        size: How many they are.
        start: Where the values start.
        clock: Of the file.
    """

    def __init__(
        self, stream: BinaryIO, size: int, start: int, clock: Clock, order: Literal["big", "little"] = "big"
    ) -> None:
        self._stream = stream
        self._size = size
        self._clock = clock
        self._order = order
        self._two = struct.Struct(">ii" if order == "big" else "<ii")
        self._buffer = b""
        self._base = start
        self._at = 0

    @property
    def offset(self) -> int:
        """Where the next byte stands."""
        return self._base + self._at

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self._at + count
        if end > len(self._buffer):
            self._clock.check()
            if count > self._size - self.offset:
                raise Malformed("it is cut off", self.offset)
            self._base += self._at
            self._buffer = read_at(self._stream, self._base, min(max(count, CHUNK), self._size - self._base))
            self._at, end = 0, count
            if len(self._buffer) < count:
                raise Malformed("it is cut off", self.offset)
        data = self._buffer[self._at : end]
        self._at = end
        return data

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        if count > self._size - self.offset:
            raise Malformed("it is cut off", self.offset)
        place = self.offset + count
        if place <= self._base + len(self._buffer):
            self._at = place - self._base
        else:
            self._base, self._at, self._buffer = place, 0, b""

    def integer(self) -> int:
        """Return the next 32-bit integer."""
        data = self.take(4)
        return int.from_bytes(data, self._order, signed=True)

    def pair(self) -> tuple[int, int]:
        """Return the next two integers."""
        return self._two.unpack(self.take(8))

    def string(self, size: int) -> bytes:
        """Return text of a length; its first 64 KiB where it is longer."""
        if size <= _LONGEST_LINE:
            return self.take(size)
        kept = self.take(_LONGEST_LINE)
        self.skip(size - len(kept))
        return kept

    def numbers(self, count: int, width: int) -> None:
        """Pass over numbers of some bytes each."""
        self.skip(count * width)


class Text(Input):
    """The text encoding: words between white space, and strings of a stated length."""

    def _word(self) -> bytes:
        while True:
            place = self.offset
            found = self._ahead(_WORD)
            bare = found.lstrip()
            if bare:
                word = bare.split(None, 1)[0]
                # The one white space behind a word goes with it.
                self._at += min(len(found) - len(bare) + len(word) + 1, len(found))
                return word
            if not found:
                raise Malformed("it is cut off", place)
            self._at += len(found)

    def _ahead(self, count: int) -> bytes:
        """Return the next bytes without passing over them; fewer at the end."""
        count = min(count, self._size - self.offset)
        data = self.take(count)
        self._at -= count
        return data

    def integer(self) -> int:
        """Return the next number."""
        place = self.offset
        word = self._word()
        try:
            return NA if word == b"NA" else int(word[:20])
        except ValueError as error:
            raise Malformed("a number is none", place) from error

    def pair(self) -> tuple[int, int]:
        """Return the next two numbers."""
        return self.integer(), self.integer()

    def string(self, size: int) -> bytes:
        """Return text of a length, without its escapes; its first 64 KiB where it is longer."""
        if not size:
            return b""
        while (found := self._ahead(_WORD)) and not found.lstrip():
            self._at += len(found)
        self._at += len(found) - len(found.lstrip())
        if size <= _LONGEST_LINE and b"\\" not in (plain := self._ahead(size)):
            return self.take(size) if len(plain) == size else self.take(size + 1)
        kept = bytearray()
        for _ in range(size):
            byte = self.take(1)
            if byte == b"\\":
                byte = self._escaped()
            if len(kept) < _LONGEST_LINE:
                kept += byte
        return bytes(kept)

    def _escaped(self) -> bytes:
        byte = self.take(1)
        if not b"0" <= byte <= b"7":
            return _ESCAPES.get(byte, byte)
        value = int(byte)
        for _ in range(2):
            following = self._ahead(1)
            if not following or not b"0" <= following <= b"7":
                break
            value = value * 8 + int(self.take(1))
        return bytes([value & 0xFF])

    def numbers(self, count: int, width: int) -> None:
        """Pass over as many words; a complex number has two."""
        if count > self._size - self.offset:
            raise Malformed("it is cut off", self.offset)
        for number in range(count * (2 if width == 16 else 1)):
            if not number & 0xFFF:
                self._clock.check()
            self._word()
