"""HDF5's filters: which ones a data set was written with, and the undoing of the usual ones."""

import zlib
from collections.abc import Sequence

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_header import opened
from mlgate.checks.models.formats._hdf5_heap import Place
from mlgate.checks.models.formats._hdf5_source import Source

# Filters with a larger number are libraries that HDF5 loads when it meets them.
REGISTERED = 256

_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3
_MOST_PACKED = 4 << 20
_MOST = 16 << 20


class Filter(Struct, frozen=True):
    """One step of a pipeline.

    Attributes:
        number: What it is.
        name: As written, or made up from the number.
        first: The first of its settings, or 0.
    """

    number: int
    name: str
    first: int


def pipeline(source: Source, message: Place) -> list[Filter]:
    """Read the filters of a data set, in the order in which it was written with them.

    Raises:
        Broken: The message cannot be read.
    """
    cursor = opened(source, message)
    version, number = cursor.number(1), cursor.number(1)
    old = version == 1
    cursor.take(6 if old else 0)
    found = []
    for _ in range(number):
        identity = cursor.number(2)
        length = cursor.number(2) if old or identity >= REGISTERED else 0
        cursor.take(2)
        values = cursor.number(2)
        name = cursor.take(-(-length // 8) * 8 if old else length).partition(b"\0")[0]
        settings = cursor.take(4 * values)
        cursor.take(4 if old and values & 1 else 0)
        found.append(
            Filter(
                number=identity,
                name=name.decode("ascii", "backslashreplace") or f"filter {identity}",
                first=int.from_bytes(settings[:4], "little"),
            )
        )
    return found


def unpacked(
    source: Source, place: Place, mask: int, filters: Sequence[Filter], most: int = _MOST
) -> bytes | None:
    """Return a chunk as it was before its filters, or None where that cannot be done here.

    Args:
        source: The file.
        place: Of the chunk.
        mask: A bit for each filter that this chunk was written without.
        filters: Of the data set.
        most: Bytes to unpack; of values of one byte each, fewer are the first of them.

    Raises:
        Broken: It is not all in the file.
    """
    if place.size > _MOST_PACKED:
        return None
    data = source.read(place.address, place.size)
    for index in reversed(range(len(filters))):
        step = filters[index]
        if mask >> index & 1:
            continue
        if step.number == _CHECKSUM:
            data = data[:-4]
        elif step.number == _SHUFFLE:
            data = _unshuffled(data, step.first)
        elif step.number == _DEFLATE:
            engine = zlib.decompressobj()
            try:
                data = engine.decompress(data, most)
            except zlib.error:
                return None
            source.spend(len(data))
            if not engine.eof and most == _MOST:
                return None
        else:
            return None
    return data


def _unshuffled(data: bytes, size: int) -> bytes:
    """Put the bytes of values side by side again that stood with their likes."""
    count = len(data) // size if size else 0
    if size < 2 or count < 2:
        return data
    out = bytearray(data)
    for at in range(size):
        out[at : count * size : size] = data[at * count : (at + 1) * count]
    return bytes(out)
