"""Which of HDF5's values could be a configuration or a pickle, and where they are."""

import base64
import binascii
from collections.abc import Iterator

from mlgate.checks.models.formats import _hdf5_header as header
from mlgate.checks.models.formats._hdf5_attributes import Attribute, Attributes
from mlgate.checks.models.formats._hdf5_filters import Filter, pipeline, unpacked
from mlgate.checks.models.formats._hdf5_heap import Place
from mlgate.checks.models.formats._hdf5_source import Source
from mlgate.checks.models.formats._hdf5_tree import chunks
from mlgate.checks.models.formats._hdf5_types import INTEGER, OPAQUE, SEQUENCE, STRING, Type, count, datatype

# Values up to this size are looked through before a reader is asked; longer ones go to it at once.
_LOOKED = 1 << 16
_FEWEST = 4
_FEWEST_ENCODED = 16
# Data sets of texts: more are labels.
_MOST_SEQUENCES = 64
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)
_PICKLED = b"object"
# Of a data set in chunks that begins like a pickle.
_MOST_JOINED = 64 << 20
_HEAD = 16


def telling(source: Source, value: Place) -> str | None:
    """Say what a value could be: ``json``, ``bytes``, ``base64``, or None for a line of plain text.

    Raises:
        Broken: It is not all in the file.
    """
    if value.size < _FEWEST:
        return None
    data = source.read(value.address, min(value.size, _LOOKED))
    if data.lstrip()[:1] in (b"{", b"["):
        return "json"
    # A pickle that does something has a control character or a line's end.
    if value.size > _LOOKED or data.translate(None, _LINE):
        return "bytes"
    return None if value.size < _FEWEST_ENCODED or data.translate(None, _BASE64) else "base64"


def decoded(source: Source, value: Place) -> bytes | None:
    """Return what a text of base64 stands for, or None where that can be no pickle.

    Raises:
        Broken: It is not all in the file.
    """
    try:
        data = base64.b64decode(source.read(value.address, value.size).rstrip(b"\0"))
    except (ValueError, binascii.Error):
        return None
    return data if data[:1] == b"\x80" or b"\n" in data else None


def contents(source: Source, value: Place) -> Place:
    """Return a text without what stands behind its end: readers stop at a NUL.

    Raises:
        Broken: It is not all in the file.
    """
    done = 0
    while done < value.size:
        piece = source.read(value.address + done, min(_LOOKED, value.size - done))
        end = piece.find(b"\0")
        if end >= 0:
            return Place(value.address, done + end)
        done += len(piece)
    return value


_LINE = bytes([0, *range(32, 127)])
_BASE64 = b"\0ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


class Dataset:
    """What is known of one data set, or of an object that may be one.

    Attributes:
        layout: Its layout message.
        filters: Its filters' message.
        pickled: True where its writer (PyTables) says that its values are pickles.
        unread: True where there are pickles that could not be found.
    """

    def __init__(self) -> None:
        self.layout: Place | None = None
        self.filters: Place | None = None
        self.pickled = False
        self.unread = False
        self._type: Place | None = None
        self._space: Place | None = None

    def note(self, kind: int, at: Place) -> None:
        """Keep a message."""
        if kind == header.LAYOUT:
            self.layout = at
        elif kind == header.FILTERS:
            self.filters = at
        elif kind == header.TYPE:
            self._type = at
        elif kind == header.SPACE:
            self._space = at

    def mark(self, attribute: Attribute, source: Source) -> None:
        """Take note of an attribute that says what the values are."""
        if attribute.name == b"PSEUDOATOM" and attribute.type.kind == STRING:
            at = attribute.place
            self.pickled = source.read(at.address, min(at.size, len(_PICKLED))) == _PICKLED

    def virtual(self, source: Source) -> bool:
        """Say whether it is made of parts of other data sets."""
        if self.layout is None or self.layout.size < 2:
            return False
        cursor = header.opened(source, self.layout)
        return cursor.number(1) >= 4 and cursor.number(1) == _VIRTUAL

    def steps(self, source: Source) -> list[Filter]:
        """Return the filters of the data.

        Raises:
            Broken: The message cannot be read.
        """
        return [] if self.filters is None else pipeline(source, self.filters)

    def values(self, source: Source, attributes: Attributes) -> Iterator[Place | bytes]:
        """Yield where the values are that may be pickles or configurations.

        Raises:
            Broken: A message, or a value, cannot be read.
        """
        if self._type is None or self._space is None or self.layout is None:
            return
        kind = datatype(header.opened(source, self._type))
        number = count(header.opened(source, self._space))
        how, place = _laid_out(source, self.layout)
        few = kind.kind == SEQUENCE and (self.pickled or number <= _MOST_SEQUENCES)
        if how in (_COMPACT, _CONTIGUOUS):
            place = Place(place.address, min(place.size, kind.size * number))
            if not place.size or source.undefined(place.address):
                return
            if few:
                yield from self._told(source, attributes.sequences(place, kind.size))
            elif kind.bytes and place.size >= _FEWEST and _begins(source, place, kind):
                yield place
        elif how == _CHUNKED and few:
            yield from self._told(source, self._chunked(source, attributes, place, kind.size))
        elif how == _CHUNKED and kind.bytes and kind.kind in (INTEGER, OPAQUE):
            yield from self._joined(source, place)

    def _told(self, source: Source, values: Iterator[Place]) -> Iterator[Place]:
        for value in values:
            if self.pickled or telling(source, value) in ("json", "bytes"):
                yield value

    def _chunked(self, source: Source, attributes: Attributes, tree: Place, each: int) -> Iterator[Place]:
        """Yield where the values are that the references in all chunks lead to."""
        if not tree.size:
            self.unread = self.pickled
            return
        if source.undefined(tree.address):
            return
        filters = self.steps(source)
        for address, size, mask in chunks(source, tree.address, tree.size):
            if not filters:
                yield from attributes.sequences(Place(address, size), each)
                continue
            data = unpacked(source, Place(address, size), mask, filters)
            if data is None:
                self.unread = self.pickled
            else:
                yield from attributes.referred(data, address, each)

    def _joined(self, source: Source, tree: Place) -> Iterator[bytes]:
        """Yield the bytes of all chunks as one, where the first begins like a pickle."""
        if not tree.size or source.undefined(tree.address):
            return
        filters = self.steps(source)
        data = bytearray()
        for address, size, mask in chunks(source, tree.address, tree.size):
            place = Place(address, size)
            if not data and not _pickled(unpacked(source, place, mask, filters, _HEAD)):
                return
            piece = unpacked(source, place, mask, filters)
            if piece is None or len(data) + len(piece) > _MOST_JOINED:
                break
            data += piece
        if data:
            yield bytes(data)


def _pickled(head: bytes | None) -> bool:
    return head is not None and head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")


def _laid_out(source: Source, layout: Place) -> tuple[int, Place]:
    """Return how data is laid out, and where it is; of chunks, tree and rank, or 0 without a tree."""
    cursor = header.opened(source, layout)
    version = cursor.number(1)
    if version < 3:
        rank, how = cursor.number(1), cursor.number(1)
        cursor.take(5)
        if how == _COMPACT:
            cursor.take(4 * rank)
            size = cursor.number(4)
            return how, Place(cursor.address, size)
        address = cursor.pointer()
        if how == _CHUNKED:
            return how, Place(address, rank)
        return how, Place(address, source.size)
    how = cursor.number(1)
    if how == _COMPACT:
        size = cursor.number(2)
        return how, Place(cursor.address, size)
    if how == _CONTIGUOUS:
        return how, Place(cursor.pointer(), cursor.length())
    if how == _CHUNKED and version == 3:
        rank = cursor.number(1)
        return how, Place(cursor.pointer(), rank)
    return how, Place(0, 0)


def _begins(source: Source, place: Place, kind: Type) -> bool:
    """Say whether data begins like a pickle, or like a configuration where it is text."""
    head = source.read(place.address, min(place.size, 16))
    if kind.kind in (STRING, OPAQUE) and place.size <= _LOOKED:
        return telling(source, place) in ("json", "bytes")
    return head[:1] == b"\x80" and head[1:2] <= b"\x05"
