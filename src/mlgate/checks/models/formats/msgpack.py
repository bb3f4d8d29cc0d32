"""MessagePack: Flax checkpoints, spaCy's models and whatever else; what of them is unpickled.

Only content that parses as MessagePack to its last byte is claimed. What does not is
searched as unknown content, where pickles are found too.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from mlgate.checks.models.executable import MAGICS, executable
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import CHUNK, member, printable, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "msgpack"
KIND = "container"
ORDER = 70

_DEEPEST = 512
_ARRAY = 1
# What could be something by itself: pickles, archives, HDF5.
_TELLING = (
    *(b"\x80%c" % version for version in range(2, 6)),
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"\x89HDF\r\n",
)
# How pickles without a header begin that call something or hold it in a container.
_OLD_PICKLE = (b"c", b"(", b"]", b"}")
# By the first byte: how many bytes hold the length, and what has it.
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_TEXTS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}


class _Level(Struct):
    """An open map or array: things that are left, and of a map what its keys said.

    ``kind`` and ``data`` are those of an array as msgpack-numpy writes it.
    """

    left: int
    is_map: bool = False
    key: bytes = b""
    is_object: bool = False
    data: tuple[int, int] | None = None


class _Invalid(Exception):  # noqa: N818 - an answer, not an error
    """This is no MessagePack."""


def sniff(blob: Blob) -> bool:
    """Look for a map with a text for its first key, or an array of such things."""
    head = blob.head
    for _ in range(3):
        first = head[:1]
        if not first or blob.tentative:
            return False
        if 0x81 <= first[0] <= 0x8F or first in (b"\xde", b"\xdf"):
            key = head[{0xDE: 3, 0xDF: 5}.get(first[0], 1) :][:1]
            return bool(key) and (0xA1 <= key[0] <= 0xBF or key[0] in _TEXTS)
        if not (0x91 <= first[0] <= 0x9F or first in (b"\xdc", b"\xdd")):
            return False
        head = head[{0xDC: 3, 0xDD: 5}.get(first[0], 1) :]
    return False


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is unpickled, and what is something by itself.

    Raises:
        Declined: It is no MessagePack, or not to its end.
        LimitReached: It holds too many values.
    """
    walker = _Walker(blob, limits, clock)
    stopped: LimitReached | None = None
    try:
        walker.run()
    except _Invalid as error:
        raise Declined from error
    except LimitReached as limit:
        stopped = limit
    yield blob.fact(
        "core.format", "flax" if walker.flax else FORMAT, model=walker.flax, pickled=bool(walker.pickled)
    )
    for start, name in walker.objects:
        yield blob.fact("msgpack.object", printable(name), offset=start)
    for start, size in walker.pickled:
        yield blob.fact("msgpack.pickled", "an array of Python objects", offset=start)
        yield member(blob, f"array at {start}.pkl", window(blob.stream, start, size), size, container=FORMAT)
    for start, program in walker.native:
        yield blob.fact("payload.executable", program, offset=start, container=FORMAT)
    known = set(walker.pickled)
    for start, size in walker.telling:
        if (start, size) not in known:
            data = window(blob.stream, start, size)
            yield member(blob, f"bytes at {start}", data, size, container=FORMAT, tentative=True)
    if stopped is not None:
        raise stopped


class _Walker:
    def __init__(self, blob: Blob, limits: Limits, clock: Clock) -> None:
        self._blob = blob
        self._limits = limits
        self._clock = clock
        self._buffer = blob.head
        self._base = 0
        self._at = 0
        self.flax = False
        self.objects: list[tuple[int, str]] = []
        self.pickled: list[tuple[int, int]] = []
        self.telling: list[tuple[int, int]] = []
        self.native: list[tuple[int, str]] = []

    def run(self) -> None:
        """Walk all values.

        Raises:
            _Invalid: See there.
            LimitReached: There are too many, or they are nested too deep.
        """
        levels: list[_Level] = []
        count = 0
        while True:
            while levels and not levels[-1].left:
                self._close(levels.pop())
            if not levels and self._place() >= self._blob.size:
                return
            count += 1
            if not count & 0xFFF:
                self._clock.check()
                if count > self._limits.opcodes:
                    raise LimitReached("opcodes")
            opened = self._value(levels[-1] if levels else None)
            if levels:
                levels[-1].left -= 1
            elif opened is None:
                raise _Invalid
            if opened is not None:
                if len(levels) >= _DEEPEST:
                    raise _Invalid
                levels.append(opened)

    def _value(self, level: _Level | None) -> _Level | None:
        """Read one value; return the level that a map or an array opens."""
        first = self._take(1)[0]
        if first <= 0x7F or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3):
            return None
        if first <= 0x8F or first in (0xDE, 0xDF):
            return self._open(first, 2)
        if first <= 0x9F or first in (0xDC, 0xDD):
            return self._open(first, 1)
        if first in _FIXED:
            self._skip(_FIXED[first])
        elif first <= 0xBF or first in _TEXTS:
            size = first & 31 if first <= 0xBF else self._length(_TEXTS[first])
            self._text(size, level)
        elif first in _EXTENSIONS or 0xD4 <= first <= 0xD8:
            size = self._length(_EXTENSIONS[first]) if first in _EXTENSIONS else 1 << first - 0xD4
            self._extension(self._take(1)[0], size)
        else:
            raise _Invalid
        return None

    def _open(self, first: int, each: int) -> _Level:
        count = first & 15 if first < 0xA0 else self._length(2 if first in (0xDC, 0xDE) else 4)
        # The smallest value takes a byte.
        if count * each > self._blob.size - self._place():
            raise _Invalid
        return _Level(left=count * each, is_map=each == 2)

    def _text(self, size: int, level: _Level | None) -> None:
        start = self._place()
        begin = self._peek(min(size, 32))
        self._skip(size)
        if begin.startswith(_TELLING) or self._is_old_pickle(begin, start, size):
            self._note(start, size)
        elif begin.startswith(MAGICS):
            self._native(start, size)
        if level is None or not level.is_map:
            return
        if not level.left & 1:
            level.key = begin if size <= 32 else b""
        elif level.key == b"kind":
            level.is_object = begin == b"O"
        elif level.key == b"data":
            level.data = start, size

    def _close(self, level: _Level) -> None:
        if level.is_object and level.data is not None:
            self._clock.spend("members", 1, self._limits.members)
            self.pickled.append(level.data)

    def _extension(self, code: int, size: int) -> None:
        start = self._place()
        begin = self._peek(min(size, 300))
        self._skip(size)
        if code == _ARRAY and begin[:1] == b"\x93":
            self.flax = True
            name = _dtype(begin)
            if name in ("object", "O"):
                self._clock.spend("facts", 1, self._limits.facts)
                self.objects.append((start, name))
        elif begin.startswith(_TELLING) or self._is_old_pickle(begin, start, size):
            self._note(start, size)
        elif begin.startswith(MAGICS):
            self._native(start, size)

    def _native(self, start: int, size: int) -> None:
        program = executable(self._blob.stream, start, size)
        if program is not None:
            self._clock.spend("facts", 1, self._limits.facts)
            self.native.append((start, program))

    def _is_old_pickle(self, begin: bytes, start: int, size: int) -> bool:
        """Say whether text could be a pickle without a header: the reader of those says whether it is."""
        if size < 8 or not begin.startswith(_OLD_PICKLE):
            return False
        return read_at(self._blob.stream, start + size - 1, 1) == b"."

    def _note(self, start: int, size: int) -> None:
        if len(self.telling) >= self._limits.members:
            raise LimitReached("members")
        self.telling.append((start, size))

    def _place(self) -> int:
        return self._base + self._at

    def _length(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _take(self, count: int) -> bytes:
        data = self._peek(count)
        if len(data) < count:
            raise _Invalid
        self._at += count
        return data

    def _peek(self, count: int) -> bytes:
        if self._at + count > len(self._buffer):
            self._base, self._at = self._base + self._at, 0
            self._buffer = read_at(
                self._blob.stream, self._base, min(CHUNK, max(self._blob.size - self._base, 0))
            )
        return self._buffer[self._at : self._at + count]

    def _skip(self, count: int) -> None:
        if count > self._blob.size - self._place():
            raise _Invalid
        self._at += count
        if self._at > len(self._buffer):
            self._base, self._at, self._buffer = self._base + self._at, 0, b""


def _dtype(begin: bytes) -> str:
    """Return the type's name in an array of Flax: shape, name, bytes."""
    try:
        at = 1
        first = begin[at]
        dimensions = first & 15
        at += 1
        if first in (0xDC, 0xDD):
            width = 2 if first == 0xDC else 4
            dimensions, at = int.from_bytes(begin[at : at + width], "big"), at + width
        for _ in range(dimensions):
            at += 1 + _FIXED.get(begin[at], 0)
        first = begin[at]
        width = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4}.get(first, 0)
        at += 1 + width
        size = int.from_bytes(begin[at - width : at], "big") if width else first & 31
        return begin[at : at + size].decode("latin-1")
    except (IndexError, struct.error):
        return ""
