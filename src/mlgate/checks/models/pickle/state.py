"""The unpickler's state, and how it reads bytes and keeps values."""

from itertools import pairwise
from typing import Any, Self

from mlgate.checks.models.pickle import joblib, nested
from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle.events import Event, Recorder
from mlgate.checks.models.pickle.idioms import Idioms
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.values import (
    ARRAY,
    CONTAINERS,
    KEEP,
    MORE,
    NUMBER,
    Global,
    Payload,
    Unknown,
    cut,
)
from mlgate.checks.models.pickle.weight import heavier, light, lighten
from mlgate.checks.models.pickle.window import MARGIN, WINDOW, Window
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

# Longest line and longest name that are read; CPython's own have no limit.
_LONGEST_LINE = 1 << 20
LONGEST_NAME = 4096
_FIRST = 4096
# Marks on the stack: Python's own pickler recurses a thousand levels deep at most.
_MARKS = 100_000
# The stack may hold about so much, and so much may be made before it is weighed again.
_LIGHT = 8 << 20
# What executing an opcode leaves behind at most, about.
_OBJECT = 90
# Rounds of weighing after which the memo keeps offsets.
_EARLY = 1
# Values on top of a heavy stack that are left as they are, at first.
_SPARE = 8
# Values of one frame.
_LONG = 10_000
# Decoded payloads that are kept until they are read.
_DECODED = 8 << 20
_NUMBERS = frozenset((int, float, bool, type(None)))


class Broken(Exception):  # noqa: N818 - the stream is broken, mlgate is not
    """The C unpickler raises here."""


class Truncated(Exception):  # noqa: N818 - an answer, not an error
    """The stream ends before STOP."""


class Paused(Exception):  # noqa: N818 - an answer, not an error
    """The raw bytes of an array follow in the stream."""


class State:
    """State of one unpickler, and all opcodes but the most frequent.

    Args:
        window: The bytes.
        start: Offset of the stream's first opcode.
        recorder: Told what the stream does.
        limits: Opcodes, stack and memo entries, members.
        clock: Asked once a window.
        memo: Entries that the loader's unpickler already holds.
        keep: Items of lists and dicts that are kept.

    Attributes:
        position: Offset of the next opcode.
        protocol: As PROTO last set it.
        opcodes: Executed so far.
        result: What STOP returned.
        error: Why the stream is broken.
        missing_memo: Whether it broke on a memo entry that was never written.
        array: Of a joblib array: where its bytes begin is :attr:`position`.
        nested: Payloads that look like pickles, or are loaded as such.
        frame_end: Offset after the current frame; 0 outside of frames.
        spilled: Bytes (from, to) that C's unpickler drops when it reads from a file, because a
            frame ends inside an opcode; the first such bytes of the stream.
        graphs: Offset and arguments of calls that execute Python source.
        templates: Offset and state of objects that execute a text of their state.
        imported: What GLOBAL has imported, by its lines.
        idioms: What its calls have in common.
        skipped: Opcodes that were taken in runs of them and of texts.
        numbers: Opcodes in runs of numbers, of which nothing is kept.
        storages: Bytes of each torch storage that a persistent id names, by its key.
    """

    def __init__(
        self,
        window: Window,
        start: int,
        recorder: Recorder,
        limits: Limits,
        clock: Clock,
        *,
        memo: Memo | None = None,
        keep: int = KEEP,
        arrays: bool = True,
    ) -> None:
        self.window, self.start, self.position = window, start, start
        self.recorder, self.limits, self.clock, self.keep = recorder, limits, clock, keep
        self.memo = Memo(window) if memo is None else memo
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.protocol = 0
        self.opcodes = 0
        self.result: Any = None
        self.error = ""
        self.missing_memo = False
        self.array: joblib.Array | None = None
        self.nested: list[nested.Nested] = []
        self.storages: dict[str, int] = {}
        self.frame_end = 0
        self.spilled: tuple[int, int] | None = None
        self.arrays = arrays
        self.graphs: list[tuple[int, Any]] = []
        self.templates: list[tuple[int, Any]] = []
        self.imported: dict[bytes, tuple[Global, Event]] = {}
        self.idioms = Idioms()
        self.skipped = self.numbers = 0
        self._made = self._steps = self._rounds = 0
        self._shortened: tuple[list[Any], int] = self.stack, KEEP
        self._forms = light()
        self._held = b""
        self._base = start
        # Most streams of a file with many are short.
        self._width = _FIRST

    def load(self, offset: int) -> tuple[bytes, int]:
        """Return the window at ``offset``, padded, and how much of it may be used."""
        self._held, usable = self.window.load(offset, self._width)
        self._base, self._width = offset, WINDOW
        return self._held, usable

    def leave_frame(self, opcode_at: int) -> None:
        """Note what is lost where the opcode at this offset reaches beyond the current frame.

        C's unpickler reads a frame ahead. Where a later read wants more than is left of it,
        the rest is dropped and the read starts behind the frame (``_Unpickler_ReadImpl``;
        not where the file has ``peek``, and not for bytes in memory).
        """
        end, self.frame_end = self.frame_end, 0
        if self.spilled is not None or opcode_at >= end:
            return
        data = self.window.read(opcode_at, LONGEST_NAME)
        parts = op.arguments(data, 0)
        for start, stop in pairwise(parts):
            if opcode_at + start < end < opcode_at + stop:
                self.spilled = (opcode_at + start, end)

    def resume(self, offset: int) -> None:
        """Go on after an array, whose place on the stack anything may take."""
        self.stack.append(ARRAY)
        self.array, self.position = None, offset

    def fork(self, recorder: Recorder) -> Self:
        """Return a machine in the same state that knows nothing of joblib's arrays."""
        other = type(self)(
            self.window, self.start, recorder, self.limits, self.clock, memo=self.memo.copy(), arrays=False
        )
        other.stack = [*self.stack, ARRAY]
        other.marks = [list(frame) for frame in self.marks]
        other.position, other.protocol = self.position, self.protocol
        return other

    def breathe(self, taken: int, steps: int) -> None:
        """Check the limits on time and memory, and hold less where much is held.

        Args:
            taken: Bytes of the window that was left.
            steps: Opcodes executed so far.

        Raises:
            LimitReached: One of them was hit.
        """
        self.clock.check()
        below = sum(map(len, self.marks))
        held = len(self.memo) + len(self.stack) + len(self.marks) + below
        if held > self.limits.stack or len(self.marks) > _MARKS:
            raise LimitReached("stack")
        if len(self.stack) > _LONG:
            self._shorten()
        self._made += min(taken, WINDOW) + _OBJECT * (steps - self._steps)
        self._steps = steps
        if self._made < _LIGHT:
            return
        self._made = 0
        self._rounds += 1
        if self._rounds > _EARLY:
            self.memo.condense()
        for spare in (_SPARE, 0):
            if not heavier((self.stack, *self.marks), _LIGHT):
                break
            for frame in self.marks:
                lighten(frame, 0, len(frame), self._forms)
            lighten(self.stack, 0, len(self.stack) - spare, self._forms)

    def _shorten(self) -> None:
        """Forget what lies deep in a long frame: of a container's items only the first are kept."""
        frame, start = self._shortened
        end = len(self.stack) - _SPARE
        if frame is not self.stack or start > end:
            start = KEEP
        lighten(self.stack, start, end, self._forms)
        self._shortened = self.stack, end

    def line(self) -> bytes | None:
        """Read a line without its end, as C's unpickler does; None for a line of excessive length."""
        start = self.position - self._base
        found = self._held.find(b"\n", start) if start < len(self._held) else -1
        if found >= 0:
            self.position += found + 1 - start
            return self._held[start:found]
        line, self.position = self.window.line(self.position, _LONGEST_LINE)
        return line

    def peek(self, offset: int, size: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on."""
        start = offset - self._base
        if start >= 0 and start + size + MARGIN <= len(self._held):
            return self._held[start : start + size]
        return self.window.read(offset, size)

    def remember(self, lines: bytes, found: Any) -> None:
        """Import the same at once when GLOBAL comes with the same lines again."""
        if type(found) is Global and not found.dotted and lines.isascii() and len(lines) <= LONGEST_NAME:
            event = self.recorder.imported(found)
            if event is not None:
                self.imported[lines] = found, event

    def text_line(self, encoding: str, what: str) -> str:
        """Read a line as text; an overlong one is cut."""
        line = self.line()
        if line is None:
            return "<a line of more than a mebibyte>"
        try:
            return line[:LONGEST_NAME].decode(encoding)
        except UnicodeDecodeError as error:
            raise Broken(f"a {what} that is not {encoding}") from error

    def grow(self, target: list[Any], items: list[Any]) -> None:
        """Add items to a container that holds no more than :attr:`keep`; say where some are not kept."""
        room = self.keep - len(target)
        if room > 0:
            target += self.kept(items[:room])
        if len(items) > room and not _numbers(items):
            target.append(MORE)

    def some(self, items: list[Any]) -> list[Any]:
        """Return what is kept of a new container's items."""
        made: list[Any] = []
        self.grow(made, items)
        return made

    def kept(self, items: list[Any]) -> list[Any]:
        """Return the items, with containers that are nested too deep cut off."""
        for index, item in enumerate(items):
            if type(item) in CONTAINERS:
                items[index] = cut(item)
        return items

    def payload(self, kind: str, offset: int, size: int) -> Any:
        """Take text or bytes that are too long to keep, without reading them."""
        if offset + size > self.window.size:
            if size > self.window.size + (1 << 30):
                self.recorder.note("amplification", "payload length", offset, size=size)
            raise Truncated
        encoding = nested.encoding(self.window.read(offset, nested.HEAD), text=kind == "text")
        if encoding is not None:
            self.add_nested(offset, size, encoding)
        return Payload(kind, offset, size)

    def nested_text(self, text: str, offset: int) -> None:
        """Look at short text that begins as a pickle could, plain or encoded."""
        if len(text) < nested.SHORTEST_CODED and text[0] not in nested.PLAIN_STARTS:
            return
        self.nested_bytes(text.encode("utf-8", "surrogatepass"), offset, text=True)

    def nested_bytes(self, data: bytes, offset: int, *, text: bool = False) -> None:
        """Look at short bytes, or at the UTF-8 of short text."""
        encoding = nested.encoding(data, text=text)
        if encoding is not None:
            self.add_nested(offset, len(data), encoding)

    def add_nested(
        self, offset: int, size: int, encoding: str, data: bytes | None = None, *, loaded: bool = False
    ) -> None:
        """Note a payload that looks like a pickle; see :class:`~.nested.Nested`."""
        self.clock.spend("members", 1, self.limits.members)
        if data is not None:
            self.recorder.decoded += len(data)
            if self.recorder.decoded > _DECODED:
                raise LimitReached("members")
        self.nested.append(nested.Nested(offset, size, encoding, data, loaded=loaded))

    def large_memo(self, index: int, offset: int) -> None:
        """Note a memo index that makes the unpickler allocate a table of that size."""
        self.recorder.note("amplification", "memo index", offset, size=index)


def _numbers(items: list[Any]) -> bool:
    if items.count(NUMBER) == len(items):
        return True
    kinds = set(map(type, items))
    return kinds <= _NUMBERS or (
        kinds <= _NUMBERS | {Unknown} and all(type(item) is not Unknown or item is NUMBER for item in items)
    )
