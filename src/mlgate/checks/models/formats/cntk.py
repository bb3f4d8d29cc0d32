"""CNTK models (``.dnn``, ``.model``): functions of Python and of libraries that they load."""

import re
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType

from msgspec import Struct

from mlgate.checks.models.formats._messages import ENTER, LEAVE, NUMBER, TEXT, VALUE, Event, events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "cntk"
KIND = "model"
ORDER = 50

# CNTK.proto: dictionaries of values, which can be dictionaries.
_SCHEMA = MappingProxyType(
    {
        "dictionary": {1: ("version", NUMBER), 2: ("data", "entry")},
        "entry": {1: ("key", TEXT), 2: ("value", "value")},
        "value": {
            8: ("string_value", TEXT),
            11: ("vector_value", "vector"),
            12: ("dictionary_value", "dictionary"),
        },
        "vector": {1: ("value", "value")},
    }
)
_TYPES = frozenset(
    {"CompositeFunction", "PrimitiveFunction", "UserDefinedFunction", "NativeUserDefinedFunction"}
)


class _Dictionary(Struct):
    """A dictionary while it is read: its texts, and where the module stands."""

    texts: dict[str, str]
    at: int = 0


class _Seen:
    """What dictionaries load, each thing once; and whether one describes a function."""

    def __init__(self, blob: Blob, limits: Limits) -> None:
        self._blob, self._limits = blob, limits
        self._open = [_Dictionary({})]
        # The keys of the entries that are open: a value may stand before its key.
        self._entries: list[tuple[str, Event | None]] = []
        self._found: dict[str, Fact] = {}
        self.function = False

    def feed(self, event: Event) -> None:
        if event.act == ENTER:
            if event.message == "dictionary":
                self._open.append(_Dictionary({}))
            elif event.message == "entry":
                self._entries.append(("", None))
        elif event.act == VALUE and self._entries:
            key, value = self._entries[-1]
            if event.message == "entry":
                self._entries[-1] = str(event.value), value
            elif event.message == "value":
                self._entries[-1] = key, event
        elif event.act == LEAVE and event.message == "entry" and self._entries:
            key, value = self._entries.pop()
            if value is not None:
                last = self._open[-1]
                last.texts[key] = str(value.value)
                last.at = value.at if key == "module" else last.at
        elif event.act == LEAVE and event.message == "dictionary":
            self._end(self._open.pop())

    def facts(self) -> Iterator[Fact]:
        while self._open:
            self._end(self._open.pop())
        yield from self._found.values()

    def _end(self, dictionary: _Dictionary) -> None:
        texts = dictionary.texts
        self.function = self.function or texts.get("type") in _TYPES
        if "module" not in texts:
            return
        if "class" in texts:
            # The loader pastes both into a statement that it executes.
            name = f"{texts['module']}.{texts['class']}"
            self._note("native.module", name, dictionary.at, plain=_dotted().fullmatch(name) is not None)
        elif "deserialize_method" in texts:
            self._note("native.library", texts["module"], dictionary.at)

    def _note(self, kind: str, name: str, at: int, *, plain: bool = True) -> None:
        self.function = True
        if name not in self._found:
            if len(self._found) >= self._limits.facts:
                raise LimitReached("facts")
            self._found[name] = self._blob.fact(
                kind, printable(name, 200), offset=at, what="CNTK function", plain=plain
            )


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be that of a protobuf message."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, 1, BYTES, 3, 5)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the modules and libraries that the model's functions are loaded from.

    Raises:
        Declined: It describes no function.
        LimitReached: It names too many, or is nested too deep.
    """
    if (2, BYTES) not in outline(blob, clock):
        raise Declined
    seen = _Seen(blob, limits)
    cut = 0
    try:
        for event in events(Wire(blob.stream, clock), 0, blob.size, _SCHEMA, "dictionary"):
            seen.feed(event)
    except LimitReached:
        yield from seen.facts()
        raise
    except Malformed as malformed:
        cut = malformed.offset or 1
    facts = list(seen.facts())
    if not seen.function:
        raise Declined
    yield from facts
    if cut:
        yield blob.not_checked(
            "truncated", "the model ends within a part of it, or is damaged; fetch it again", offset=cut
        )


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
