"""Single ONNX tensors (``input_0.pb``), as they lie beside models to test them with."""

from collections.abc import Iterator

from mlgate.checks.models.formats._messages import ENTER, LEAVE, Event, events
from mlgate.checks.models.formats._onnx import CROWDED, SCHEMA, Parts
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "onnx-tensor"
KIND = "container"
ORDER = 56

# TensorProto: its numbers, what else is a message or packed, and where the data can be.
_NUMBERS, _TYPE = frozenset({1, 2, 14}), (2, VARINT)
_DATA = frozenset({4, 5, 6, 7, 9, 10, 11, 13})
_FIELDS = frozenset(
    {*((number, VARINT) for number in _NUMBERS), *((number, BYTES) for number in (1, 3, 8, 12, *_DATA))}
)


def sniff(blob: Blob) -> bool:
    """Say whether it can begin with a side, the type or the data."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, BYTES)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the file that the data is in, and what is wrong with the sizes.

    Raises:
        Declined: It is no tensor.
    """
    fields = outline(blob, clock)
    if not fields <= _FIELDS or _TYPE not in fields or fields.isdisjoint((each, BYTES) for each in _DATA):
        raise Declined
    parts = Parts(blob, limits, clock)
    parts.feed(Event(ENTER, "tensor"))
    try:
        for event in events(Wire(blob.stream, clock), 0, blob.size, SCHEMA, "tensor", crowded=CROWDED):
            parts.feed(event)
    except Malformed as malformed:
        if malformed.field not in _DATA:
            raise Declined from malformed
        yield blob.not_checked(
            "truncated", "the file ends within the tensor; fetch it again", offset=malformed.offset
        )
        return
    parts.feed(Event(LEAVE, "tensor"))
    yield from parts.facts()
