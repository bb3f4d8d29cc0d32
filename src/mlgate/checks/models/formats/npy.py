"""NumPy arrays: the header, its arithmetic, and the pickle inside an array of objects."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from mlgate.checks.models.formats._literal import NotLiteral, parse
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import member, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "numpy"
KIND = "model"
ORDER = 10

_MAGIC = b"\x93NUMPY"
# numpy itself parses no more without being asked to; a record of many fields may be longer.
_MOST_HEADER = 1 << 20
_KEYS = {"descr", "fortran_order", "shape"}


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(_MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:  # noqa: ARG001 - protocol
    """Yield what the header hides, and the pickle of an array of objects."""
    wide = blob.head[6:7] != b"\x01"
    start = 12 if wide else 10
    length = int.from_bytes(blob.head[8:start], "little")
    raw = read_at(blob.stream, start, min(length, _MOST_HEADER))
    if len(blob.head) < start or len(raw) < length:
        yield blob.not_checked(
            "truncated", "the file ends within its header, or the header is far too long; fetch it again"
        )
        return
    try:
        header = parse(raw.decode("utf-8" if blob.head[6:7] == b"\x03" else "latin-1"))
        if not isinstance(header, dict) or set(header) != _KEYS or not _is_shape(header["shape"]):
            raise NotLiteral("not the keys of a header")
    except ValueError:
        # NotLiteral and UnicodeDecodeError alike.
        yield blob.fact("numpy.header", "malformed", offset=start)
        yield blob.not_checked("unreadable-format", "the array's header is malformed; save the array again")
        # NumPy evaluates more than it writes: the data may be a pickle all the same.
        yield _behind(blob, start + length)
        return
    data = start + length
    if _has_objects(header["descr"]):
        yield blob.fact("numpy.object", "array of objects", offset=data)
        size = max(blob.size - data, 0)
        yield member(blob, "objects.pickle", window(blob.stream, data, size), size, container=FORMAT)
        return
    item = _item_size(header["descr"])
    if item is None:
        # NumPy takes more spellings of a type than it writes, and some of them hold objects.
        yield blob.not_checked(
            "unreadable-format",
            "the array's type is written in a way that NumPy does not write; save the array again",
            offset=start,
        )
        yield _behind(blob, data)
        return
    yield from _remainder(blob, item, header, data)


def _behind(blob: Blob, data: int) -> Blob:
    size = max(blob.size - data, 0)
    stream = window(blob.stream, data, size)
    return member(blob, "objects.pickle", stream, size, container=FORMAT, tentative=True)


def _remainder(
    blob: Blob, item: int, header: dict[str, Any], data: int
) -> Iterator[Fact | NotChecked | Blob]:
    wanted = item
    for side in header["shape"]:
        wanted *= side
    if wanted >= 1 << 63:
        yield blob.fact("numpy.header", "size overflows", offset=data)
    elif wanted > blob.size - data:
        yield blob.not_checked("truncated", "the file ends before the array does; fetch it again")
    elif wanted < blob.size - data:
        end = data + wanted
        size = blob.size - end
        # Arrays may be saved one behind the other into one file.
        if read_at(blob.stream, end, len(_MAGIC)) != _MAGIC:
            yield blob.fact("core.unaccounted", "bytes behind the array", offset=end)
        yield member(blob, "remainder", window(blob.stream, end, size), size, container=FORMAT)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)


def _types(descr: Any) -> Iterator[tuple[str, int]]:
    """Yield the type strings of a dtype description, with how often each occurs in an item."""
    pending: list[tuple[Any, int]] = [(descr, 1)]
    while pending:
        value, times = pending.pop()
        if isinstance(value, str):
            yield value, times
        elif isinstance(value, list):
            # Fields: (name, type) or (name, type, shape); a name may be (title, name).
            for field in value:
                if not isinstance(field, tuple) or not 2 <= len(field) <= 3:
                    yield "?", -1
                    continue
                pending.append((field[1], _times(times, field[2] if len(field) == 3 else ())))
        elif isinstance(value, tuple) and len(value) == 2:
            pending.append((value[0], _times(times, value[1])))
        else:
            yield "?", -1


def _times(times: int, shape: Any) -> int:
    """How often a part occurs, or -1 where the shape is none, but perhaps another type."""
    sides = shape if isinstance(shape, tuple) else (shape,)
    if times < 0 or not _is_shape(sides):
        return -1
    for side in sides:
        times *= side
    return times


def _has_objects(descr: Any) -> bool:
    # Any spelling that numpy takes for it: O, |O8, object, i4,O. No other type has the letter.
    return any("O" in name or "object" in name for name, _ in _types(descr))


def _item_size(descr: Any) -> int | None:
    """Bytes of one item, or None where the description is not one that numpy writes."""
    total = 0
    for name, times in _types(descr):
        known = _simple().fullmatch(name)
        if known is None or times < 0:
            return None
        size = int(known[2])
        total += times * (size * 4 if known[1] == "U" else size)
    return total


@cache
def _simple() -> re.Pattern[str]:
    return re.compile(r"[<>=|]?([biufcSaUVmM])(\d{1,9})(?:\[\w+\])?")
