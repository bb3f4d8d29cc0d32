"""Calls that come again and again in the same few opcodes, taken in one go.

A list of a million dates is one idiom a million times: a name from the memo, a text or some bytes, a
tuple, a call, and memo entries in between. Once a call has come twice with nothing but such opcodes in
between, the bytes between the two are made into a regular expression in which only operands vary that
nobody looks at, and the longest run of it is counted at once.

Nothing is guessed: whatever could make a difference ends the run, and the ordinary loop goes on from
there. That is a text that is no text or begins as a pickle could, a text in a place where texts are
told apart, a memo index that is not the next one, another entry of the memo, another opcode, the end of
a frame or of the window. Of what the calls of a run returned, and of the tuples that they were given,
the memo and the stack keep the kind: results of this call, with arguments that may be anything.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from mlgate.checks.models.pickle.events import Event
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.operands import (
    LONGEST,
    Texts,
    consecutive,
    entries,
    remember,
    short_bytes,
    short_text,
    whole_texts,
)
from mlgate.checks.models.pickle.values import CONTAINERS, UNKNOWN, Global, Made, cut, likeness

# An idiom is no longer, in bytes.
_LONGEST = 200
# Expressions that one stream may have compiled.
_MOST = 64
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_CONSTANTS: dict[int, Any] = {0x4E: None, 0x88: True, 0x89: False, 0x29: ()}
# Numbers of an array: of a few bytes, in a list.
_LIST = rb"(?:\((?:K.){2,8}e|K.a)"


class Idiom(Struct):
    """What one turn of an idiom does.

    Attributes:
        source: Of its regular expression.
        groups: What its groups hold, by their numbers from 0: ``index``, ``text``, ``list``, or "".
        puts: What is written to the memo, in order: a text's group, a value.
        events: Of its calls.
        result: What it leaves on the stack.
        opcodes: Without those of its lists.
    """

    source: bytes
    groups: list[str]
    puts: list[int | Any]
    events: list[Event]
    result: Made
    opcodes: int


class Place(Struct, frozen=True):
    """Where an idiom was seen.

    Attributes:
        buffer: The window.
        start: Where the first of two calls, and the memo entry of its result, ended.
        end: Where the second did.
        soft: End of the frame, or of what may be used of the window.
        base: Offset of the window.
    """

    buffer: bytes
    start: int
    end: int
    soft: int
    base: int


class Run(Struct, frozen=True):
    """How far a run went.

    Attributes:
        end: Where it ends.
        turns: How many it took.
        opcodes: How many these have.
    """

    end: int
    turns: int = 0
    opcodes: int = 0


class Idioms:
    """The idioms of one stream."""

    def __init__(self) -> None:
        self._compiled: dict[bytes, tuple[re.Pattern[bytes], re.Pattern[bytes]]] = {}

    def run(self, place: Place, memo: Memo, stack: list[Any]) -> Run:
        """Take as many turns as there are, of the idiom that stands between two calls.

        Args:
            place: Where the two are.
            memo: Written to; without holes.
            stack: Gets the results.
        """
        nothing = Run(place.end)
        if place.end - place.start > _LONGEST:
            return nothing
        idiom = _Reader(place, memo).idiom()
        if idiom is None:
            return nothing
        found = self._compiled.get(idiom.source)
        if found is None:
            if len(self._compiled) >= _MOST:
                return nothing
            found = re.compile(idiom.source, re.DOTALL), re.compile(b"(?:%b)++" % idiom.source, re.DOTALL)
            self._compiled[idiom.source] = found
        one, many = found
        run = many.match(place.buffer, place.end, place.soft)
        if run is None:
            return nothing
        turns = list(one.finditer(place.buffer, place.end, run.end()))
        opcodes = _taken(idiom, turns, place.base, memo)
        if not opcodes:
            return nothing
        for event in idiom.events:
            event.count += len(turns)
        stack += [idiom.result] * (len(turns) - 1)
        # The last may still be given a state.
        stack.append(Made(idiom.result.maker, None, "call"))
        return Run(run.end(), len(turns), opcodes)


def _taken(idiom: Idiom, turns: Sequence[re.Match[bytes]], base: int, memo: Memo) -> int:
    """Check what an expression cannot, and write the memo; return the number of opcodes, or 0."""
    rows = [turn.groups() for turn in turns]
    indexes = [number for number, what in enumerate(idiom.groups) if what == "index"]
    opcodes = idiom.opcodes * len(turns)
    columns = dict(enumerate(idiom.puts))
    if indexes and not consecutive([row[number] for row in rows for number in indexes], entries(memo)):
        return 0
    for number, what in enumerate(idiom.groups):
        if what == "text":
            texts = whole_texts([row[number] for row in rows])
            if texts is None:
                return 0
            offsets = [base + turn.start(number + 1) for turn in turns]
            columns |= {
                at: Texts(texts, offsets)
                for at, put in enumerate(idiom.puts)
                if type(put) is int and put == number
            }
        elif what == "list":
            # Of one number APPEND; of several MARK and APPENDS.
            opcodes += sum(2 if len(row[number]) == 3 else len(row[number]) // 2 + 1 for row in rows)
    remember(memo, list(columns.values()), len(turns))
    return opcodes


class _Text(Struct, frozen=True):
    """A text of a turn: which part of the expression and which group it is, and its token."""

    part: int
    group: int
    written: bytes


class _Reader:
    """Reads the opcodes of one turn, which the machine has just executed, and follows its values."""

    def __init__(self, place: Place, memo: Memo) -> None:
        self._buffer, self._at, self._end, self._memo = place.buffer, place.start, place.end, memo
        self._parts: list[bytes] = []
        self._groups: list[str] = []
        self._puts: list[int | Any] = []
        self._events: list[Event] = []
        # Values; of a text with where it stands, of a tuple with those of its items.
        self._stack: list[tuple[Any, Any]] = []
        self._marks: list[int] = []
        self._opcodes = 0

    def idiom(self) -> Idiom | None:
        """Return the idiom, or None where it does anything that idioms do not."""
        while self._at < self._end:
            self._opcodes += 1
            if not self._step(self._buffer[self._at]):
                return None
        last = self._stack[0][0] if len(self._stack) == 1 and not self._marks else None
        if type(last) is not Made or self._at != self._end or not self._events:
            return None
        return Idiom(
            b"".join(self._parts), self._groups, self._puts, self._events, last, self._opcodes
        )  # fmt: skip

    def _step(self, opcode: int) -> bool:
        at, buffer = self._at, self._buffer
        if opcode in (0x68, 0x6A):  # BINGET, LONG_BINGET
            size = 2 if opcode == 0x68 else 5
            value = self._memo.get(int.from_bytes(buffer[at + 1 : at + size], "little"))
            return self._literal(size, value) and type(value) not in CONTAINERS
        if opcode in (0x94, 0x72):  # MEMOIZE, LONG_BINPUT
            return self._put(opcode)
        if opcode in _TUPLES:
            return len(self._stack) >= _TUPLES[opcode] and self._tuple(_TUPLES[opcode])
        if opcode == 0x28:  # MARK
            self._marks.append(len(self._stack))
            return self._skip(b"\\(", 1)
        if opcode == 0x74:  # TUPLE
            return bool(self._marks) and self._tuple(len(self._stack) - self._marks.pop())
        if opcode == 0x52:  # REDUCE
            return len(self._stack) >= 2 and self._call()
        if opcode in (0x8C, 0x58):  # SHORT_BINUNICODE, BINUNICODE
            head = 2 if opcode == 0x8C else 5
            size = buffer[at + 1] if head == 2 else int.from_bytes(buffer[at + 1 : at + 5], "little")
            text = buffer[at + head : at + head + size].decode("utf-8", "replace")
            origin = _Text(len(self._parts), len(self._groups), buffer[at : at + head + size])
            self._stack.append((text, origin))
            self._groups.append("text")
            return size <= LONGEST and self._skip(b"(%b)" % short_text(opcode), head + size)
        if opcode == 0x43:  # SHORT_BINBYTES
            self._stack.append((buffer[at + 2 : at + 2 + buffer[at + 1]], ()))
            return buffer[at + 1] <= LONGEST and self._skip(short_bytes(), 2 + buffer[at + 1])
        return self._plain(opcode)

    def _plain(self, opcode: int) -> bool:
        """Read a number, a constant, or a list of small numbers."""
        at, buffer = self._at, self._buffer
        size = {0x4B: 2, 0x4D: 3, 0x4A: 5}.get(opcode)
        if size is not None:
            self._stack.append((0, ()))
            return self._skip(b"(?:K.|M..|J....)", size)
        if opcode == 0x47:  # BINFLOAT
            self._stack.append((0.0, ()))
            return self._skip(b"G.{8}", 9)
        if opcode in _CONSTANTS:
            return self._literal(1, _CONSTANTS[opcode])
        found = _list().match(buffer, at, self._end) if opcode == 0x5D else None
        if found is None:
            return False
        self._stack.append(([0], ()))
        put = {b"r": b"r(....)", b"\x94": b"\x94"}.get((found[1] or b"")[:1], b"")
        if put:
            self._opcodes += 1
            self._puts.append([UNKNOWN])
            self._groups += ["index"] * (put != b"\x94")
        self._groups.append("list")
        return self._skip(rb"\]%b(%b)" % (put, _LIST), found.end() - at)

    def _literal(self, size: int, value: Any, origin: Any = ()) -> bool:
        self._stack.append((value, origin))
        return self._skip(re.escape(self._buffer[self._at : self._at + size]), size)

    def _skip(self, source: bytes, size: int) -> bool:
        self._parts.append(source)
        self._at += size
        return self._at <= self._end

    def _put(self, opcode: int) -> bool:
        if not self._stack:
            return False
        value, text = self._stack[-1]
        kind = type(value)
        if type(text) is _Text:
            self._puts.append(text.group)
        elif kind in (tuple, bytes):
            self._puts.append(UNKNOWN)
        elif kind is Made:
            self._puts.append(value)
        else:
            return False
        if opcode == 0x94:
            return self._skip(b"\x94", 1)
        self._groups.append("index")
        return self._skip(b"r(....)", 5)

    def _tuple(self, size: int) -> bool:
        items = self._stack[len(self._stack) - size :]
        del self._stack[len(self._stack) - size :]
        made = tuple(cut(value) if type(value) in CONTAINERS else value for value, _ in items)
        return self._literal(1, made, [where for _, where in items])

    def _call(self) -> bool:
        """Follow a call that is the same, as far as anybody looks, as one that was recorded."""
        args, origins = self._stack.pop()
        callee, _ = self._stack.pop()
        if type(callee) is not Global or type(args) is not tuple or not callee.quick:
            return False
        event = callee.quick.get(likeness(args, callee.varied))
        if event is None:
            return False
        for place, text in enumerate(origins):
            if type(text) is _Text and place not in callee.varied:
                # Texts in this place are told apart: it is this one or none.
                self._parts[text.part] = b"(%b)" % re.escape(text.written)
        self._events.append(event)
        self._stack.append((Made(callee, None, "call"), ()))
        return self._skip(b"R", 1)


@cache
def _list() -> re.Pattern[bytes]:
    return re.compile(rb"\](\x94|r....)?%b" % _LIST, re.DOTALL)
