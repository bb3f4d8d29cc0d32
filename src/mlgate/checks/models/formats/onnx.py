"""ONNX: recognised by its structure, walked through every graph in it, tensor bytes skipped."""

from collections.abc import Iterator
from itertools import islice
from types import MappingProxyType

from mlgate.checks.models.executable import MAGICS, executable
from mlgate.checks.models.formats._messages import events
from mlgate.checks.models.formats._onnx import CROWDED, SCHEMA, Parts
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._properties import properties
from mlgate.checks.models.formats._wire import BYTES, FIXED32, START, VARINT, Field, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, window
from mlgate.checks.models.tensor_bytes import started
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "onnx"
KIND = "model"
ORDER = 50

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
# Without one of them, a model has neither a node nor a tensor.
_LEADING = frozenset({(7, BYTES), (20, BYTES), (25, BYTES)})
_GRAPH = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
# Fields of a model itself; exporters write a few, and one for each function.
_MOST_FIELDS = 1 << 16


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be a protobuf field's."""
    first = blob.head[:1]
    return blob.size >= 4 and (first[0] & 7) in (VARINT, 1, BYTES, START, FIXED32) and first[0] >= 8


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the model asks for from elsewhere, what is wrong with its tensors, and its properties.

    Raises:
        Declined: It has not the structure of a model.
        LimitReached: It asks for too much.
    """
    if outline(blob, clock).isdisjoint(_LEADING):
        raise Declined
    wire = Wire(blob.stream, clock)
    parts = Parts(blob, limits, clock)
    usual = True
    cut = 0
    strange: list[Field] = []
    programs: list[Fact | Blob] = []
    try:
        cut = _outline(wire, blob.size, strange)
    except Declined:
        # Protobuf's parsers skip what they do not know, and take a model that no exporter writes.
        usual = False
    if cut:
        yield blob.not_checked("truncated", "the file ends within the model; fetch it again", offset=cut)
        return
    try:
        for event in events(wire, 0, blob.size, SCHEMA, "model", crowded=CROWDED):
            parts.feed(event)
            if event.field == "raw_data" and event.message == "tensor":
                octets = parts.octets
                programs += started(
                    blob, (event.at, event.end), FORMAT, limits, clock, name="tensor", octets=octets
                )
    except LimitReached:
        yield from parts.facts()
        yield from programs
        raise
    except Malformed as malformed:
        if not usual:
            raise Declined from malformed
        cut = malformed.offset
    if not usual and not parts.asks:
        raise Declined
    yield from parts.facts()
    yield from programs
    yield from _carried(blob, wire, strange)
    if cut:
        yield blob.not_checked("truncated", "a part of the model is malformed; export it again", offset=cut)
    yield from properties(blob, parts.properties, FORMAT)


def _outline(wire: Wire, size: int, strange: list[Field]) -> int:
    """Check the model's own fields, and collect those that no version has and no runtime reads.

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
            if field.wire == BYTES and field.number not in _MODEL:
                strange.append(field)
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


def _carried(blob: Blob, wire: Wire, strange: list[Field]) -> Iterator[Fact | Blob]:
    """Yield what stands in fields that no runtime reads: a program reads it, or nobody does."""
    for field in strange:
        size = field.end - field.start
        if wire.data(field, 8).startswith(MAGICS):
            name = executable(blob.stream, field.start, size)
            if name is not None:
                yield blob.fact("payload.executable", name, offset=field.start, container=FORMAT)
        else:
            data = window(blob.stream, field.start, size)
            yield member(blob, f"field {field.number}", data, size, container=FORMAT, tentative=True)


def _is_graph(wire: Wire, field: Field) -> bool:
    """Say whether the first fields of a message are those of a graph."""
    try:
        first = list(islice(wire.fields(field.start, field.end), 4))
    except Malformed:
        return False
    return bool(first) and all(each.number in _GRAPH and each.wire == BYTES for each in first)
