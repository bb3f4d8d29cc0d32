"""Protobuf's wire format, read field by field from a stream: no schema, no recursion, no copies."""

import re
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.reader import Clock
from mlgate.checks.models.stream import read_at

VARINT, FIXED64, BYTES, START, STOP, FIXED32 = range(6)

_AHEAD = 1 << 16
# protobuf itself stops at 100 nested messages.
_DEEPEST_GROUP = 100
# A key and a varint.
_LONGEST = 20


class Malformed(Exception):  # noqa: N818 - an answer, not an error
    """The bytes are no fields, or a field runs past its message's end.

    Attributes:
        offset: Where.
        field: Number of the field that runs past the end, or 0.
        start: Where the payload of that field starts, where it has a length; otherwise 0.
    """

    def __init__(self, offset: int, field: int = 0, start: int = 0) -> None:
        super().__init__(offset)
        self.offset = offset
        self.field = field
        self.start = start


class Field(Struct, frozen=True):
    """One field of a message.

    Attributes:
        number: Its number.
        wire: Its wire type.
        value: Of a varint; otherwise 0.
        start: Where its payload starts in the stream.
        end: Where its payload ends.
    """

    number: int
    wire: int
    value: int
    start: int
    end: int


class Wire:
    """Reads fields out of a stream through one small buffer.

    Args:
        stream: The bytes.
        clock: Of the file.

    Attributes:
        clock: As above.
        buffer: Bytes that were read ahead.
        origin: Offset of the first of them.
    """

    def __init__(self, stream: BinaryIO, clock: Clock) -> None:
        self._stream = stream
        self.clock = clock
        self.buffer = b""
        self.origin = 0
        self._fields = 0

    def fields(self, start: int, end: int, *, wanted: frozenset[int] | None = None) -> Iterator[Field]:
        """Yield the fields of the message between two offsets; what a group holds is skipped.

        Args:
            start: Of the message.
            end: Behind it.
            wanted: Numbers of the fields to yield, if not all: others are skipped where they
                are short and many. A forest of trees has millions.

        Raises:
            Malformed: The bytes are no message.
            LimitReached: The time is up.
        """
        groups = 0
        at = start
        run = None if wanted is None else _run(wanted)
        while at < end:
            self._fields += 1
            if not self._fields & 0xFFF:
                self.clock.check()
            if run is not None:
                first = self._fill(at, min(_LONGEST, end - at))
                numbers = run.match(self.buffer, first, min(len(self.buffer), first + end - at))
                if numbers is not None:
                    at += numbers.end() - first
                    continue
            place = at - self.origin
            data = self.buffer
            if 0 <= place < len(data) - 1 and at + 1 < end and not groups:
                key, short = data[place], data[place + 1]
                if 8 <= key < 0x80 and short < 0x80:
                    # One byte of key and one of length, or of number: nearly all of them.
                    if key & 7 == BYTES and at + 2 + short <= end:
                        yield Field(key >> 3, BYTES, 0, at + 2, at + 2 + short)
                        at += 2 + short
                        continue
                    if key & 7 == VARINT:
                        yield Field(key >> 3, VARINT, short, at + 1, at + 2)
                        at += 2
                        continue
            field = self._field(at, end)
            at = field.end
            if field.wire == START:
                groups += 1
                if groups > _DEEPEST_GROUP:
                    raise Malformed(at)
            elif field.wire == STOP:
                groups -= 1
                if groups < 0:
                    raise Malformed(at)
            elif not groups:
                yield field
        if groups:
            raise Malformed(end)

    def field(self, at: int, end: int) -> Field | None:
        """Return the first field at an offset that no group holds; None where only groups come.

        Raises:
            Malformed: There is none.
            LimitReached: The time is up.
        """
        groups = 0
        while at < end:
            field = self._field(at, end)
            if field.wire == START:
                groups += 1
                if groups > _DEEPEST_GROUP:
                    raise Malformed(field.end)
            elif field.wire == STOP:
                groups -= 1
                if groups < 0:
                    raise Malformed(field.end)
            elif not groups:
                return field
            self._fields += 1
            if not self._fields & 0xFFF:
                self.clock.check()
            at = field.end
        if groups:
            raise Malformed(end)
        return None

    def skip(self, at: int, end: int, wanted: frozenset[int]) -> int:
        """Return where the next field that is ``wanted``, long or rare may be; see :meth:`fields`."""
        first = self._fill(at, min(_LONGEST, end - at))
        found = _run(wanted).match(self.buffer, first, min(len(self.buffer), first + end - at))
        return at if found is None else at + found.end() - first

    def data(self, field: Field, most: int) -> bytes:
        """Return up to ``most`` bytes of a field's payload."""
        size = min(field.end - field.start, most)
        if size > _AHEAD:
            return read_at(self._stream, field.start, size)
        at = self._fill(field.start, size)
        return self.buffer[at : at + size]

    def numbers(self, field: Field) -> Iterator[int]:
        """Yield the varints that are packed in a field's payload, up to the first that is none."""
        at = field.start
        while field.wire == BYTES and at < field.end:
            try:
                value, at = self._varint(at, field.end)
            except Malformed:
                return
            yield value

    def _field(self, at: int, end: int) -> Field:
        key, place = self._varint(at, end)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29 or wire > FIXED32:
            raise Malformed(at)
        value, start = 0, place
        if wire == VARINT:
            value, place = self._varint(place, end)
        elif wire == BYTES:
            length, start = self._varint(place, end)
            place = start + length
        elif wire in (FIXED64, FIXED32):
            place += 8 if wire == FIXED64 else 4
        if place > end:
            raise Malformed(at, number, start if wire == BYTES else 0)
        return Field(number=number, wire=wire, value=value, start=start, end=place)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        first = self._fill(at, min(10, end - at))
        value = 0
        for index in range(min(10, end - at)):
            byte = self.buffer[first + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value & (1 << 64) - 1, at + index + 1
        raise Malformed(at)

    def _fill(self, at: int, size: int) -> int:
        """Have ``size`` bytes at offset ``at`` in the buffer; return where they are in it."""
        first = at - self.origin
        if first < 0 or first + size > len(self.buffer):
            self.buffer = read_at(self._stream, at, max(_AHEAD, size))
            self.origin = at
            if len(self.buffer) < size:
                raise Malformed(at)
            return 0
        return first


@cache
def _run(wanted: frozenset[int]) -> re.Pattern[bytes]:
    """Match fields that are not wanted, one behind the other: numbers, and texts below 64 bytes."""
    keys = {
        wire: bytes(key for key in range(8, 128) if key & 7 == wire and key >> 3 not in wanted)
        for wire in (VARINT, FIXED64, BYTES, FIXED32)
    }
    texts = b"|".join(rb"\x%02x[\s\S]{%d}" % (size, size) for size in range(64))
    payloads = {
        FIXED32: rb"[\s\S]{4}",
        VARINT: rb"[\x80-\xff]{0,9}[\0-\x7f]",
        BYTES: b"(?:" + texts + b")",
        FIXED64: rb"[\s\S]{8}",
    }
    fields = (b"[" + re.escape(keys[wire]) + b"]" + payload for wire, payload in payloads.items())
    return re.compile(b"(?:" + b"|".join(fields) + b")++")
