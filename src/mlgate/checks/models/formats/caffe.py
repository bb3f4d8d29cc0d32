"""Caffe networks with their weights (``.caffemodel``): modules that their layers import."""

from collections.abc import Iterator

from mlgate.checks.models.formats._caffe import OLD, SCHEMA, Layers
from mlgate.checks.models.formats._messages import events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "caffe"
KIND = "model"
ORDER = 50

_A_FEW = 100


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be that of a protobuf message."""
    return blob.size >= 4 and blob.head[0] >= 8 and blob.head[0] & 7 in (VARINT, 1, BYTES, 3, 5)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield which Python modules the network's layers import.

    Raises:
        Declined: It has no layer.
        LimitReached: It imports too many.
    """
    fields = outline(blob, clock)
    # Layers of the first version cannot be Python: a few of them show what this is.
    old = (100, BYTES) not in fields
    if old and (2, BYTES) not in fields:
        raise Declined
    layers = Layers(blob, limits)
    cut = 0
    try:
        for event in events(Wire(blob.stream, clock), 0, blob.size, OLD if old else SCHEMA, "net"):
            layers.feed(event)
            if old and layers.seen > _A_FEW:
                break
    except LimitReached:
        yield from layers.facts()
        raise
    except Malformed as malformed:
        cut = malformed.offset or 1
    if not layers.known:
        raise Declined
    yield from layers.facts()
    if cut:
        yield blob.not_checked(
            "truncated", "the network ends within a part of it, or is damaged; fetch it again", offset=cut
        )
