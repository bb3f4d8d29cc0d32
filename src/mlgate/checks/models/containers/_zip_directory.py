"""Zip records, as PKWARE's APPNOTE 6.3 lays them out: both headers of every entry.

Loaders differ in which record they trust, so none is trusted here: each is read, and
the reader beside this module says where they disagree.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, cast

from msgspec import Struct

from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.checks.models.stream import chunks, read_at, window
from mlgate.core.limits import Limits

LOCAL = b"PK\x03\x04"
END = b"PK\x05\x06"
_CENTRAL = b"PK\x01\x02"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"

ENCRYPTED = 0x0001
# Sizes and checksum follow the data; the local header holds zeros.
DEFERRED = 0x0008
UTF8 = 0x0800
# Patched data, strong encryption, a hidden directory: readers refuse or ignore these.
STRANGE = 0x2060
# What APPNOTE 6.3 goes up to; Python's reader refuses more, and others do not look.
NEWEST = 63

_END_SIZE = 22
_LONGEST_COMMENT = 65535
# The reader inside PyTorch looks for the end record in blocks, and so a little further back.
_BLOCK = 4096
_SATURATED = 0xFFFFFFFF


class Header(Struct, frozen=True):
    """One header of an entry, local or central.

    Attributes:
        name: As stored.
        flags: General purpose bits.
        method: Compression method.
        crc: CRC-32 of the content.
        packed: Bytes of the data.
        size: Bytes of the content.
        offset: Where the local header stands in the file.
        data: Where the data starts; -1 in a central header.
        mode: Unix mode from the external attributes, or 0.
        needs: Version of the format that is needed to read it, times ten.
        other: Name from the Unicode Path extra field, or empty.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    data: int = -1
    mode: int = 0
    needs: int = 0
    other: bytes = b""


class Directory(Struct, frozen=True):
    """A central directory that some loader would use.

    Attributes:
        start: Where it starts in the file.
        end: Where its end record starts.
        base: What is added to the offsets that it stores.
        count: Entries that its end record declares.
        tail: Offset behind the end record and its comment.
    """

    start: int
    end: int
    base: int
    count: int
    tail: int


def directories(stream: BinaryIO, size: int) -> list[Directory]:
    """Return every central directory that an end record leads to, the usual one first.

    Python's zipfile takes the last end record, and reckons back from it by the
    directory's size; C readers go to the stored offset. Both readings are returned
    where they differ and both lead to a directory.
    """
    first = max(0, size - _END_SIZE - _LONGEST_COMMENT - _BLOCK)
    tail = read_at(stream, first, size - first)
    found: list[Directory] = []
    at = len(tail)
    while (at := tail.rfind(END, 0, at)) >= 0 and len(found) < 16:
        if at + _END_SIZE <= len(tail):
            for each in _from_end(stream, size, first + at, tail[at : at + _END_SIZE]):
                if all(each.start != known.start for known in found):
                    found.append(each)
        # The next search ends before this signature's last byte.
        at += len(END) - 1
    return found


def _from_end(stream: BinaryIO, size: int, at: int, record: bytes) -> Iterator[Directory]:
    count, length, offset, comment = struct.unpack("<10xHIIH", record)
    wide = _from_locator(stream, at)
    # Whoever reckons back starts from the wide record, where there is one: from the short one he
    # would land within the directory, and on an entry if the first is as long as the wide records.
    readings = [*wide, (wide[0][0] if wide else at, length, offset, count)]
    for end, length_, offset_, count_ in readings:
        for start in (end - length_, offset_):
            if 0 <= start <= end and (
                read_at(stream, start, 4) == _CENTRAL or (count_ == 0 and start == end and not wide)
            ):
                tail = min(at + _END_SIZE + comment, size)
                yield Directory(start=start, end=at, base=start - offset_, count=count_, tail=tail)


def _from_locator(stream: BinaryIO, at: int) -> list[tuple[int, int, int, int]]:
    """Return the zip64 end records that a reader would take: Python's stands before the locator."""
    if at < 20:
        return []
    locator = read_at(stream, at - 20, 20)
    if not locator.startswith(_LOCATOR64):
        return []
    stored = struct.unpack("<8xQ4x", locator)[0]
    found = []
    for place in dict.fromkeys((at - 20 - 56, stored)):
        if not 0 <= place <= at - 20 - 56:
            continue
        record = read_at(stream, place, 56)
        if record.startswith(_END64) and len(record) == 56:
            count, length, offset = struct.unpack("<32xQQQ", record)
            found.append((place, length, offset, count))
    return found


def central(
    stream: BinaryIO, size: int, directory: Directory, limits: Limits, clock: Clock
) -> Iterator[Header]:
    """Yield the entries of a directory, up to the first record that is none."""
    source = io.BufferedReader(
        cast("io.RawIOBase", window(stream, directory.start, size - directory.start)), 1 << 16
    )
    number = 0
    while True:
        record = source.read(46)
        if len(record) < 46 or not record.startswith(_CENTRAL):
            return
        number += 1
        clock.check()
        if number > limits.members:
            raise LimitReached("members")
        (system, needs, flags, method, crc, packed, length, names, extras, comments, external, offset) = (
            struct.unpack("<5xBBxHH4xIIIHHH4xII", record)
        )
        name = source.read(names)
        extra = source.read(extras)
        source.read(comments)
        length, packed, offset = _widen(extra, (length, packed, offset))
        yield Header(
            name=name,
            flags=flags,
            method=method,
            crc=crc,
            packed=packed,
            size=length,
            offset=offset + directory.base,
            mode=external >> 16 if system in (3, 19) else 0,
            needs=needs,
            other=_unicode(extra),
        )


def local(stream: BinaryIO, size: int, offset: int) -> Header | None:
    """Return the local header at ``offset``, or None where there is none."""
    if not 0 <= offset <= size - 30:
        return None
    record = read_at(stream, offset, 30)
    if not record.startswith(LOCAL):
        return None
    flags, method, crc, packed, length, names, extras = struct.unpack("<6xHH4xIIIHH", record)
    rest = read_at(stream, offset + 30, names + extras)
    length, packed = _widen(rest[names:], (length, packed))
    return Header(
        name=rest[:names],
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=length,
        offset=offset,
        data=offset + 30 + names + extras,
        other=_unicode(rest[names:]),
    )


def signature(stream: BinaryIO, start: int, end: int) -> int | None:
    """Return where the next local header's signature stands in a range, or None."""
    kept = b""
    place = start
    for piece in chunks(stream, start, end - start):
        data = kept + piece
        found = data.find(LOCAL)
        if found >= 0:
            return place - len(kept) + found
        place += len(piece)
        kept = data[-3:]
    return None


def _widen(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...]:
    """Replace saturated 32-bit values by those of the zip64 extra field."""
    for kind, field in _fields(extra):
        if kind == 1:
            wide = field
            result = []
            for value in values:
                if value == _SATURATED and len(wide) >= 8:
                    value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901 - its wide form
                result.append(value)
            return tuple(result)
    return values


def _unicode(extra: bytes) -> bytes:
    """Return the name that the Unicode Path extra field gives, or nothing (APPNOTE 4.6.9)."""
    for kind, field in _fields(extra):
        if kind == 0x7075 and field[:1] == b"\1":
            return field[5:]
    return b""


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length
