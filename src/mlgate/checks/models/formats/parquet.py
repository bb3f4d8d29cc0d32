"""Parquet: the metadata in the footer, and of the data the start of its first pages."""

import binascii
import io
import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.formats._parquet_pages import pages
from mlgate.checks.models.formats._thrift import Malformed, Reader
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, printable, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "parquet"
KIND = "container"
ORDER = 15

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
# Fields of FileMetaData and KeyValue in parquet.thrift.
_KEY_VALUES, _KEY, _VALUE = 5, 1, 2
_SCHEMA = b"ARROW:schema"
# Held in memory at once.
_MOST = 32 << 20
# Pickles of a page that are read to their end, and what of the others is.
_MOST_WHOLE, _START = 64, 256
_PICKLE = tuple(b"\x80%c" % version for version in range(2, 6))
# What a pickle of the old protocols begins with; it ends with a full stop.
_OLD = (b"c", b"(", b"]", b"}", b")", b"i")


def sniff(blob: Blob) -> bool:
    """Look for the magic at either end: readers go by the last four bytes."""
    if blob.head.startswith((_MAGIC, _ENCRYPTED)):
        return True
    return (
        blob.size >= 12
        and not blob.tentative
        and read_at(blob.stream, blob.size - 4, 4) in (_MAGIC, _ENCRYPTED)
    )


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the schema of Arrow that the footer holds, and metadata that is a pickle.

    Raises:
        Declined: There is no footer.
        LimitReached: The footer is too large, or the time is up.
    """
    sure = blob.head.startswith((_MAGIC, _ENCRYPTED))
    end = read_at(blob.stream, max(blob.size - 8, 0), 8)
    size = int.from_bytes(end[:4], "little")
    if end[4:] == _ENCRYPTED:
        yield blob.not_checked("encrypted", "the footer is encrypted; a gate cannot look into it")
        return
    if end[4:] != _MAGIC or not 0 < size <= blob.size - 8:
        if not sure:
            raise Declined
        yield blob.not_checked("truncated", "the Parquet file has no footer; fetch it again")
        return
    if size > min(limits.header_bytes, _MOST):
        raise LimitReached("header_bytes")
    place = blob.size - 8 - size
    for at, page in pages(blob, place, clock):
        whole = io.BytesIO(page)
        for number, found in enumerate(_pickles().finditer(page)):
            clock.spend("members", 1, limits.members)
            # Of many, each says by its start what it is.
            length = len(page) - found.start()
            length = length if number < _MOST_WHOLE else min(length, _START)
            name = f"page at {at}, byte {found.start()}"
            behind = window(whole, found.start(), length)
            yield member(blob, name, behind, length, container=FORMAT, tentative=True)
    data = read_at(blob.stream, place, size)
    key = b""
    try:
        for path, start, stop in Reader(data, clock).texts(3):
            if len(path) != 3 or path[0] != _KEY_VALUES:
                continue
            if path[2] == _KEY:
                key = data[start:stop]
            elif path[2] == _VALUE:
                yield from _value(blob, key, data[start:stop], place + start)
    except Malformed as error:
        if not sure:
            raise Declined from error
        yield blob.not_checked(
            "malformed", f"the footer cannot be followed: {error}; fetch the file again", offset=place
        )


def _value(blob: Blob, key: bytes, value: bytes, offset: int) -> Iterator[Fact | NotChecked | Blob]:
    name = printable(key[:100].decode("utf-8", "backslashreplace"))
    if key == _SCHEMA:
        bare = value.rstrip(b"=")
        try:
            decoded = binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))
        except binascii.Error:
            yield blob.not_checked(
                "malformed", "the schema in the footer is no base64; write the file again", offset=offset
            )
            return
        yield member(blob, name, io.BytesIO(decoded), len(decoded), container=FORMAT)
    elif value.startswith(_PICKLE) or (value.startswith(_OLD) and value.endswith(b".")):
        yield member(blob, name, io.BytesIO(value), len(value), container=FORMAT, tentative=True)


@cache
def _pickles() -> re.Pattern[bytes]:
    # A protocol header, and an opcode that comes first in what does something.
    return re.compile(rb"\x80[\x02-\x05](?=[\x95c\x8c(\]})X\x88])")
