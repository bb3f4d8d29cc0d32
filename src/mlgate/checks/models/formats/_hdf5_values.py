"""Which of HDF5's values could be a configuration or a pickle, and where they are."""

from collections.abc import Iterator

from mlgate.checks.models.formats import _hdf5_header as header
from mlgate.checks.models.formats._hdf5_attributes import Attribute, Attributes
from mlgate.checks.models.formats._hdf5_heap import Place
from mlgate.checks.models.formats._hdf5_source import Source
from mlgate.checks.models.formats._hdf5_tree import chunks
from mlgate.checks.models.formats._hdf5_types import OPAQUE, SEQUENCE, STRING, Type, count, datatype

# Values up to this size are looked through before a reader is asked; longer ones go to it at once.
_LOOKED = 1 << 16
_FEWEST = 4
# Data sets of texts: more are labels.
_MOST_SEQUENCES = 64
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)
# Filters with a larger number are libraries that HDF5 loads when it meets them.
_REGISTERED = 256
_PICKLED = b"object"


def telling(source: Source, value: Place) -> str | None:
    """Say what a value could be: ``json``, ``bytes``, or None for a line of plain text.

    Raises:
        Broken: It is not all in the file.
    """
    if value.size < _FEWEST:
        return None
    data = source.read(value.address, min(value.size, _LOOKED))
    if data.lstrip()[:1] in (b"{", b"["):
        return "json"
    # A pickle that does something has a control character or a line's end.
    plain = value.size <= _LOOKED and not data.translate(None, _LINE)
    return None if plain else "bytes"


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

    def plugins(self, source: Source) -> Iterator[tuple[str, int]]:
        """Yield name and number of the filters that do not come with HDF5.

        Raises:
            Broken: The message cannot be read.
        """
        if self.filters is None:
            return
        cursor = header.opened(source, self.filters)
        version, number = cursor.number(1), cursor.number(1)
        old = version == 1
        cursor.take(6 if old else 0)
        for _ in range(number):
            identity = cursor.number(2)
            length = cursor.number(2) if old or identity >= _REGISTERED else 0
            cursor.take(2)
            values = cursor.number(2)
            name = cursor.take(-(-length // 8) * 8 if old else length).partition(b"\0")[0]
            cursor.take(4 * values + (4 if old and values & 1 else 0))
            if identity >= _REGISTERED:
                yield name.decode("ascii", "backslashreplace") or f"filter {identity}", identity

    def values(self, source: Source, attributes: Attributes) -> Iterator[Place]:
        """Yield where the values are that may be pickles or configurations.

        Raises:
            Broken: A message, or a value, cannot be read.
        """
        if self._type is None or self._space is None or self.layout is None:
            return
        kind = datatype(header.opened(source, self._type))
        number = count(header.opened(source, self._space))
        if kind.kind == SEQUENCE and (self.pickled or number <= _MOST_SEQUENCES):
            for place in self._places(source, self.layout, kind, number):
                for value in attributes.sequences(place, kind.size):
                    if self.pickled or telling(source, value) is not None:
                        yield value
        elif kind.bytes and self._layout(source, self.layout)[0] in (_COMPACT, _CONTIGUOUS):
            for place in self._places(source, self.layout, kind, number):
                if place.size >= _FEWEST and _begins(source, place, kind):
                    yield place

    def _places(self, source: Source, layout: Place, kind: Type, number: int) -> Iterator[Place]:
        """Yield where the data is; what is packed is not unpacked."""
        how, place = self._layout(source, layout)
        if how in (_COMPACT, _CONTIGUOUS):
            size = min(place.size, kind.size * number)
            if size and not source.undefined(place.address):
                yield Place(place.address, size)
        elif how == _CHUNKED and place.size and not source.undefined(place.address):
            for address, size, mask in chunks(source, place.address, place.size):
                if self.filters is not None and mask != (1 << 32) - 1:
                    self.unread = self.pickled
                else:
                    yield Place(address, size)
        elif how == _CHUNKED:
            self.unread = self.pickled

    @staticmethod
    def _layout(source: Source, layout: Place) -> tuple[int, Place]:
        """Return how the data is laid out, and where it is; of chunks, tree and rank."""
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
        return telling(source, place) is not None
    return head[:1] == b"\x80" and head[1:2] <= b"\x05"
