"""Messages of a protobuf schema as a flat stream of events, alike for both of its forms.

A reader says which fields lead to what it is after; all others are stepped over. The
binary form is read from the stream, the text form by a tolerant tokenizer: neither
recurses, and neither copies a tensor.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

from msgspec import Struct

from mlgate.checks.models.formats._wire import BYTES, VARINT, Field, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.text import Lines, read_text
from mlgate.core.limits import Limits

ENTER, LEAVE, VALUE = range(3)
TEXT, RAW, SPAN, NUMBER, NUMBERS = "text", "raw", "span", "number", "numbers"

# For each kind of message, what its fields are called and what they hold: TEXT, RAW for bytes
# that become a text of as many characters, SPAN for what is only measured, NUMBER, NUMBERS for
# those that may be packed, or a kind of message.
Schema: TypeAlias = Mapping[str, Mapping[int, tuple[str, str]]]

# Of a text; names and paths are shorter.
_LONGEST = 4096
# protobuf's own parsers stop at 100.
_DEEPEST = 200

_CLOSE, _BETWEEN, _MARKS = "]", (",",), "{}<>[]:,;"


class Event(Struct, frozen=True):
    """A message begins or ends, or a field has a value.

    Attributes:
        act: ``ENTER``, ``LEAVE`` or ``VALUE``.
        message: Kind of the message that is entered or left, or that holds the value.
        field: Name of the value's field; for ``ENTER``, of the field that holds the message.
        value: Of a field. A text of the binary form ends after 4,096 bytes; a number of the
            text form may be the name of an enumeration's value.
        at: Byte offset of the payload, or the line in the text form.
        end: Behind the payload, in the binary form.
    """

    act: int
    message: str
    field: str = ""
    value: str | int = ""
    at: int = 0
    end: int = 0


def events(
    wire: Wire, start: int, end: int, schema: Schema, root: str, *, crowded: frozenset[str] = frozenset()
) -> Iterator[Event]:
    """Yield what the message between two offsets holds, if it is one of kind ``root``.

    Fields that the schema does not have, or has with another wire type, are stepped over,
    as protobuf's own parsers do. A message that runs past the end of what holds it is read
    to that end.

    Args:
        wire: The bytes.
        start: Of the message.
        end: Behind it.
        schema: What to look for.
        root: The message's kind.
        crowded: Kinds of messages that have other fields by the million.

    Raises:
        Malformed: It is no message. What was yielded before stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    broken: Malformed | None = None
    # Kinds of the messages that are open, with their ends: the last is the one that is read.
    stack: list[tuple[str, int]] = []
    kind, stop, at = root, end, start
    slots = schema[kind]
    count = 0
    while True:
        if at >= stop:
            if not stack:
                break
            yield Event(LEAVE, kind)
            kind, stop = stack.pop()
            slots = schema[kind]
            continue
        count += 1
        if not count & 0xFFF:
            wire.clock.check()
        if kind in crowded:
            try:
                behind = wire.skip(at, stop, frozenset(slots))
            except Malformed as malformed:
                broken = broken or malformed
                behind = stop
            if behind > at:
                at = behind
                continue
        # One byte of key and one of length, or of number: nearly all fields.
        place = at - wire.origin
        data = wire.buffer
        key = short = 0x80
        if 0 <= place < len(data) - 1:
            key, short = data[place], data[place + 1]
        if 8 <= key < 0x80 and short < 0x80 and key & 7 == BYTES and at + 2 + short <= stop:
            number, form, value, first, at = key >> 3, BYTES, 0, at + 2, at + 2 + short
        elif 8 <= key < 0x80 and short < 0x80 and key & 7 == VARINT and at + 2 <= stop:
            number, form, value, first, at = key >> 3, VARINT, short, at + 1, at + 2
        else:
            try:
                field = wire.field(at, stop)
            except Malformed as malformed:
                broken = broken or malformed
                at = stop
                if not 0 < malformed.start < stop:
                    continue
                field = Field(malformed.field, BYTES, 0, malformed.start, stop)
            if field is None:
                at = stop
                continue
            number, form, value, first, at = field.number, field.wire, field.value, field.start, field.end
        slot = slots.get(number)
        if slot is None:
            continue
        name, holds = slot
        if form == VARINT:
            if holds in (NUMBER, NUMBERS):
                yield Event(VALUE, kind, name, value, first, at)
        elif holds == NUMBERS:
            for value in wire.numbers(Field(number, form, 0, first, at)):
                yield Event(VALUE, kind, name, value, first, at)
        elif form != BYTES or holds == NUMBER:
            continue
        elif holds in (TEXT, RAW):
            payload = wire.data(Field(number, form, 0, first, at), _LONGEST)
            text = payload.decode("utf-8", "backslashreplace") if holds == TEXT else payload.decode("latin-1")
            yield Event(VALUE, kind, name, text, first, at)
        elif holds == SPAN:
            yield Event(VALUE, kind, name, "", first, at)
        else:
            if len(stack) >= _DEEPEST - 1:
                raise LimitReached("depth")
            yield Event(ENTER, holds, name, at=first, end=at)
            stack.append((kind, stop))
            kind, stop, at = holds, at, first
            slots = schema[kind]
    if broken is not None:
        raise broken


def text_events(text: str, schema: Schema, root: str, clock: Clock) -> Iterator[Event]:
    """Yield what a message in text form holds, if it is one of kind ``root``.

    Raises:
        Malformed: The text is no message; the offset is its line. What was yielded stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    by_name = {kind: dict(slots.values()) for kind, slots in schema.items()}
    tokens = _Tokens(text, clock)
    # Kinds of the open messages, "" where nothing is known of them, and the names of the
    # fields that hold them, kept where the message is an item of a list.
    stack: list[tuple[str, str]] = [(root, "")]
    name = ""
    listed = colon = False
    while True:
        kind = stack[-1][0]
        if not name:
            token = tokens.next()
            if not token and len(stack) == 1:
                return
            if token in ("}", ">") and len(stack) > 1:
                left, name = stack.pop()
                # An item of a list: the colon stands before the list.
                listed = colon = bool(name)
                if left:
                    yield Event(LEAVE, left)
            elif token in (",", ";"):
                continue
            elif _named(token):
                name = token
                colon = tokens.peek() == ":"
                if colon:
                    tokens.next()
                if tokens.peek() == "[":
                    tokens.next()
                    listed = True
            else:
                raise Malformed(tokens.line)
            continue
        token = tokens.next()
        line = tokens.line
        holds = by_name[kind].get(name, "") if kind else ""
        if token in ("{", "<"):
            if len(stack) >= _DEEPEST:
                raise LimitReached("depth")
            inner = holds if holds in schema else ""
            if inner:
                yield Event(ENTER, inner, name, at=line)
            stack.append((inner, name if listed else ""))
            name, listed = "", False
        elif listed and token == _CLOSE:
            name, listed = "", False
        elif listed and token in _BETWEEN:
            continue
        elif not token or token in _MARKS or not colon:
            raise Malformed(line)
        else:
            value = _value(token, tokens)
            if holds in (TEXT, RAW, SPAN, NUMBER, NUMBERS):
                yield Event(VALUE, kind, name, value, line)
            name = name if listed else ""


def text_form(blob: Blob, limits: Limits, words: tuple[str, ...], marks: str, names: tuple[str, ...]) -> str:
    """Return a text that may hold a message in text form.

    Args:
        blob: Of any size.
        limits: Of the policy.
        words: One of them is in all that the pattern matches: they are found much sooner.
        marks: A pattern that the text form of such a message cannot do without.
        names: Endings of names that promise one.

    Raises:
        Declined: It holds none.
        LimitReached: It is longer than ``limits.text_bytes``, and its name or beginning
            says that it holds one.
    """
    if blob.size <= limits.text_bytes and not any(word in read_text(blob, limits) for word in words):
        raise Declined
    mark = re.compile(marks)
    if blob.size > limits.text_bytes and not (
        blob.name.endswith(names) or mark.search(blob.head.decode("latin-1"))
    ):
        raise Declined
    text = read_text(blob, limits)
    if mark.search(text) is None:
        raise Declined
    return text


def _value(token: str, tokens: "_Tokens") -> str | int:
    if token[0] in "\"'":
        parts = [_unescaped(token)]
        while tokens.peek()[:1] in ('"', "'"):
            parts.append(_unescaped(tokens.next()))
        return "".join(parts)
    try:
        return int(token, 0)
    except ValueError:
        return token


def _unescaped(token: str) -> str:
    return _escape().sub(_character, token[1:-1])


def _character(found: re.Match[str]) -> str:
    digits = found[1]
    if digits[0] in "xXuU" and len(digits) > 1:
        code = int(digits[1:], 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    if digits[0] in "01234567":
        return chr(int(digits, 8))
    return _SHORT.get(digits, digits)


_SHORT = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _named(token: str) -> bool:
    return token[:1].isalpha() or token[:1] == "_" or (token[:1] == "[" and len(token) > 1)


class _Tokens:
    """The tokens of a text, one ahead, with the line of the last."""

    def __init__(self, text: str, clock: Clock) -> None:
        self._match = _token().match
        self._text = text
        self._clock = clock
        self._lines = Lines(text)
        self._at = self._count = 0
        self._ahead: tuple[str, int] | None = None
        self.line = 1

    def peek(self) -> str:
        if self._ahead is None:
            self._ahead = self._read()
        return self._ahead[0]

    def next(self) -> str:
        token, start = self._ahead or self._read()
        self._ahead = None
        self.line = self._lines.at(start)
        return token

    def _read(self) -> tuple[str, int]:
        self._count += 1
        if not self._count & 0xFFF:
            self._clock.check()
        found = self._match(self._text, self._at)
        if found is None:
            raise Malformed(self._lines.at(self._at))
        self._at = found.end()
        return found[1], found.start(1)


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        r"(?:\s|#[^\n]*+)*+"
        r"([{}<>:,;]|\[[A-Za-z_][\w./-]*+\](?=\s*+[:{<])|[\[\]]|[-+]?\s*+[\w.][\w.+-]*+"
        r"|\"(?:[^\"\\\n]|\\[\s\S])*+\"|'(?:[^'\\\n]|\\[\s\S])*+'|\Z)"
    )


@cache
def _escape() -> re.Pattern[str]:
    return re.compile(r"\\([xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\s\S])")
