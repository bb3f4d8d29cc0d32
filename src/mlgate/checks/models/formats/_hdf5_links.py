"""HDF5's groups: what is in them, and which other files they and data sets lead to."""

from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models.formats._hdf5_header import opened
from mlgate.checks.models.formats._hdf5_heap import FractalHeap, GlobalHeap, LocalHeap, Place
from mlgate.checks.models.formats._hdf5_source import Cursor, Source
from mlgate.checks.models.formats._hdf5_tree import leaves, records

HARD, SOFT, EXTERNAL = 0, 1, 64
_CACHED_SOFT = 2
_NAMES_SHARED, _SETS_SHARED, _SAME_FILE = 1, 2, 4
_VIRTUAL_FLAGS = (0, 1, 2, 3, 4, 6)
# Selections of single points cannot be mapped.
_NONE, _SLABS, _ALL = 0, 2, 3


class Link(Struct, frozen=True):
    """One link of a group.

    Attributes:
        name: As stored.
        kind: ``HARD``, ``SOFT``, ``EXTERNAL``, or the number of another kind.
        address: Of the object that a hard link leads to.
        file: Name of the file that an external link leads to.
        target: Path that a soft or external link leads to.
        place: Where the link is stored.
    """

    name: bytes
    kind: int
    place: int
    address: int = 0
    file: bytes = b""
    target: bytes = b""


class Foreign(Struct, frozen=True):
    """A part of a data set that is in another file.

    Attributes:
        file: Its name.
        target: The data set there; empty for raw bytes.
        place: Where it is named.
    """

    file: bytes
    target: bytes
    place: int


class Links:
    """Reads the links of groups.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes: set[int] = set()
        self._tables: set[tuple[int, int]] = set()

    def table(self, message: Place) -> Iterator[Link]:
        """Yield the links of a group with a symbol table.

        Raises:
            Broken: The table cannot be read, or another group has it too.
        """
        cursor = opened(self._source, message)
        yield from self.symbols(cursor.pointer(), cursor.pointer())

    def symbols(self, tree: int, heap: int) -> Iterator[Link]:
        """Yield the links that a tree lists, and whose names a heap has: once for each two of them."""
        source = self._source
        if (tree, heap) in self._tables:
            return
        self._tables.add((tree, heap))
        names = LocalHeap(source, heap)
        for address in leaves(source, tree, self._nodes):
            head = source.cursor(address, 8)
            head.expect(b"SNOD", 1)
            head.take(1)
            entries, each = head.number(2), 2 * source.wide + 24
            for at in range(address + 8, address + 8 + entries * each, each):
                yield self._symbol(source.cursor(at, each), names)

    def _symbol(self, entry: Cursor, names: LocalHeap) -> Link:
        name, address, cache = names.text(entry.pointer()), entry.pointer(), entry.number(4)
        entry.take(4)
        place = self._source.offset(entry.start)
        if cache == _CACHED_SOFT:
            return Link(name, SOFT, place, target=names.text(entry.number(4)))
        return Link(name, HARD, place, address=address)

    def dense(self, info: Place) -> Iterator[Link]:
        """Yield the links that a link info message leads to.

        Raises:
            Broken: A structure on the way cannot be read.
        """
        source = self._source
        cursor = opened(source, info)
        cursor.expect(b"", 0)
        flags = cursor.number(1)
        cursor.take(8 if flags & 1 else 0)
        heap, trees = cursor.pointer(), [(cursor.pointer(), 4)]
        if flags & 2:
            trees.append((cursor.pointer(), 8))
        if source.undefined(heap):
            return
        kept, seen = FractalHeap(source, heap), set[bytes]()
        for tree, before in trees:
            # By name and by order of creation: a link need not be in both.
            for record in () if source.undefined(tree) else records(source, tree):
                record.take(before)
                key = record.take(7)
                if key not in seen:
                    seen.add(key)
                    yield self.link(kept.place(key))

    def link(self, message: Place) -> Link:
        """Read a link message.

        Raises:
            Broken: It is none.
        """
        cursor = opened(self._source, message)
        cursor.expect(b"", 1)
        flags = cursor.number(1)
        kind = cursor.number(1) if flags & 8 else HARD
        cursor.take((8 if flags & 4 else 0) + (1 if flags & 0x10 else 0))
        name = cursor.take(cursor.number(1 << (flags & 3)))
        place = self._source.offset(message.address)
        if kind == HARD:
            return Link(name, kind, place, address=cursor.pointer())
        value = Cursor(self._source, cursor.take(cursor.number(2)), cursor.address)
        if kind == SOFT:
            return Link(name, kind, place, target=value.data)
        if kind != EXTERNAL:
            return Link(name, kind, place)
        value.number(1)
        return Link(name, kind, place, file=value.text(), target=value.text())


def raw_files(source: Source, message: Place) -> Iterator[Foreign]:
    """Yield the files that an external file list names.

    Raises:
        Broken: It cannot be read.
    """
    cursor = opened(source, message)
    cursor.expect(b"", 1)
    cursor.take(5)
    used = cursor.number(2)
    names = LocalHeap(source, cursor.pointer())
    for _ in range(used):
        place = source.offset(cursor.address)
        name = names.text(cursor.length())
        cursor.length()
        cursor.length()
        yield Foreign(name, b"", place)


def virtual_files(source: Source, layout: Place, heap: GlobalHeap) -> Iterator[Foreign]:
    """Yield the files that a virtual data set is made of, other than its own.

    Raises:
        Broken: The list cannot be read.
    """
    cursor = opened(source, layout)
    cursor.take(2)
    collection, index = cursor.pointer(), cursor.number(4)
    if not collection or source.undefined(collection):
        return
    place = heap.place(collection, index)
    entries = opened(source, place, place.size)
    version = entries.expect(b"", 0, 1)
    for _ in range(entries.length()):
        at = source.offset(entries.address)
        flags = entries.number(1) if version else 0
        if flags not in _VIRTUAL_FLAGS:
            raise entries.broken("a part of a virtual data set is of a kind that is not known")
        file, target = b".", b""
        # Names that an earlier entry has are not repeated.
        if flags & _NAMES_SHARED:
            entries.length()
        elif not flags & _SAME_FILE:
            file = entries.text()
        if flags & _SETS_SHARED:
            entries.length()
        else:
            target = entries.text()
        if file != b".":
            yield Foreign(file, target, at)
        _selection(entries)
        _selection(entries)


def _selection(cursor: Cursor) -> None:
    """Step over a selection of elements."""
    kind, version = cursor.number(4), cursor.number(4)
    if kind in (_NONE, _ALL):
        cursor.take(8)
    elif kind == _SLABS and version == 1:
        cursor.take(4)
        cursor.take(cursor.number(4))
    elif kind == _SLABS and version == 2:
        cursor.take(1)
        cursor.take(cursor.number(4))
    elif kind == _SLABS and version == 3:
        flags, width, rank = cursor.number(1), cursor.number(1), cursor.number(4)
        regular = flags & 1
        cursor.take(4 * rank * width if regular else cursor.number(width) * 2 * rank * width)
    else:
        raise cursor.broken("a selection is of a kind that is not known")
