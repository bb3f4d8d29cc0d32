"""ONNX models as JSON: ``.onnxjson``, and ``.json``, which ``onnx.load`` takes as well."""

from collections.abc import Iterator

from mlgate.checks.models.formats._messages import ENTER, LEAVE, VALUE, Event
from mlgate.checks.models.formats._onnx import SCHEMA, Parts
from mlgate.checks.models.formats._properties import properties
from mlgate.checks.models.json_members import Malformed, begins_json, members, mentions
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.text import Lines, looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "onnx-json"
KIND = "model"
ORDER = 60

_WORDS = ("opType", "op_type", "externalData", "external_data")


def sniff(blob: Blob) -> bool:
    """Say whether it can be a JSON document."""
    return begins_json(blob.head) and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the model asks for from elsewhere.

    Raises:
        Declined: It holds no graph, or nothing that a loader would read.
        LimitReached: It asks for too much.
    """
    if blob.size > limits.text_bytes and not blob.name.endswith(".onnxjson"):
        raise Declined
    text = read_text(blob, limits)
    if not mentions(text, _WORDS):
        raise Declined
    parts = Parts(blob, limits, clock, lines=True)
    try:
        for event in _events(text, clock):
            parts.feed(event)
    except Malformed as malformed:
        if not parts.nodes:
            raise Declined from malformed
        yield blob.not_checked("malformed", "the model is no JSON document; export it again")
    except LimitReached:
        yield from parts.facts()
        raise
    if not parts.nodes and not parts.asks:
        raise Declined
    yield from parts.facts()
    yield from properties(blob, parts.properties, FORMAT, lines=True)


def _events(text: str, clock: Clock) -> Iterator[Event]:
    """Yield what the document holds, if it is a model, as the other forms do.

    Raises:
        Malformed: It is no JSON document. What was yielded stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    by_name = {
        kind: {alias: slot for slot in slots.values() for alias in (slot[0], _camel(slot[0]))}
        for kind, slots in SCHEMA.items()
    }
    # The messages that are open: the path of each, and its kind.
    stack: list[tuple[tuple[str | int, ...], str]] = [((), "model")]
    lines = Lines(text)
    for each in members(text, clock):
        line = lines.at(each.offset)
        path = each.path
        while path[: len(stack[-1][0])] != stack[-1][0]:
            yield Event(LEAVE, stack.pop()[1])
        while True:
            at, kind = len(stack[-1][0]), stack[-1][1]
            slot = by_name[kind].get(str(path[at])) if at < len(path) else None
            if slot is None:
                break
            step = at + 2 if at + 1 < len(path) and isinstance(path[at + 1], int) else at + 1
            name, holds = slot
            if holds in SCHEMA and step < len(path):
                stack.append((path[:step], holds))
                yield Event(ENTER, holds, name, at=line)
                continue
            if holds not in SCHEMA and step == len(path):
                value = each.value
                yield Event(VALUE, kind, name, _number(value) if name == "dims" else str(value), line)
            break
    while len(stack) > 1:
        yield Event(LEAVE, stack.pop()[1])


def _number(value: object) -> int | str:
    """Return a number of 64 bits, which JSON writes as a text."""
    try:
        return int(str(value)[:30])
    except ValueError:
        return str(value)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
