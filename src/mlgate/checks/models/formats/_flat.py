"""Flatbuffers, verified table by table from a stream: no recursion, no copies, work bounded by size.

A flatbuffer is offsets all the way down, and a runtime that trusts one of them reads memory
that is not the file's. Every offset that a schema knows of is followed here and held
against the size; the bytes of weights are never read.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import member, read_at, window
from mlgate.core.facts import Fact, NotChecked

_HOME = Path(__file__).parent.parent / "data"
_PAGE = 1 << 16
_PAGES = 64
# Elements of a vector that are read at once.
_RUN = 4096
_SHORT = 4096
# Writers do not nest so deep, and verifiers give up before.
_DEEPEST = 200
# Zeros at the end, to the next boundary.
_PADDING = 64
_SIZES = {"b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "d": 8}

Schema = Mapping[str, Mapping[int, tuple[str, str]]]


class Broken(Exception):  # noqa: N818 - an answer, not an error
    """An offset or a length leads out of the file, or structures do not end.

    Attributes:
        offset: Where it stands.
        what: What is wrong, in a few words.
    """

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset
        self.what = what


class Table(Struct, frozen=True):
    """One table whose fields all lie in the file.

    Attributes:
        kind: Its name in the schema.
        offset: Where it stands.
        depth: Tables around it.
        fields: Where the fields that it has stand, by name.
        types: What they hold, by name.
    """

    kind: str
    offset: int
    depth: int
    fields: Mapping[str, int]
    types: Mapping[str, str]


@cache
def schema(name: str) -> Schema:
    """Return the tables of a schema file beside the code."""
    tables: dict[str, dict[int, tuple[str, str]]] = {}
    for line in (_HOME / f"{name}.csv").read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "table,")):
            continue
        table, number, field, type_ = line.split(",")
        tables.setdefault(table, {})[int(number)] = (field, type_)
    return tables


class Flat:
    """Reads one flatbuffer.

    Args:
        stream: The bytes; offset 0 is where the root's offset stands.
        size: Bytes that the flatbuffer may use.
        tables: Its schema.
        clock: Of the file.
    """

    def __init__(self, stream: BinaryIO, size: int, tables: Schema, clock: Clock) -> None:
        self._stream, self._size, self._tables, self._clock = stream, size, tables, clock
        self._pages: dict[int, bytes] = {}
        # What is read more than once counts more than once. Writers share a few texts.
        self._work = 4 * size + (1 << 16)
        self._steps = 0
        self.end = 0

    def walk(self, root: str) -> Iterator[Table]:
        """Yield every table from the root down, each before what it holds.

        Raises:
            Broken: Something leads out of the file; what was yielded before stands.
            LimitReached: The time is up.
        """
        first = self._table(root, self.unpack("I", 0), 0, 0)
        yield first
        stack = [self._children(first)]
        while stack:
            child = next(stack[-1], None)
            if child is None:
                stack.pop()
                continue
            if child.depth > _DEEPEST:
                raise Broken(child.offset, "tables are nested deeper than any writer nests them")
            yield child
            stack.append(self._children(child))

    def unpack(self, letter: str, offset: int) -> int:
        """Return the number at an offset.

        Raises:
            Broken: It is not in the file.
        """
        size = _SIZES[letter]
        number: int = struct.unpack("<" + letter, self._at(offset, size))[0]
        return number

    def number(self, table: Table, name: str, default: int = 0) -> int:
        """Return a number field, or the default where the table has none."""
        place = table.fields.get(name)
        return default if place is None else self.unpack(table.types[name], place)

    def text(self, table: Table, name: str, most: int = 4096) -> str:
        """Return up to ``most`` bytes of a text field; "" where the table has none."""
        place = table.fields.get(name)
        if place is None:
            return ""
        start, length = self._vector(place, 1)
        return read_at(self._stream, start, min(length, most)).decode("utf-8", "backslashreplace")

    def vector(self, table: Table, name: str) -> tuple[int, int]:
        """Return where the elements of a vector or text start, and how many there are."""
        place = table.fields.get(name)
        return (0, 0) if place is None else self._vector(place, _width(table.types[name]))

    def numbers(self, table: Table, name: str) -> Iterator[int]:
        """Yield the elements of a vector of numbers."""
        start, count = self.vector(table, name)
        letter = table.types[name].strip("[]") if count else "B"
        yield from self._run(start, count, letter)

    def item(self, table: Table, name: str, index: int) -> Table:
        """Return one table of a vector of them.

        Raises:
            Broken: It is not there.
        """
        start, count = self.vector(table, name)
        if index >= count:
            raise Broken(table.offset, f"{table.kind}.{name} has not so many elements")
        at = start + 4 * index
        return self._table(table.types[name][1:-1], at + self.unpack("I", at), at, table.depth + 1)

    def child(self, table: Table, name: str) -> Table:
        """Return the table that a field holds."""
        place = table.fields[name]
        return self._table(table.types[name], place + self.unpack("I", place), place, table.depth + 1)

    def _table(self, kind: str, offset: int, origin: int, depth: int) -> Table:
        """Verify the table at an offset that stands at ``origin``."""
        if not 0 < offset <= self._size - 4:
            raise Broken(origin, "an offset leads out of the file")
        layout = offset - self.unpack("i", offset)
        if not 0 <= layout <= self._size - 4:
            raise Broken(offset, "a table's layout lies outside the file")
        length, inline = self.unpack("H", layout), self.unpack("H", layout + 2)
        if length < 4 or inline < 4 or layout + length > self._size or offset + inline > self._size:
            raise Broken(layout, "a table is longer than the file")
        self._spend(inline, offset)
        self._reach(offset + inline)
        places, types = {}, {}
        for number, (name, type_) in self._tables.get(kind, {}).items():
            if 6 + 2 * number > length:
                continue
            place = self.unpack("H", layout + 4 + 2 * number)
            if place == 0:
                continue
            if place < 4 or place + _SIZES.get(type_, 4) > inline:
                raise Broken(layout + 4 + 2 * number, "a field lies outside its table")
            places[name], types[name] = offset + place, type_
        return Table(kind=kind, offset=offset, depth=depth, fields=places, types=types)

    def _children(self, table: Table) -> Iterator[Table]:
        for name, place in table.fields.items():
            type_ = table.types[name]
            if type_ in _SIZES:
                continue
            if type_.startswith("<"):
                kind = self._member(table, name, type_[1:])
                if kind is not None:
                    yield self._table(kind, place + self.unpack("I", place), place, table.depth + 1)
            elif type_ == "str":
                self._vector(place, 1)
            elif not type_.startswith("["):
                yield self._table(type_, place + self.unpack("I", place), place, table.depth + 1)
            else:
                yield from self._elements(table, place, type_[1:-1])

    def _elements(self, table: Table, place: int, kind: str) -> Iterator[Table]:
        start, count = self._vector(place, _width(f"[{kind}]"))
        if kind in _SIZES or kind.startswith("*"):
            return
        for index, offset in enumerate(self._run(start, count, "I")):
            at = start + 4 * index
            if kind == "str":
                self._spend(4, at)
                self._text(at + offset, at)
            else:
                yield self._table(kind, at + offset, at, table.depth + 1)

    def _member(self, table: Table, name: str, union: str) -> str | None:
        """Return which of its tables a union holds, or None where the schema does not know."""
        members = self._tables[union]
        chosen = self.number(table, name + "_type")
        if not chosen:
            return None
        return (members.get(chosen) or members.get(0) or ("", None))[1]

    def _vector(self, place: int, width: int) -> tuple[int, int]:
        start = place + self.unpack("I", place)
        if start > self._size - 4:
            raise Broken(place, "an offset leads out of the file")
        count = self.unpack("I", start)
        if start + 4 + count * width > self._size:
            raise Broken(start, "a vector is longer than the file")
        self._reach(start + 4 + count * width)
        return start + 4, count

    def _text(self, start: int, origin: int) -> None:
        if start > self._size - 4 or start + 4 + self.unpack("I", start) > self._size:
            raise Broken(origin, "a text lies outside the file")
        self._reach(start + 4 + self.unpack("I", start))

    def _run(self, start: int, count: int, letter: str) -> Iterator[int]:
        width = _SIZES[letter]
        for first in range(0, count, _RUN):
            some = min(_RUN, count - first)
            self._spend(some * width, start)
            place, size = start + first * width, some * width
            data = self._at(place, size) if size <= _SHORT else read_at(self._stream, place, size)
            if len(data) < some * width:
                raise Broken(start, "a vector is longer than the file")
            yield from struct.unpack(f"<{some}{letter}", data)

    def _spend(self, amount: int, offset: int) -> None:
        self._work -= amount
        if self._work < 0:
            raise Broken(offset, "structures share their parts without end")
        self._steps += 1
        if not self._steps & 0x3FF:
            self._clock.check()

    def _reach(self, end: int) -> None:
        """Note how far the flatbuffer reaches, as far as it was followed."""
        self.end = max(self.end, end)

    def _at(self, offset: int, size: int) -> bytes:
        if offset < 0 or offset + size > self._size:
            raise Broken(max(offset, 0), "an offset leads out of the file")
        page, inside = divmod(offset, _PAGE)
        if inside + size > _PAGE:
            return read_at(self._stream, offset, size)
        known = self._pages.get(page)
        if known is None:
            if len(self._pages) >= _PAGES:
                self._pages.pop(next(iter(self._pages)))
            known = self._pages[page] = read_at(self._stream, page * _PAGE, _PAGE)
        data = known[inside : inside + size]
        if len(data) < size:
            raise Broken(offset, "an offset leads out of the file")
        return data


def unsound(blob: Blob, broken: Broken, format_: str) -> Iterator[Fact | NotChecked]:
    """Say that a model leads out of its own bytes, and that it was not read to its end."""
    yield blob.fact("flatbuffer.bounds", broken.what, offset=broken.offset, format=format_)
    yield blob.not_checked(
        "malformed",
        "the model leads out of its own bytes, so that it was not read to its end; fetch it again, or "
        "convert it again from its source",
        offset=broken.offset,
    )


def tail(blob: Blob, end: int, format_: str) -> Iterator[Blob]:
    """Yield what stands behind a model, if it is more than padding."""
    left = blob.size - end
    if left > _PADDING or (left > 0 and any(read_at(blob.stream, end, left))):
        yield member(blob, "behind the model", window(blob.stream, end, left), left, container=format_)


def _width(type_: str) -> int:
    """Return the bytes of one element of a vector; a text is a vector of bytes."""
    kind = type_.strip("[]")
    if type_ == "str":
        return 1
    return int(kind[1:]) if kind.startswith("*") else _SIZES.get(kind, 4)
