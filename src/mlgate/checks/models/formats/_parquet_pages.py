"""The first bytes of Parquet's pages, where a column of bytes holds whatever a program put there.

Pages stand one behind the other, each with a header of its own; how they are packed is told by their
first bytes. Source: https://parquet.apache.org/docs/file-format/data-pages/ and, for Snappy,
https://github.com/google/snappy/blob/main/format_description.txt
"""

import zlib
from collections.abc import Iterator

from mlgate.checks.models.formats._thrift import Malformed, Reader
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import read_at

# Pages of a file that are looked at, from its start, and what is unpacked of each.
_MOST_PAGES = 32
_SHOWN = 64 << 10
_HEADER = 4096
_FIRST = 4
_TYPE, _UNPACKED, _PACKED = 1, 2, 3
_TYPES = frozenset((0, 2, 3))
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"


def pages(blob: Blob, end: int, clock: Clock) -> Iterator[tuple[int, bytes]]:
    """Yield offset and first bytes of each page that can be unpacked.

    Args:
        blob: The file.
        end: Where its footer starts.
        clock: Of the file.
    """
    at = _FIRST
    for _ in range(_MOST_PAGES):
        clock.check()
        head = read_at(blob.stream, at, min(_HEADER, max(end - at, 0)))
        try:
            numbers, size = Reader(head, clock).numbers()
        except (Malformed, LimitReached):
            return
        packed, whole = numbers.get(_PACKED, -1), numbers.get(_UNPACKED, -1)
        if numbers.get(_TYPE) not in _TYPES or packed < 0 or whole < 0 or at + size + packed > end:
            return
        for data in unpacked(read_at(blob.stream, at + size, min(packed, 2 * _SHOWN)), packed, whole):
            if data:
                yield at, data
        at += size + packed


def unpacked(data: bytes, packed: int, whole: int) -> Iterator[bytes]:
    """Yield the start of a page as it was before it was packed; nothing where that is not known."""
    if data.startswith(_GZIP):
        try:
            yield zlib.decompressobj(47).decompress(data, _SHOWN)
        except zlib.error:
            return
    elif not data.startswith(_ZSTD):
        if packed == whole:
            yield data[:_SHOWN]
        # What is packed may be as long as it was.
        yield snappy(data, whole, _SHOWN)


def snappy(data: bytes, whole: int, most: int) -> bytes:
    """Return at most about ``most`` bytes of what Snappy packed, up to what is malformed.

    Args:
        data: Packed, perhaps cut off.
        whole: Bytes that it unpacks to; where it says another number it is no Snappy.
        most: See above.
    """
    length = shift = at = 0
    while at < min(len(data), 5):
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if length != whole:
        return b""
    out = bytearray()
    while at < len(data) and len(out) < most:
        tag = data[at]
        at += 1
        kind = tag & 3
        if kind == 0:
            size = (tag >> 2) + 1
            if size > 60:
                width = size - 60
                size = int.from_bytes(data[at : at + width], "little") + 1
                at += width
            out += data[at : at + min(size, most)]
            at += size
            continue
        if kind == 1:
            size, width = ((tag >> 2) & 7) + 4, 1
        else:
            size, width = (tag >> 2) + 1, 2 if kind == 2 else 4
        back = int.from_bytes(data[at : at + width], "little") | ((tag >> 5) << 8 if kind == 1 else 0)
        at += width
        if not 0 < back <= len(out):
            break
        start = len(out) - back
        piece = bytes(out[start : start + size])
        # What overlaps repeats.
        out += (piece * (size // len(piece) + 1))[:size]
    return bytes(out)
