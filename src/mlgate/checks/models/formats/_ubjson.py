"""UBJSON as a flat stream of its members: bounded memory, no recursion, numbers skipped."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.checks.models.stream import read_at

_SIZES = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1}
_INTEGERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q"}
_DEEPEST = 200
_BUFFER = 1 << 16
# A text that is looked at; of longer ones the start is.
_TEXT = 1 << 16


class Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The bytes are no UBJSON from here on."""


class Member(Struct, frozen=True):
    """A member of a document.

    Attributes:
        path: Keys and list indexes that lead to it.
        kind: ``text``, ``number``, ``word`` or ``array``.
        value: Of a text or a whole number.
        offset: Of its content.
        count: Items of an array of numbers.
        width: Bytes of each.
        integer: True where they are whole numbers.
    """

    path: tuple[str | int, ...]
    kind: str
    value: str | int | None = None
    offset: int = 0
    count: int = 0
    width: int = 0
    integer: bool = False


class _Open:
    """A container that has not ended."""

    def __init__(self, step: str | int, left: int | None, kind: bytes) -> None:
        self.step = step
        self.left = left
        self.kind = kind


class _Input:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._data = b""
        self._start = 0
        self.at = 0

    def take(self, count: int) -> bytes:
        data = self.peek(count)
        if len(data) < count:
            raise Malformed("the document ends within a value")
        self.at += count
        return data

    def peek(self, count: int) -> bytes:
        place = self.at - self._start
        if place < 0 or place + count > len(self._data):
            self._data = read_at(self._stream, self.at, max(count, _BUFFER))
            self._start, place = self.at, 0
        return self._data[place : place + count]

    def skip(self, count: int) -> None:
        if count > self._size - self.at:
            raise Malformed("the document ends within an array")
        self.at += count

    def number(self, kind: bytes) -> int:
        if kind not in _INTEGERS:
            raise Malformed("a length is no whole number")
        value: int = struct.unpack(_INTEGERS[kind], self.take(_SIZES[kind]))[0]
        return value

    def length(self) -> int:
        value = self.number(self.take(1))
        if value < 0:
            raise Malformed("a length is negative")
        return value

    def text(self) -> str:
        length = self.length()
        if length > self._size - self.at:
            raise Malformed("the document ends within a text")
        start = self.take(min(length, _TEXT))
        self.skip(length - len(start))
        return start.decode("utf-8", "backslashreplace")


def members(stream: BinaryIO, size: int, clock: Clock) -> Iterator[Member]:
    """Yield the texts, numbers and arrays of numbers of a document, in order.

    Raises:
        Malformed: It is none. What was yielded before stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    source = _Input(stream, size)
    stack: list[_Open] = []
    count = 0
    while True:
        count += 1
        if not count & 0xFF:
            clock.check()
        kind = _next(source, stack)
        if kind is None:
            if not stack:
                break
            continue
        path = tuple(each.step for each in stack)
        if kind in (b"{", b"["):
            member = _opened(source, kind, stack, path)
            if member is not None:
                yield member
        elif kind in (b"S", b"H"):
            start = source.at
            yield Member(path, "text", source.text(), start)
        elif kind in _INTEGERS:
            start = source.at
            yield Member(path, "number", source.number(kind), start)
        elif kind in _SIZES:
            source.skip(_SIZES[kind])
        elif kind not in (b"T", b"F", b"Z"):
            raise Malformed("a value is of an unknown type")
        if not stack:
            break
    if source.at != size:
        raise Malformed("something stands behind the document")


def _next(source: _Input, stack: list[_Open]) -> bytes | None:
    """Return the type of the next value, or None where a container has ended."""
    if not stack:
        return source.take(1)
    top = stack[-1]
    if top.left == 0:
        stack.pop()
        return None
    if isinstance(top.step, int):
        if top.left is None and source.peek(1) == b"]":
            source.take(1)
            stack.pop()
            return None
        top.step += 1
    else:
        if top.left is None and source.peek(1) == b"}":
            source.take(1)
            stack.pop()
            return None
        top.step = source.text()
    if top.left is not None:
        top.left -= 1
    if top.kind:
        return top.kind
    kind = source.take(1)
    while kind == b"N":
        kind = source.take(1)
    return kind


def _opened(source: _Input, kind: bytes, stack: list[_Open], path: tuple[str | int, ...]) -> Member | None:
    """Open a container; an array of numbers is skipped and returned whole."""
    item, left = b"", None
    if source.peek(1) == b"$":
        source.take(1)
        item = source.take(1)
    if source.peek(1) == b"#":
        source.take(1)
        left = source.length()
    elif item:
        raise Malformed("a container has a type and no length")
    if kind == b"[" and item in _SIZES and left is not None:
        start = source.at
        source.skip(left * _SIZES[item])
        return Member(path, "array", None, start, left, _SIZES[item], item in _INTEGERS)
    if item in (b"T", b"F", b"Z", b"N"):
        return None  # nothing is stored of these
    if len(stack) >= _DEEPEST:
        raise LimitReached("nesting")
    stack.append(_Open(-1 if kind == b"[" else "", left, item))
    return None
