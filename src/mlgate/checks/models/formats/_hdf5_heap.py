"""HDF5's heaps: where names, long values and the messages of crowded groups are kept."""

from collections import OrderedDict

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_source import Broken, Source
from mlgate.checks.models.formats._hdf5_tree import records

# Objects whose places are kept.
_REMEMBERED = 100_000
_WHOLE = 1 << 16
_MANAGED, _HUGE = 0, 1


class Place(Struct, frozen=True):
    """A range of the file.

    Attributes:
        address: Of its first byte.
        size: In bytes.
    """

    address: int
    size: int


class LocalHeap:
    """The names of a group of the old kind.

    Args:
        source: The file.
        address: Of the heap.

    Raises:
        Broken: There is none.
    """

    def __init__(self, source: Source, address: int) -> None:
        head = source.cursor(address, 8 + 2 * source.long + source.wide)
        head.expect(b"HEAP", 0)
        head.take(3)
        self._size = head.length()
        head.length()
        self._data = head.pointer()
        self._source = source

    def text(self, offset: int) -> bytes:
        """Return the text at an offset."""
        if offset >= self._size:
            raise Broken("a name lies outside its heap", self._source.offset(self._data))
        return self._source.text(self._data + offset, self._data + self._size)


class GlobalHeap:
    """Values of variable length, in collections anywhere in the file.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: OrderedDict[int, dict[int, tuple[int, int]]] = OrderedDict()
        self._objects = 0

    def place(self, collection: int, index: int) -> Place:
        """Return where an object is.

        Raises:
            Broken: There is none.
        """
        objects = self._known.get(collection)
        if objects is None:
            objects = self._known[collection] = self._read(collection)
            self._objects += len(objects)
            while self._objects > _REMEMBERED and len(self._known) > 1:
                self._objects -= len(self._known.popitem(last=False)[1])
        else:
            self._known.move_to_end(collection)
        if index not in objects:
            raise Broken("a value is not in its heap", self._source.offset(collection))
        return Place(*objects[index])

    def _read(self, collection: int) -> dict[int, tuple[int, int]]:
        """Return address and size of the objects of a collection."""
        source = self._source
        head = source.cursor(collection, 8 + source.long)
        head.expect(b"GCOL", 1)
        head.take(3)
        size = head.length()
        each = 8 + source.long
        # Most are of one page; of a large one, only what leads from one object to the next.
        data = source.read(collection, size) if size <= _WHOLE else b""
        at = -(-len(head.data) // 8) * 8
        found: dict[int, tuple[int, int]] = {}
        while at + each <= size:
            entry = data[at : at + each] if data else source.read(collection + at, each)
            index = entry[0] | entry[1] << 8
            length = int.from_bytes(entry[8:], "little")
            if not index:
                break  # free space, to the end
            at += each
            if at + length > size:
                raise Broken("a value runs past its heap's end", source.offset(collection + at))
            found.setdefault(index, (collection + at, length))
            at += -(-length // 8) * 8
        return found


class FractalHeap:
    """Messages of a group or object that has many.

    Args:
        source: The file.
        address: Of the heap.

    Raises:
        Broken: There is none, or it is compressed.
    """

    def __init__(self, source: Source, address: int) -> None:
        head = source.cursor(address, 22 + 3 * source.wide + 12 * source.long)
        head.expect(b"FRHP", 0)
        self.id_size = head.number(2)
        if head.number(2):
            raise Broken("a heap is compressed", source.offset(address), "unsupported-format")
        head.number(1)
        longest = head.number(4)
        head.length()
        self._huge_tree = head.pointer()
        head.take(source.wide + 9 * source.long)
        self._width, self._start, self._direct = head.number(2), head.length(), head.length()
        bits = head.number(2)
        head.number(2)
        self._root, self._rows = head.pointer(), head.number(2)
        self._source = source
        self._where = source.offset(address)
        if not self._width or not _power(self._start) or not _power(self._direct) or not 0 < bits <= 64:
            raise Broken("a heap has no proportions", self._where)
        self._offset_size = -(-bits // 8)
        block = (self._direct.bit_length() - 1 + 7) // 8
        self._length_size = min(block, (max(longest, 1).bit_length() - 1 + 7) // 8)
        self._header = 5 + source.wide + self._offset_size
        self._large: dict[int, Place] | None = None

    def place(self, key: bytes) -> Place:
        """Return where the object of an id is.

        Args:
            key: The id, or an id with bytes behind it.

        Raises:
            Broken: There is none.
        """
        kind = key[0] >> 4 & 3
        if kind == _MANAGED:
            offset = int.from_bytes(key[1 : 1 + self._offset_size], "little")
            end = 1 + self._offset_size + self._length_size
            size = int.from_bytes(key[1 + self._offset_size : end], "little")
            return self._managed(offset, size)
        if kind == _HUGE:
            return self._huge(key)
        # A tiny object is in the id itself; no message is so small.
        raise Broken("a heap keeps an object in its id", self._where, "unsupported-format")

    def _managed(self, offset: int, size: int) -> Place:
        source, block, rows, start = self._source, self._root, self._rows, 0
        length = self._start
        while rows:
            row, column, base, length = self._slot(offset - start)
            if row >= rows:
                raise Broken("an object lies outside its heap", self._where)
            entry = block + self._header + (row * self._width + column) * source.wide
            block = source.cursor(entry, source.wide).pointer()
            if source.undefined(block):
                raise Broken("an object lies in a part of its heap that is not there", self._where)
            start += base
            # Rows of blocks as long as the direct ones' longest, and one more, are direct.
            direct = length <= self._direct
            rows = 0 if direct else length.bit_length() - (self._start * self._width).bit_length() + 1
            if not direct and rows <= 0:
                raise Broken("a heap has no proportions", self._where)
        if offset < start or offset - start + size > length:
            raise Broken("an object runs past its heap's block", self._where)
        if source.read(block, 4) != b"FHDB":
            raise Broken("there is no FHDB where one should be", source.offset(block))
        return Place(block + offset - start, size)

    def _slot(self, offset: int) -> tuple[int, int, int, int]:
        """Return row, column, first offset and length of the block that an offset is in."""
        first = self._start * self._width
        row = 0 if offset < first else (offset // first).bit_length()
        length = self._start << max(row - 1, 0)
        begin = 0 if not row else first << row - 1
        column = (offset - begin) // length
        return row, column, begin + column * length, length

    def _huge(self, key: bytes) -> Place:
        source = self._source
        if self.id_size > source.wide + source.long:
            address = int.from_bytes(key[1 : 1 + source.wide], "little")
            size = int.from_bytes(key[1 + source.wide : 1 + source.wide + source.long], "little")
            return Place(address, size)
        if self._large is None:
            self._large = {}
            for record in records(source, self._huge_tree):
                address, size = record.pointer(), record.length()
                self._large[record.length()] = Place(address, size)
        number = int.from_bytes(key[1 : min(9, self.id_size)], "little")
        if number not in self._large:
            raise Broken("an object is not in its heap", self._where)
        return self._large[number]


def _power(value: int) -> bool:
    return value > 0 and not value & (value - 1)
