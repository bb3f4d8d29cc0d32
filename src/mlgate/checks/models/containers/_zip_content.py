"""The content of one zip entry: a window where it is stored, a bounded spool where it is packed."""

import bz2
import lzma
import zlib
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.containers._compressed import MEMORY
from mlgate.checks.models.containers._zip_directory import Header
from mlgate.checks.models.containers._zstd import Missing, decompressor
from mlgate.checks.models.inflate import Step, deflated, inflate, other
from mlgate.checks.models.reader import Clock
from mlgate.checks.models.stream import chunks, read_at, window
from mlgate.core.limits import Limits

STORED = 0
# A stored member's checksum is only worth reading it for where it is small.
_SMALL = 1 << 20
# The dictionary of a raw LZMA stream is allocated as the stream asks.
_MOST_DICTIONARY = 64 << 20


class Content(Struct, frozen=True):
    """The bytes of an entry, as far as they could be had.

    Attributes:
        stream: The bytes.
        size: How many.
        end: Offset in the archive behind the data that was used.
        crc: Of the bytes, where it was computed.
        problem: None, ``bomb``, ``truncated`` or ``damaged``.
    """

    stream: BinaryIO
    size: int
    end: int
    crc: int | None = None
    problem: str | None = None


class UnsupportedMethod(Exception):  # noqa: N818 - the archive's fault, not ours
    """The entry is packed by a method that no reader here knows."""


def content(  # noqa: PLR0917 - the archive, one reading of an entry, and what it may cost
    stream: BinaryIO, limit: int, entry: Header, method: int, packed: int, limits: Limits, clock: Clock
) -> Content:
    """Return what one reading of an entry yields.

    Args:
        stream: The archive.
        limit: Its size.
        entry: The local header, for where the data starts.
        method: Compression method to assume.
        packed: Bytes of data to assume.
        limits: Of the policy.
        clock: Of the file.

    Raises:
        UnsupportedMethod: For ``method``.
        LimitReached: The content is too large.
    """
    # Without an entry behind it, a deferred size comes out below zero.
    available = max(min(packed, limit - entry.data), 0)
    if method == STORED:
        crc = zlib.crc32(read_at(stream, entry.data, available)) if available <= _SMALL else None
        return Content(
            stream=window(stream, entry.data, available),
            size=available,
            end=entry.data + available,
            crc=crc,
            problem="truncated" if available < packed else None,
        )
    return _unpack(stream, entry, method, available, limits, clock)


def _unpack(  # noqa: PLR0917 - as above
    stream: BinaryIO, entry: Header, method: int, available: int, limits: Limits, clock: Clock
) -> Content:
    start = entry.data
    if method == 8:
        step = deflated(-15)
    elif method == 12:
        step = other(bz2.BZ2Decompressor())
    elif method == 14:
        start, step = _lzma(stream, start)
    elif method == 95:
        step = other(lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY))
    elif method == 93:
        try:
            step = decompressor()
        except Missing as error:
            raise UnsupportedMethod(method) from error
    else:
        raise UnsupportedMethod(method)
    crc = 0

    def watch(data: bytes) -> None:
        nonlocal crc
        crc = zlib.crc32(data, crc)

    out = inflate(chunks(stream, start, entry.data + available - start), step, limits, clock, watch)
    problem = None
    if out.bomb:
        problem = "bomb"
    elif out.error is not None:
        problem = "damaged"
    elif not out.complete and method != 14:
        problem = "truncated"
    return Content(stream=out.stream, size=out.size, end=start + out.consumed, crc=crc, problem=problem)


def _lzma(stream: BinaryIO, start: int) -> tuple[int, Step]:
    """Read the properties that stand before LZMA data (APPNOTE 5.8.8)."""
    header = read_at(stream, start, 9)
    if len(header) < 9 or header[2:4] != b"\x05\x00" or header[4] >= 225:
        raise UnsupportedMethod(14)
    dictionary = int.from_bytes(header[5:9], "little")
    if dictionary > _MOST_DICTIONARY:
        raise UnsupportedMethod(14)
    packed = header[4]
    settings = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4096),
        "lc": packed % 9,
        "lp": packed // 9 % 5,
        "pb": packed // 45,
    }
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
    except (lzma.LZMAError, ValueError) as error:
        raise UnsupportedMethod(14) from error
    return start + 9, other(engine)
