"""LZ4 frames of all three kinds, after the format's description (lz4_Frame_format.md)."""

from mlgate.checks.models.containers._frames import LZ4, LZ4_LEGACY, is_skippable
from mlgate.checks.models.containers._lz4_block import Corrupt, decode

_WINDOW = 64 << 10
_LEGACY_BLOCK = 8 << 20
# The most that a block takes is a little more than what it unpacks to.
_SLACK = 1 << 17


class Input:
    """What is left of a file, which legacy frames end with: they have no end mark.

    Args:
        left: Bytes of the file.
    """

    def __init__(self, left: int) -> None:
        self.left = left


class Frame:
    """Decoder of one frame, with the interface of :class:`lzma.LZMADecompressor`.

    Checksums are not verified; declared sizes are.

    Args:
        source: Shared by the frames of a file.
    """

    def __init__(self, source: Input) -> None:
        self.eof = False
        self.unused_data = b""
        self._source = source
        self._pending = bytearray()
        self._ready = b""
        self._given = 0
        self._state = "magic"
        self._skip = 0
        self._linked = self._block_sums = self._sum = False
        self._largest = 0
        self._stated: int | None = None
        self._made = 0
        self._history = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take input and return at most ``max_length`` bytes of output.

        Raises:
            Corrupt: The frame is malformed, or a declared size is wrong.
        """
        self._pending += data
        self._source.left -= len(data)
        most = max_length if max_length >= 0 else 1 << 62
        out = bytearray()
        while len(out) < most:
            if self._given < len(self._ready):
                piece = self._ready[self._given : self._given + most - len(out)]
                self._given += len(piece)
                out += piece
            elif self._state == "end" or not self._advance():
                break
        if self._state == "end" and self._given >= len(self._ready) and not self.eof:
            self.eof = True
            self.unused_data = bytes(self._pending)
            self._source.left += len(self._pending)
        return bytes(out)

    def _advance(self) -> bool:
        """Go one step; False where more input is needed."""
        if self._state == "magic":
            return self._begin()
        if self._state == "skip":
            taken = min(self._skip, len(self._pending))
            del self._pending[:taken]
            self._skip -= taken
            self._state = "skip" if self._skip else "end"
            return not self._skip
        if self._state == "legacy":
            return self._legacy_block()
        return self._block()

    def _begin(self) -> bool:
        head = bytes(self._pending[:19])
        if len(head) < 7:
            return False
        if head.startswith(LZ4_LEGACY):
            del self._pending[:4]
            self._state = "legacy"
            return True
        if is_skippable(head):
            if len(head) < 8:
                return False
            self._skip = int.from_bytes(head[4:8], "little")
            del self._pending[:8]
            self._state = "skip"
            return True
        flags, descriptor = head[4], head[5]
        size = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
        if len(head) < size:
            return False
        if flags >> 6 != 1 or (descriptor >> 4 & 7) < 4:
            raise Corrupt("an unknown frame")
        if flags & 1:
            raise Corrupt("a frame that needs a dictionary")
        self._linked, self._block_sums, self._sum = not flags & 0x20, bool(flags & 0x10), bool(flags & 4)
        self._largest = 1 << 8 + 2 * (descriptor >> 4 & 7)
        self._stated = int.from_bytes(head[6:14], "little") if flags & 8 else None
        del self._pending[:size]
        self._state = "block"
        return True

    def _block(self) -> bool:
        if len(self._pending) < 4:
            return False
        word = int.from_bytes(self._pending[:4], "little")
        size, stored = word & 0x7FFFFFFF, bool(word >> 31)
        if not size:
            if len(self._pending) < (8 if self._sum else 4):
                return False
            if self._stated is not None and self._stated != self._made:
                raise Corrupt("the frame does not have the size that it states")
            del self._pending[: 8 if self._sum else 4]
            self._state = "end"
            return True
        if size > self._largest:
            raise Corrupt("a block is larger than its frame allows")
        whole = 4 + size + (4 if self._block_sums else 0)
        if len(self._pending) < whole:
            return False
        data = bytes(self._pending[4 : 4 + size])
        del self._pending[:whole]
        self._put(data if stored else decode(data, self._history, self._largest))
        if self._linked:
            self._history = (self._history + self._ready[-_WINDOW:])[-_WINDOW:]
        return True

    def _legacy_block(self) -> bool:
        if not self._pending and self._source.left <= 0:
            self._state = "end"
            return True
        if len(self._pending) < 4:
            return False
        head = bytes(self._pending[:4])
        if head in (LZ4, LZ4_LEGACY) or is_skippable(head):
            self._state = "end"
            return True
        size = int.from_bytes(head, "little")
        if not size or size > _LEGACY_BLOCK + _SLACK:
            raise Corrupt("a block is larger than its frame allows")
        if len(self._pending) < 4 + size:
            return False
        data = bytes(self._pending[4 : 4 + size])
        del self._pending[: 4 + size]
        self._put(decode(data, b"", _LEGACY_BLOCK))
        return True

    def _put(self, data: bytes) -> None:
        self._ready, self._given = data, 0
        self._made += len(data)
