"""HDF5's object headers: the messages that say what an object is, wherever they are kept."""

from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_heap import FractalHeap, Place
from mlgate.checks.models.formats._hdf5_source import Broken, Cursor, Source

(SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT) = (0x01, 0x02, 0x03, 0x06, 0x07, 0x08)
(FILTERS, ATTRIBUTE, SHARED_TABLE, CONTINUATION) = (0x0B, 0x0C, 0x0F, 0x10)
(GROUP, DRIVER, ATTRIBUTE_INFO, CACHE) = (0x11, 0x14, 0x15, 0x18)

_SHARED = 2
_IN_HEAP, _COMMITTED_OLD, _COMMITTED = 1, 0, 2
# Reading on must cost bytes: a continuation holds a message at least.
_LEAST = 8


class Message(Struct, frozen=True):
    """One message of an object header.

    Attributes:
        kind: Its type.
        place: Its content in the file.
    """

    kind: int
    place: Place


class Headers:
    """Reads object headers.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._heaps: list[tuple[int, FractalHeap]] = []

    def share(self, table: int, count: int) -> None:
        """Take note of the heaps that messages of several objects are kept in.

        Args:
            table: Address of the table of shared messages.
            count: Its indexes.

        Raises:
            Broken: There is none.
        """
        source = self._source
        index = source.cursor(table, 4 + count * (16 + 2 * source.wide))
        if index.take(4) != b"SMTB":
            raise index.broken("there is no SMTB where one should be")
        for _ in range(count):
            index.take(2)
            kinds = index.number(2)
            index.take(10)
            index.pointer()
            heap = index.pointer()
            if not source.undefined(heap):
                self._heaps.append((kinds, FractalHeap(source, heap)))

    def messages(self, address: int) -> Iterator[Message]:
        """Yield the messages of the object at an address; shared ones are looked up.

        Raises:
            Broken: There is no object header, or a part of it cannot be read.
        """
        for message, shared in self._stored(address):
            yield Message(message.kind, self.resolve(message)) if shared else message

    def resolve(self, message: Message) -> Place:
        """Return the content of a message of which only a reference is stored.

        Raises:
            Broken: The reference leads nowhere.
        """
        source, place = self._source, message.place
        cursor = source.cursor(place.address, min(place.size, 16 + source.long))
        version, how = cursor.number(1), cursor.number(1)
        if version == 1:
            cursor.take(6 + source.long)
        elif version not in (2, 3):
            raise cursor.broken("a shared message has a version that is not known")
        elif version == 3 and how == _IN_HEAP:
            return self.shared(message.kind, cursor.take(8))
        address = cursor.pointer()
        for found, again in self._stored(address):
            if found.kind == message.kind and not again:
                return found.place
        raise cursor.broken("a shared message is not where it should be")

    def shared(self, kind: int, key: bytes) -> Place:
        """Return the content of a message in the heap for its kind."""
        for kinds, heap in self._heaps:
            if kinds >> kind & 1:
                return heap.place(key)
        raise Broken("a shared message is in a heap that is not there", self._source.base)

    def _stored(self, address: int) -> Iterator[tuple[Message, bool]]:
        """Yield the messages as they are stored, and whether each is only a reference."""
        source = self._source
        blocks, tracked, modern = self._first(address)
        seen = {address}
        for block in blocks:
            head = 4 + 2 * tracked if modern else 8
            at, end = block.address, block.address + block.size
            while at + head <= end:
                cursor = source.cursor(at, head)
                kind = cursor.number(1 if modern else 2)
                size, flags = cursor.number(2), cursor.number(1)
                at += head
                if at + size > end:
                    raise cursor.broken("a message runs past its header's end")
                place = Place(at, size)
                at += size
                if kind == CONTINUATION:
                    following = self._continued(place, modern=modern)
                    if following.address in seen:
                        raise cursor.broken("an object header continues in itself")
                    seen.add(following.address)
                    blocks.append(following)
                elif kind:
                    yield Message(kind, place), bool(flags & _SHARED)

    def _first(self, address: int) -> tuple[list[Place], bool, bool]:
        """Return an object's first block, whether it keeps the order of attributes, and is version 2."""
        source = self._source
        start = source.read(address, 4)
        if start != b"OHDR":
            cursor = source.cursor(address, 12)
            version = cursor.number(1)
            if version != 1:
                raise cursor.broken("there is no object header where one should be")
            cursor.take(7)
            return [Place(address + 16, cursor.number(4))], False, False
        cursor = source.cursor(address, 6)
        cursor.expect(b"OHDR", 2)
        flags = cursor.number(1)
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = source.cursor(address + at, width).number(width)
        return [Place(address + at + width, size)], bool(flags & 4), True

    def _continued(self, place: Place, *, modern: bool) -> Place:
        cursor = self._source.cursor(place.address, min(place.size, 2 * 8 + 16))
        address, size = cursor.pointer(), cursor.length()
        if not modern:
            return Place(address, size)
        if size < _LEAST or self._source.read(address, 4) != b"OCHK":
            raise cursor.broken("there is no OCHK where one should be")
        return Place(address + 4, size - 8)


def opened(source: Source, place: Place, most: int = 1 << 20) -> Cursor:
    """Read a message, or the beginning of a long one."""
    return source.cursor(place.address, min(place.size, most))
