"""The parts that a GGUF file is made of, read in pieces: numbers, texts and lists of texts."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal

from msgspec import Struct

from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.checks.models.stream import CHUNK, read_at
from mlgate.core.limits import Limits

_DATA = Path(__file__).parent.parent / "data"
STRING, ARRAY = 8, 9
# Bytes of one value, by its type.
SIZES = MappingProxyType({0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8})
# More cannot be meant: loaders refuse it, and older ones overflow.
MOST_ITEMS = 1 << 28
LONGEST_TEXT = 1 << 30
_LONGEST_NAME = (1 << 16) - 1


class Cut(Exception):  # noqa: N818 - an answer, not an error
    """The file ends within its header.

    Args:
        offset: Of what could not be read.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Absurd(Exception):  # noqa: N818 - an answer, not an error
    """A count or length that cannot be meant; the text says which.

    Args:
        problem: Which.
        offset: Where it stands.
    """

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


class Expected(Struct, frozen=True):
    """What loaders take a key's value for.

    Attributes:
        array: True where it is a list.
        types: Of the value, or of the list's items.
        length: Key of a list that this one must be as long as, or "".
    """

    array: bool
    types: frozenset[int]
    length: str


class Source:
    """A cursor in the header of a file.

    Args:
        stream: The file.
        size: Bytes in it.
        order: Of the bytes of a number.
        narrow: True for version 1, whose lengths have four bytes.
        limits: Of the policy.
        clock: Of the file.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        order: Literal["little", "big"],
        limits: Limits,
        clock: Clock,
        *,
        narrow: bool,
    ) -> None:
        self._stream = stream
        self._size = size
        self._order: Literal["little", "big"] = order
        self._limits, self._clock = limits, clock
        self.width = 4 if narrow else 8
        self.at = 0
        self._data = b""
        self._start = 0

    def number(self, width: int) -> int:
        """Read an unsigned number of so many bytes."""
        return int.from_bytes(self._take(width), self._order)

    def length(self, what: str, most: int) -> int:
        """Read a count or length.

        Raises:
            Absurd: It is more than ``most``.
        """
        at = self.at
        value = self.number(self.width)
        if value > most:
            raise Absurd(f"{what} that no file has", at)
        return value

    def text(self) -> bytes:
        """Read a text whole.

        Raises:
            Absurd: Its length cannot be meant.
            LimitReached: It is longer than ``limits.text_bytes``.
        """
        length = self.length("a text of a length", LONGEST_TEXT)
        if length > self._size - self.at:
            raise Cut(self.at)
        if length > self._limits.text_bytes:
            raise LimitReached("text_bytes")
        return self._take(length)

    def name(self) -> bytes:
        """Read a key, or the name of a tensor.

        Raises:
            Absurd: It is longer than the format allows.
        """
        length = self.length("a name of a length", _LONGEST_NAME)
        return self._take(length)

    def skip(self, count: int) -> None:
        """Pass over so many bytes."""
        if count > self._size - self.at:
            raise Cut(self.at)
        self.at += count
        self._within_limits()

    def texts(self, count: int) -> Iterator[tuple[int, bytes]]:
        """Pass over a list of texts, and yield them in blocks, lengths included, with each block's offset."""
        width, order = self.width, self._order
        number = int.from_bytes
        while count:
            self._clock.check()
            self._fill(CHUNK)
            data, first = self._data, self.at - self._start
            at = first
            while count:
                # A slice at the end is short, and the text it would measure does not fit either.
                stop = at + width + number(data[at : at + width], order)
                if stop > len(data) or at + width > len(data):
                    break
                at = stop
                count -= 1
            offset = self.at
            if at == first:
                before = self.at
                text = self.text()
                count -= 1
                yield before, len(text).to_bytes(width, order) + text
            else:
                self.at += at - first
                yield offset, data[first:at]
            self._within_limits()

    def split(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the texts of a block and their places in it."""
        at = 0
        while at < len(block):
            start = at + self.width
            at = start + int.from_bytes(block[at:start], self._order)
            yield start, block[start:at]

    def _take(self, count: int) -> bytes:
        if count > self._size - self.at:
            raise Cut(self.at)
        if not self._start <= self.at <= self.at + count <= self._start + len(self._data):
            self._fill(max(count, min(CHUNK, 1 << 16)))
        begin = self.at - self._start
        data = self._data[begin : begin + count]
        if len(data) < count:
            raise Cut(self.at)
        self.at += count
        self._within_limits()
        return data

    def _fill(self, count: int) -> None:
        self._start = self.at
        self._data = read_at(self._stream, self.at, min(count, self._size - self.at))

    def _within_limits(self) -> None:
        if self.at > self._limits.header_bytes:
            raise LimitReached("header_bytes")


@cache
def blocks() -> dict[int, tuple[int, int]]:
    """Return how many elements and bytes a block of each tensor type has."""
    return {int(row[0]): (int(row[2]), int(row[3])) for row in _rows("ggml_types.csv")}


@cache
def expectations() -> dict[str, Expected]:
    """Return what loaders take the values of some keys for."""
    return {
        key: Expected(array=holds == "array", types=frozenset(map(int, types.split())), length=length)
        for key, holds, types, length in _rows("gguf_keys.csv")
    }


def _rows(file: str) -> list[list[str]]:
    lines = (_DATA / file).read_text(encoding="utf-8").splitlines()
    return [line.split(",") for line in lines if line and not line.startswith("#")][1:]
