"""Thrift's compact protocol, walked without recursion: where its texts stand."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Clock, LimitReached

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = frozenset({4, 5, 6})
_DEEPEST = 64


class Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The bytes are no structure."""


class Reader:
    """A cursor on one structure.

    Args:
        data: The bytes.
        clock: Of the file.
    """

    def __init__(self, data: bytes, clock: Clock) -> None:
        self._data = data
        self._at = 0
        self._clock = clock

    def texts(self, deepest: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
        """Yield the texts that at most ``deepest`` structures and lists hold.

        Each is the path that leads to it (numbers of fields, indexes in lists from the end),
        its start and its end.

        Raises:
            Malformed: See there.
            LimitReached: It is nested too deep, or the time is up.
        """
        for kind, stack, start in self._values():
            if kind == _BINARY and len(stack) <= deepest:
                yield tuple(each[1] for each in stack), start, self._at

    def numbers(self) -> tuple[dict[int, int], int]:
        """Return the whole numbers of one structure by their fields, and how many bytes it has.

        Raises:
            Malformed: See there.
            LimitReached: It is nested too deep, or the time is up.
        """
        found: dict[int, int] = {}
        for kind, stack, start in self._values():
            if kind in _INTEGERS and len(stack) == 1:
                behind, self._at = self._at, start
                found[stack[0][1]] = self._zigzag()
                self._at = behind
        return found, self._at

    def _values(self) -> Iterator[tuple[int, list[list[int]], int]]:
        """Yield type, frames and start of every value that holds no others, standing behind it."""
        # Each frame: is it a structure, its last field or how many are left, and the types inside.
        stack: list[list[int]] = [[1, 0, 0, 0]]
        count = 0
        while stack:
            count += 1
            if not count & 0xFFF:
                self._clock.check()
            frame = stack[-1]
            kind = self._next(frame)
            if kind == _STOP:
                stack.pop()
            elif kind in (_LIST, _SET, _MAP, _STRUCT):
                if len(stack) >= _DEEPEST:
                    raise LimitReached("nesting")
                stack.append(self._open(kind))
            else:
                size = self._varint() if kind == _BINARY else 0
                start = self._at
                if kind == _BINARY:
                    self._skip(size)
                else:
                    self._pass(kind, in_list=not frame[0])
                yield kind, stack, start

    def _next(self, frame: list[int]) -> int:
        """Return the type of what comes next in a structure, list or map, or the stop mark."""
        if not frame[0]:
            if frame[1] <= 0:
                return _STOP
            frame[1] -= 1
            # A map's keys and values take turns.
            frame[2], frame[3] = frame[3], frame[2]
            return frame[3]
        byte = self._byte()
        kind = byte & 15
        if kind == _STOP:
            return _STOP
        frame[1] = frame[1] + (byte >> 4) if byte >> 4 else self._zigzag()
        return kind

    def _open(self, kind: int) -> list[int]:
        if kind == _STRUCT:
            return [1, 0, 0, 0]
        if kind == _MAP:
            count = self._varint()
            types = self._byte() if count else 0
            return self._held(2 * count, types & 15, types >> 4)
        byte = self._byte()
        count = byte >> 4 if byte >> 4 != 15 else self._varint()
        return self._held(count, byte & 15, byte & 15)

    def _held(self, count: int, first: int, second: int) -> list[int]:
        # The smallest thing takes a byte.
        if count > len(self._data) - self._at:
            raise Malformed("a list is longer than the rest")
        if count and not (first and second):
            raise Malformed("a list of nothing")
        return [0, count, second, first]

    def _pass(self, kind: int, *, in_list: bool) -> None:
        if kind in _INTEGERS:
            self._varint()
        elif kind == _DOUBLE:
            self._skip(8)
        elif kind == _BYTE or (kind in (_TRUE, _FALSE) and in_list):
            self._skip(1)
        elif kind not in (_TRUE, _FALSE):
            raise Malformed(f"{kind} is no type")

    def _skip(self, count: int) -> None:
        if count > len(self._data) - self._at:
            raise Malformed("it is cut off")
        self._at += count

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise Malformed("it is cut off")
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise Malformed("a number is too long")

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
