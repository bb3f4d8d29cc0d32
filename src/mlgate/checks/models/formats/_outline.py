"""Which fields the outermost message of a file has: most readers of protobuf need no more to decline."""

from mlgate.checks.models.formats._wire import BYTES, VARINT, Malformed, Wire
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import CHUNK, read_at

# More than a key, and a length or number.
_LONGEST = 20
_FIRST = 4096
_RUN = 256
# Of a field, by wire type, where it has always the same.
_WIDTHS = (0, 9, 0, 0, 0, 5, 0, 0)


class _Last:
    """The outline of the blob that was last asked about: every reader asks about the same.

    The blob is known by its first bytes, as the same object: so its stream is not kept open.
    """

    head: bytes | None = None
    size = 0
    found: frozenset[tuple[int, int]] = frozenset()


def outline(blob: Blob, clock: Clock) -> frozenset[tuple[int, int]]:
    """Return number and wire type of every field of the outermost message, each pair once.

    Where the bytes stop being fields, those before, and the one that runs past the end.

    Raises:
        LimitReached: The time is up.
    """
    if _Last.head is not blob.head or _Last.size != blob.size:
        _Last.head = None
        _Last.found = frozenset(_fields(blob, clock))
        _Last.head, _Last.size = blob.head, blob.size
    return _Last.found


def _fields(blob: Blob, clock: Clock) -> set[tuple[int, int]]:
    keys: set[int] = set()
    others: set[tuple[int, int]] = set()
    wire = Wire(blob.stream, clock)
    size = blob.size
    data, origin, last = b"", 0, 0
    at = 0
    while at < size:
        place = at - origin
        if place >= last:
            clock.check()
            origin, place = at, 0
            # Other content ends soon: no more is read ahead than was read before.
            data = read_at(blob.stream, at, min(max(at, _FIRST), CHUNK, size - at))
            last = max(len(data) - 1, 1)
            if not data:
                break
        key = data[place]
        short = data[place + 1] if place + 1 < len(data) else 0x80
        if 8 <= key < 0x80:
            kind = key & 7
            width = _WIDTHS[kind]
            if short < 0x80 and kind == BYTES:
                width = 2 + short
            elif short < 0x80 and kind == VARINT:
                width = 2
            if width and at + width <= size:
                keys.add(key)
                if _WIDTHS[kind] and place + width < last and data[place + width] == key:
                    # Texts repeat themselves: all fields of a run are stepped over at once.
                    run = data[place : min(place + _RUN * width, last) : width]
                    same = len(run) - len(run.lstrip(run[:1]))
                    at += min(same, (size - at) // width) * width
                    continue
                at += width
                continue
        try:
            field = wire.field(at, size)
        except Malformed as malformed:
            if malformed.field:
                others.add((malformed.field, BYTES))
            break
        if field is None:
            break
        others.add((field.number, field.wire))
        at = field.end
    return {(key >> 3, key & 7) for key in keys} | others
