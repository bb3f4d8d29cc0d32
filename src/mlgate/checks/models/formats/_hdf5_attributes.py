"""HDF5's attributes: their names, and where in the file their values are."""

from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_header import ATTRIBUTE, SPACE, TYPE, Headers, Message, opened
from mlgate.checks.models.formats._hdf5_heap import FractalHeap, GlobalHeap, Place
from mlgate.checks.models.formats._hdf5_source import Cursor, Source
from mlgate.checks.models.formats._hdf5_tree import records
from mlgate.checks.models.formats._hdf5_types import SEQUENCE, Type, count, datatype

# Name, datatype and dataspace are 64 KiB at most, each.
_MOST_HEAD = 16 + 3 * (1 << 16)
_SHARED = 2


class Attribute(Struct, frozen=True):
    """One attribute.

    Attributes:
        name: As stored.
        type: Of its values.
        count: How many there are.
        place: Where they are; for values of variable length, where their references are.
    """

    name: bytes
    type: Type
    count: int
    place: Place


class Attributes:
    """Reads attributes.

    Args:
        source: The file.
        headers: Of the file.
        heap: For values of variable length.
    """

    def __init__(self, source: Source, headers: Headers, heap: GlobalHeap) -> None:
        self._source = source
        self._headers = headers
        self._heap = heap

    def dense(self, info: Place) -> Iterator[Place]:
        """Yield the attributes that an attribute info message leads to.

        Raises:
            Broken: A structure on the way cannot be read.
        """
        source = self._source
        cursor = opened(source, info)
        cursor.expect(b"", 0)
        flags = cursor.number(1)
        cursor.take(2 if flags & 1 else 0)
        heap, trees = cursor.pointer(), [cursor.pointer()]
        if flags & 2:
            trees.append(cursor.pointer())
        if source.undefined(heap):
            return
        kept, seen = FractalHeap(source, heap), set[bytes]()
        for tree in trees:
            # By name and by order of creation: an attribute need not be in both.
            for record in () if source.undefined(tree) else records(source, tree):
                key, how = record.take(8), record.number(1)
                if key not in seen:
                    seen.add(key)
                    yield self._headers.shared(ATTRIBUTE, key) if how & _SHARED else kept.place(key)

    def attribute(self, place: Place) -> Attribute:
        """Read an attribute message.

        Raises:
            Broken: It is none.
        """
        cursor = opened(self._source, place, _MOST_HEAD)
        version = cursor.number(1)
        if version not in (1, 2, 3):
            raise cursor.broken("an attribute has a version that is not known")
        flags = cursor.number(1) if version > 1 else cursor.number(1) & 0
        sizes = [cursor.number(2) for _ in range(3)]
        cursor.take(1 if version == 3 else 0)
        pad = 8 if version == 1 else 1
        parts = []
        for size in sizes:
            parts.append(Cursor(self._source, cursor.take(size), cursor.address - size))
            cursor.take(min(-size % pad, cursor.left))
        name, kind, space = parts
        kind = self._shared(TYPE, kind) if flags & 1 else kind
        space = self._shared(SPACE, space) if flags & 2 else space
        made = Attribute(
            # The last byte should be a NUL, and the library does not look at it.
            name=name.data[:-1].partition(b"\0")[0],
            type=datatype(kind),
            count=count(space),
            place=Place(cursor.address, place.size - cursor.at),
        )
        if made.count * made.type.size > made.place.size:
            raise cursor.broken("an attribute is longer than its message")
        return made

    def values(self, attribute: Attribute) -> Iterator[Place]:
        """Yield where the values are that hold text or bytes; those of one size are in one place.

        Raises:
            Broken: A value is not where it should be.
        """
        whole = Place(attribute.place.address, attribute.count * attribute.type.size)
        if attribute.type.bytes and whole.size:
            yield whole
        elif attribute.type.kind == SEQUENCE:
            yield from self.sequences(whole, attribute.type.size)

    def sequences(self, place: Place, each: int) -> Iterator[Place]:
        """Yield where the values of variable length are that a range of references leads to."""
        step = max(each, 1) * 512
        for at in range(0, place.size, step):
            data = self._source.read(place.address + at, min(step, place.size - at))
            yield from self.referred(data, place.address + at, each)

    def referred(self, data: bytes, address: int, each: int) -> Iterator[Place]:
        """Yield where the values are that references lead to.

        Args:
            data: The references.
            address: Where they stand.
            each: Bytes of one.
        """
        cursor = Cursor(self._source, data, address)
        while cursor.left >= each > 0:
            reference = Cursor(self._source, cursor.take(each), address)
            items, collection, index = reference.number(4), reference.pointer(), reference.number(4)
            if items and collection:
                yield self._heap.place(collection, index)

    def _shared(self, kind: int, part: Cursor) -> Cursor:
        place = self._headers.resolve(Message(kind, Place(part.start, len(part.data))))
        return opened(self._source, place)
