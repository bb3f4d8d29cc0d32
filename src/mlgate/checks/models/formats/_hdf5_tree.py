"""HDF5's two kinds of B-tree, walked whole: no order is relied on, and no node is visited twice."""

from collections.abc import Iterator

from mlgate.checks.models.formats._hdf5_source import Broken, Cursor, Source

# Of a node of version 2: signature, version, type, and checksum at its end.
_NODE = 10
_GROUP = 0


def leaves(source: Source, address: int, seen: set[int]) -> Iterator[int]:
    """Yield the addresses that the lowest nodes of a group's tree (version 1) point to.

    Args:
        source: The file.
        address: Of the root.
        seen: Nodes that were walked already; these are added to it.

    Raises:
        Broken: A node is none, or is met twice.
    """
    pending = [address]
    while pending:
        here = pending.pop()
        if here in seen:
            raise Broken("a tree has a node twice", source.offset(here))
        seen.add(here)
        node = source.cursor(here, 8 + 2 * source.wide)
        kind, level, entries = _old_node(node)
        if kind != _GROUP:
            raise node.broken("a group's tree is of another kind")
        body = source.cursor(here + len(node.data), entries * (source.long + source.wide))
        children = []
        for _ in range(entries):
            body.length()
            children.append(body.pointer())
        if level:
            pending += reversed(children)
        else:
            yield from children


def chunks(source: Source, address: int, rank: int) -> Iterator[tuple[int, int, int]]:
    """Yield address, size and filter mask of each chunk that a data set's tree (version 1) lists, in order.

    Args:
        source: The file.
        address: Of the root.
        rank: Dimensions of the data set, and one.

    Raises:
        Broken: A node is none, or is met twice.
    """
    pending, seen = [address], set[int]()
    key = 8 + 8 * rank
    while pending:
        here = pending.pop()
        if here in seen:
            raise Broken("a tree has a node twice", source.offset(here))
        seen.add(here)
        node = source.cursor(here, 8 + 2 * source.wide)
        kind, level, entries = _old_node(node)
        if kind == _GROUP:
            raise node.broken("a data set's tree is of another kind")
        body = source.cursor(here + len(node.data), entries * (key + source.wide))
        children = []
        for _ in range(entries):
            size, mask = body.number(4), body.number(4)
            body.take(key - 8)
            child = body.pointer()
            if level:
                children.append(child)
            else:
                yield child, size, mask
        pending += reversed(children)


def _old_node(node: Cursor) -> tuple[int, int, int]:
    if node.take(4) != b"TREE":
        raise node.broken("there is no TREE where one should be")
    return node.number(1), node.number(1), node.number(2)


def records(source: Source, address: int) -> Iterator[Cursor]:
    """Yield the records of a tree of version 2, each ready to be taken apart.

    Raises:
        Broken: A node is none, or is met twice.
    """
    head = source.cursor(address, 22 + source.wide + source.long)
    head.expect(b"BTHD", 0)
    head.number(1)
    size, record, depth = head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.pointer(), head.number(2)
    if source.undefined(root) or not count:
        return
    if not record or size <= _NODE + record:
        raise head.broken("a tree's nodes have no room for records")
    pointers = _pointers(source, size, record, depth)
    pending, seen = [(root, count, depth)], set[int]()
    while pending:
        here, number, level = pending.pop()
        if here in seen:
            raise Broken("a tree has a node twice", source.offset(here))
        seen.add(here)
        narrow, total = pointers[level]
        length = 6 + number * record + ((number + 1) * (source.wide + narrow + total) if level else 0)
        if length > size:
            raise Broken("a tree's node has more records than room", source.offset(here))
        node = source.cursor(here, length)
        node.expect(b"BTIN" if level else b"BTLF", 0)
        node.number(1)
        for _ in range(number):
            place = node.address
            yield Cursor(source, node.take(record), place)
        if level:
            for _ in range(number + 1):
                child, inside = node.pointer(), node.number(narrow)
                node.take(total)
                pending.append((child, inside, level - 1))


def _pointers(source: Source, size: int, record: int, depth: int) -> list[tuple[int, int]]:
    """Return for each level how many bytes a child's counts take: its own records, and all below."""
    most = (size - _NODE) // record
    narrow = _bytes(most)
    below, total = most, 0
    found = [(0, 0)]
    for level in range(1, depth + 1):
        found.append((narrow, total if level > 1 else 0))
        pointer = source.wide + narrow + (total if level > 1 else 0)
        here = max((size - _NODE - pointer) // (record + pointer), 0)
        below = (here + 1) * below + here
        total = _bytes(below)
        if total > 8:
            raise Broken("a tree is too deep", source.base)
    return found


def _bytes(most: int) -> int:
    return (max(most, 1).bit_length() - 1) // 8 + 1
