"""Paddle's programs (``.pdmodel``, ``__model__``): operators that leave the computation."""

import re
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType

from mlgate.checks.models.formats._messages import ENTER, LEAVE, NUMBER, TEXT, VALUE, events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "paddle"
KIND = "model"
ORDER = 50

# framework.proto.
_SCHEMA = MappingProxyType(
    {
        "program": {1: ("blocks", "block")},
        "block": {1: ("idx", NUMBER), 3: ("vars", "variable"), 4: ("ops", "operator")},
        "variable": {1: ("name", TEXT)},
        "operator": {3: ("type", TEXT), 4: ("attrs", "attribute")},
        "attribute": {1: ("name", TEXT), 5: ("s", TEXT)},
    }
)
# What calls a function of the process by its number.
_PYTHON = frozenset({"py_func", "py_layer"})
# What reads or writes the file that `file_path` names.
_FILES = frozenset(
    {"save", "load", "save_combine", "load_combine", "sparse_tensor_load", "recv_save", "checkpoint_notify"}
)


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be that of a protobuf message."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, 1, BYTES, 3, 5)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the operators that call Python, and the files outside the folder that others name.

    Raises:
        Declined: It has no block with an operator in it.
        LimitReached: It names too many.
    """
    if (1, BYTES) not in outline(blob, clock):
        raise Declined
    found: dict[tuple[str, str], Fact] = {}
    operators = cut = at = 0
    indexed = False
    kind = name = value = ""
    paths: list[str] = []
    try:
        for event in events(Wire(blob.stream, clock), 0, blob.size, _SCHEMA, "program"):
            if event.act == ENTER and event.message == "operator":
                kind, paths, at = "", [], event.at
            elif event.act == ENTER and event.message == "attribute":
                name = value = ""
            elif event.act == ENTER and event.message == "block":
                indexed = False
            elif event.act == VALUE and event.field == "idx":
                indexed = True
            elif event.act == LEAVE and event.message == "block" and not indexed:
                # Every block must say which it is: no parser takes a program without.
                break
            elif event.act == VALUE and event.message == "attribute":
                name, value = (str(event.value), value) if event.field == "name" else (name, str(event.value))
            elif event.act == VALUE and event.field == "type":
                kind = str(event.value)
            elif event.act == LEAVE and event.message == "attribute" and name == "file_path":
                paths.append(value)
            elif event.act == LEAVE and event.message == "operator" and _name().fullmatch(kind):
                operators += 1
                for fact in _facts(blob, kind, paths, at):
                    clock.spend("facts", (fact.kind, fact.subject) not in found, limits.facts)
                    found.setdefault((fact.kind, fact.subject), fact)
    except LimitReached:
        yield from found.values()
        raise
    except Malformed as malformed:
        cut = malformed.offset or 1
    if not operators or not (indexed or cut):
        raise Declined
    yield from found.values()
    if cut:
        yield blob.not_checked(
            "truncated", "the program ends within a part of it, or is damaged; fetch it again", offset=cut
        )


def _facts(blob: Blob, kind: str, paths: list[str], at: int) -> Iterator[Fact]:
    if kind in _PYTHON:
        yield blob.fact("native.function", kind, offset=at, what="Paddle operator")
    if kind in _FILES:
        for path in paths:
            way = escape(path)
            if way is not None:
                yield blob.fact("native.path", printable(path), offset=at, format=FORMAT, escape=way)


@cache
def _name() -> re.Pattern[str]:
    return re.compile(r"[a-z_][\w.@]{0,99}", re.ASCII)
