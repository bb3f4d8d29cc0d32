"""Bytes of an HDF5 file, by the addresses that it uses itself: checked, counted, cached.

Structures of a hostile file may overlap, so that few bytes are read over and over. All
reads together are therefore bounded by a multiple of the file's size.
"""

from collections import OrderedDict
from typing import BinaryIO

from mlgate.checks.models.reader import Clock
from mlgate.checks.models.stream import read_at

_PAGE = 1 << 14
_PAGES = 128
# A structure is read once or twice; a look-up in a heap reads a few pointers on its way.
_TIMES = 16
_FREE = 16 << 20
# What a read costs beside its bytes.
_EACH = 16


class Broken(Exception):  # noqa: N818 - an answer, not an error
    """A structure cannot be read.

    Attributes:
        reason: ``truncated``, ``malformed`` or ``unsupported-format``.
        what: What is wrong with it.
        address: Where in the file.
    """

    def __init__(self, what: str, address: int, reason: str = "malformed") -> None:
        super().__init__(what)
        self.what = what
        self.address = address
        self.reason = reason


class Source:
    """Reads by address.

    Args:
        stream: The file.
        size: Of the file.
        base: Offset in the file that address 0 stands for.
        clock: Of the file.
    """

    def __init__(self, stream: BinaryIO, size: int, base: int, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._pages: OrderedDict[int, bytes] = OrderedDict()
        self._left = _TIMES * size + _FREE
        self._reads = 0
        self.size = size
        self.base = base
        # Bytes of an address and of a length, as the superblock says.
        self.wide = 8
        self.long = 8

    def undefined(self, address: int) -> bool:
        """Say whether an address stands for none."""
        return address == (1 << 8 * self.wide) - 1

    def offset(self, address: int) -> int:
        """Return the offset in the file of an address."""
        return self.base + address

    def read(self, address: int, size: int) -> bytes:
        """Return exactly ``size`` bytes.

        Raises:
            Broken: They are not all in the file, or far too much has been read already.
            LimitReached: The time is up.
        """
        start = self.base + address
        if start + size > self.size:
            raise Broken("it lies behind the file's end", start, "truncated")
        self.spend(size + _EACH)
        self._reads += 1
        if not self._reads & 0xFF:
            self._clock.check()
        if size > _PAGE:
            return read_at(self._stream, start, size)
        number, at = divmod(start, _PAGE)
        data = self._page(number)[at : at + size]
        return data if len(data) == size else data + self._page(number + 1)[: size - len(data)]

    def spend(self, amount: int) -> None:
        """Count bytes that were read, or made.

        Raises:
            Broken: They are far too many for the file's size.
        """
        self._left -= amount
        if self._left < 0:
            raise Broken("its structures overlap, or are in a circle", self.base)

    def cursor(self, address: int, size: int) -> "Cursor":
        """Read ``size`` bytes to be taken apart."""
        return Cursor(self, self.read(address, size), address)

    def text(self, address: int, end: int) -> bytes:
        """Return the bytes up to the next NUL, which must come before ``end``."""
        found = b""
        step = 64
        while address < end:
            piece = self.read(address, min(step, end - address))
            place = piece.find(b"\0")
            if place >= 0:
                return found + piece[:place]
            found += piece
            address += len(piece)
            step = min(2 * step, _PAGE)
        raise Broken("a name does not end", self.base + address)

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = read_at(self._stream, number * _PAGE, _PAGE)
            if len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page


class Cursor:
    """Takes a structure apart, field by field.

    Args:
        source: Where it came from.
        data: The bytes.
        address: Of the first.
    """

    def __init__(self, source: Source, data: bytes, address: int) -> None:
        self.source = source
        self.data = data
        self.start = address
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes that are not taken yet."""
        return len(self.data) - self.at

    @property
    def address(self) -> int:
        """Of the next byte."""
        return self.start + self.at

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            Broken: There are not so many.
        """
        at = self.at
        self.at = end = at + size
        if end > len(self.data):
            raise self.broken("a field runs past its structure's end")
        return self.data[at:end]

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size), "little")

    def pointer(self) -> int:
        """Return the next address."""
        return self.number(self.source.wide)

    def length(self) -> int:
        """Return the next length."""
        return self.number(self.source.long)

    def text(self) -> bytes:
        """Return the bytes up to the next NUL, and step behind it."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise self.broken("a name does not end")
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def expect(self, signature: bytes, *versions: int) -> int:
        """Step over a signature and a version, and return the version."""
        if self.take(len(signature)) != signature:
            raise Broken(f"there is no {signature.decode('latin-1')} where one should be", self._offset)
        version = self.number(1)
        if version not in versions:
            raise Broken("it has a version that is not known", self._offset, "unsupported-format")
        return version

    def broken(self, what: str) -> Broken:
        """Make the exception for something wrong here."""
        return Broken(what, self._offset)

    @property
    def _offset(self) -> int:
        return self.source.offset(self.start)
