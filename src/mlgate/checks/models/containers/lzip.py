"""Lzip: members of LZMA data, each with a short header and a trailer."""

import lzma
import zlib
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import MEMORY, unpack
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lzip"
KIND = "container"
ORDER = 10

_MAGIC = b"LZIP\1"
_HEADER = 6
_TRAILER = 20


def sniff(blob: Blob) -> bool:
    """Look for the magic and a possible dictionary size."""
    return blob.head.startswith(_MAGIC) and len(blob.head) > _HEADER and _dictionary(blob.head[5]) is not None


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob, lambda: other(_Member()), (".lz", ".tlz"), limits, clock, container=FORMAT, magic=_MAGIC
    )


def _dictionary(code: int) -> int | None:
    size = 1 << (code & 31)
    size -= size // 16 * (code >> 5)
    return size if 4096 <= size <= 512 << 20 else None


class _Member:
    """Decoder of one member, with the interface of :class:`lzma.LZMADecompressor`."""

    def __init__(self) -> None:
        self.eof = False
        self.unused_data = b""
        self._engine: lzma.LZMADecompressor | None = None
        self._waiting = b""
        self._crc = self._size = 0

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take input and return at most ``max_length`` bytes of output.

        Raises:
            ValueError: The header or the trailer is wrong, or too much memory is needed.
            lzma.LZMAError: The data is malformed.
        """
        if self._engine is None:
            self._waiting += data
            if len(self._waiting) < _HEADER:
                return b""
            data, self._waiting = self._waiting[_HEADER:], self._begin()
        engine = self._engine
        if engine is None:
            return b""
        out = b""
        if not engine.eof:
            out = engine.decompress(data, max_length)
            data = engine.unused_data
            self._crc = zlib.crc32(out, self._crc)
            self._size += len(out)
        if engine.eof:
            self._waiting += data
            self._finish()
        return out

    def _begin(self) -> bytes:
        dictionary = _dictionary(self._waiting[5])
        if not self._waiting.startswith(_MAGIC) or dictionary is None:
            raise ValueError("the header is none")
        if dictionary > MEMORY:
            raise ValueError("the dictionary needs too much memory")
        settings = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": 3, "lp": 0, "pb": 2}
        self._engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
        return b""

    def _finish(self) -> None:
        if len(self._waiting) < _TRAILER:
            return
        if self._waiting[:12] != self._crc.to_bytes(4, "little") + self._size.to_bytes(8, "little"):
            raise ValueError("the trailer does not match the data")
        self.eof = True
        self.unused_data = self._waiting[_TRAILER:]
