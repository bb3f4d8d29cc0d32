"""ONNX: recognised by its structure, walked through every graph in it, tensor bytes skipped."""

from collections.abc import Iterator
from itertools import islice
from types import MappingProxyType

from mlgate.checks.models.formats._wire import BYTES, FIXED32, START, VARINT, Field, Malformed, Wire
from mlgate.checks.models.paths import escape
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "onnx"
KIND = "model"
ORDER = 50

# onnx.proto3: the fields of each message that lead to tensors and nodes.
_CHILDREN = MappingProxyType(
    {
        "model": {7: "graph", 20: "training", 25: "function"},
        "training": {1: "graph", 2: "graph"},
        "function": {7: "node", 11: "attribute"},
        "graph": {1: "node", 5: "tensor", 15: "sparse"},
        "node": {5: "attribute"},
        "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
        "sparse": {1: "tensor", 2: "tensor"},
        "tensor": {13: "entry"},
    }
)
# Messages that repeat other fields, sometimes by the million.
_WANTED = MappingProxyType({kind: frozenset(_CHILDREN[kind]) for kind in ("model", "attribute", "tensor")})
# Fields of a model, by wire type: others are unknown to every version so far.
_MODEL = MappingProxyType(
    {
        1: VARINT,
        2: BYTES,
        3: BYTES,
        4: BYTES,
        5: VARINT,
        6: BYTES,
        7: BYTES,
        8: BYTES,
        14: BYTES,
        20: BYTES,
        25: BYTES,
    }
)
_GRAPH = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
# Operators of these come with every runtime.
_STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
_TEXT = 4096
_DEEPEST = 200
# Fields of a model itself; exporters write a few, and one for each function.
_MOST_FIELDS = 1 << 16


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be a protobuf field's."""
    first = blob.head[:1]
    return blob.size >= 4 and (first[0] & 7) in (VARINT, 1, BYTES, START, FIXED32) and first[0] >= 8


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield which files and operator sets from elsewhere the model asks for.

    Raises:
        Declined: It has not the structure of a model.
        LimitReached: It asks for too many.
    """
    wire = Wire(blob.stream, clock)
    seen = _Seen(limits, clock)
    try:
        cut = _outline(wire, blob.size)
    except Declined:
        # Protobuf's parsers skip what they do not know, and take a model that no exporter writes.
        _unusual(wire, blob.size, seen)
        yield from seen.facts(blob)
        return
    if cut:
        yield blob.not_checked("truncated", "the file ends within the model; fetch it again", offset=cut)
        return
    try:
        _walk(wire, blob.size, seen)
    except Malformed as malformed:
        yield from seen.facts(blob)
        yield blob.not_checked(
            "truncated", "a part of the model is malformed; export it again", offset=malformed.offset
        )
        return
    yield from seen.facts(blob)


def _outline(wire: Wire, size: int) -> int:
    """Check the model's own fields.

    Returns:
        0, or the offset at which the file is cut off.

    Raises:
        Declined: This is no model.
    """
    numbers: set[int] = set()
    graph = False
    try:
        for count, field in enumerate(wire.fields(0, size)):
            if count > _MOST_FIELDS:
                raise Declined
            if _MODEL.get(field.number, field.wire) != field.wire:
                raise Declined
            numbers.add(field.number)
            if field.number == 7 and not graph:
                graph = _is_graph(wire, field)
    except Malformed as malformed:
        if malformed.field == 7 and 1 in numbers and numbers <= _MODEL.keys():
            return malformed.offset
        raise Declined from malformed
    if not graph or not numbers & {1, 8}:
        raise Declined
    return 0


def _unusual(wire: Wire, size: int, seen: "_Seen") -> None:
    """Walk what has not the outline of a model, but could be read as one.

    Raises:
        Declined: It cannot be, or it asks for no file.
    """
    try:
        _walk(wire, size, seen)
    except Malformed as malformed:
        raise Declined from malformed
    if not seen.asks:
        raise Declined


def _is_graph(wire: Wire, field: Field) -> bool:
    """Say whether the first fields of a message are those of a graph."""
    try:
        first = list(islice(wire.fields(field.start, field.end), 4))
    except Malformed:
        return False
    return bool(first) and all(each.number in _GRAPH and each.wire == BYTES for each in first)


class _Seen:
    """What the walk has met, each thing once."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._most = limits.facts
        self._limits, self._clock = limits, clock
        self._locations: dict[str, list[int]] = {}
        self._domains: dict[str, list[int]] = {}
        self._own: set[str] = set()

    @property
    def asks(self) -> bool:
        """Whether any tensor's data is in a file."""
        return bool(self._locations)

    def part(self) -> None:
        """Count a graph or function of the model itself; of others there may be millions."""
        self._clock.spend("members", 1, self._limits.members)

    def location(self, text: str, offset: int) -> None:
        """Note a file that a tensor's data is in."""
        self._note(self._locations, text, offset)

    def domain(self, text: str, offset: int) -> None:
        """Note the operator set of a node."""
        if text not in _STANDARD:
            self._note(self._domains, text, offset)

    def defines(self, text: str) -> None:
        """Note an operator set that the model defines itself."""
        self._own.add(text)

    def facts(self, blob: Blob) -> Iterator[Fact]:
        """Yield a fact for each."""
        for text, (offset, count) in self._locations.items():
            yield blob.fact("onnx.external", printable(text), offset=offset, count=count, escape=escape(text))
        for text, (offset, count) in self._domains.items():
            if text not in self._own:
                yield blob.fact("onnx.domain", printable(text), offset=offset, count=count)

    def _note(self, known: dict[str, list[int]], text: str, offset: int) -> None:
        if text in known:
            known[text][1] += 1
        elif len(known) < self._most:
            known[text] = [offset, 1]
        else:
            raise LimitReached("facts")


def _walk(wire: Wire, size: int, seen: _Seen) -> None:
    """Visit every message that can lead to a tensor or a node.

    Raises:
        Malformed: A message is none.
        LimitReached: Messages are nested too deep, or there is too much to note.
    """
    stack: list[tuple[str, Iterator[Field]]] = [("model", wire.fields(0, size, wanted=_WANTED["model"]))]
    while stack:
        kind, fields = stack[-1]
        field = next(fields, None)
        if field is None:
            stack.pop()
            continue
        if field.wire != BYTES:
            continue
        child = _CHILDREN[kind].get(field.number)
        if child is not None:
            if len(stack) >= _DEEPEST:
                raise LimitReached("depth")
            if kind == "model":
                seen.part()
            if child == "entry":
                _entry(wire, field, seen)
            else:
                stack.append((child, wire.fields(field.start, field.end, wanted=_WANTED.get(child))))
        elif kind == "node" and field.number == 7:
            seen.domain(_text(wire, field), field.start)
        elif kind == "function" and field.number == 10:
            seen.defines(_text(wire, field))


def _entry(wire: Wire, entry: Field, seen: _Seen) -> None:
    """Note where a tensor's data is. Fields may come in any order, and the last of each counts."""
    key = b""
    values = []
    for field in wire.fields(entry.start, entry.end):
        if field.wire == BYTES and field.number == 1:
            key = wire.data(field, _TEXT)
        elif field.wire == BYTES and field.number == 2:
            values.append(field)
    if key == b"location" and values:
        seen.location(_text(wire, values[-1]), values[-1].start)


def _text(wire: Wire, field: Field) -> str:
    return wire.data(field, _TEXT).decode("utf-8", "backslashreplace")
