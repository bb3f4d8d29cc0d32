"""What lies beside a SavedModel's graph: Keras's metadata, the fingerprint, TF-Hub's mark."""

from collections.abc import Iterator
from types import MappingProxyType

from mlgate.checks.models.formats._messages import TEXT, VALUE, Event, events
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._tensorflow import HOLDER
from mlgate.checks.models.formats._wire import BYTES, FIXED64, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow-metadata"
KIND = "container"
ORDER = 55

# saved_metadata.proto of Keras.
_SCHEMA = MappingProxyType({"object": {5: ("metadata", TEXT)}})
# fingerprint.proto: five hashes, the version and an id.
_HASHES, _VERSION, _UUID = frozenset(range(1, 6)), 6, 7
_LONGEST_FINGERPRINT = 512
# module_def.proto: the format of the module, and what it requires.
_HUB = b"\x08\x03"


def sniff(blob: Blob) -> bool:
    """Say whether the first byte can be that of one of them."""
    return blob.head[:1] == b"\n" or blob.head[:1] in (b"\x08", b"\x10", b"\x18", b" ", b"(", b"2")


def read(blob: Blob, _limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each configuration of a layer as a member.

    Raises:
        Declined: It is none of them.
        LimitReached: It holds too many.
    """
    if blob.size <= _LONGEST_FINGERPRINT and (
        (blob.head == _HUB and blob.name == "tfhub_module.pb") or _is_fingerprint(blob, clock)
    ):
        return
    if (1, BYTES) not in outline(blob, clock):
        raise Declined
    found = cut = 0
    try:
        for event in _events(blob, clock):
            if event.act == VALUE and event.value and str(event.value).lstrip()[:1] in ("", "{"):
                found += 1
                size = event.end - event.at
                stream = window(blob.stream, event.at, size)
                yield member(blob, "keras_metadata.json", stream, size, container=HOLDER)
    except Malformed as malformed:
        cut = malformed.offset or 1
    if not found:
        raise Declined
    if cut:
        yield blob.not_checked(
            "truncated", "the metadata ends within a part of it, or is damaged; fetch it again", offset=cut
        )


def _events(blob: Blob, clock: Clock) -> Iterator[Event]:
    """Yield what objects hold. Those below 64 bytes have no configuration, and can be many.

    Raises:
        Malformed: As the events do.
    """
    wire = Wire(blob.stream, clock)
    inner = Wire(blob.stream, clock)
    try:
        for each in wire.fields(0, blob.size, wanted=frozenset()):
            if each.number == 1 and each.wire == BYTES:
                yield from events(inner, each.start, each.end, _SCHEMA, "object")
    except Malformed as malformed:
        if malformed.field == 1 and 0 < malformed.start < blob.size:
            yield from events(inner, malformed.start, blob.size, _SCHEMA, "object")
        raise


def _is_fingerprint(blob: Blob, clock: Clock) -> bool:
    wires: dict[int, int] = {}
    try:
        for field in Wire(blob.stream, clock).fields(0, blob.size):
            wires[field.number] = field.wire
    except Malformed:
        return False
    hashes = [number for number in wires if number in _HASHES]
    others = wires.keys() - _HASHES
    return (
        len(hashes) >= 3
        and all(wires[number] in (VARINT, FIXED64) for number in hashes)
        and others <= {_VERSION, _UUID}
        and all(wires[number] == BYTES for number in others)
    )
