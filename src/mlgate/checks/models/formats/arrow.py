"""Arrow's IPC files and streams, and Feather: the schema's metadata, never the data."""

from collections.abc import Iterator

from mlgate.checks.models.formats._flat import Broken, Flat, Table, schema
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, printable, read_at, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "arrow"
KIND = "container"
ORDER = 15

_FILE = b"ARROW1"
_FEATHER = b"FEA1"
_CONTINUED = b"\xff\xff\xff\xff"
_NAME, _METADATA = b"ARROW:extension:name", b"ARROW:extension:metadata"
# Types whose reader unpickles what their metadata, or their cells, hold.
_PYTHON = "arrow.py_extension_type"
_RAY = "ray.data."
_CELLS = "ray.data.arrow_pickled_object"
_PICKLE = tuple(b"\x80%c" % version for version in range(2, 6))
# A name, a mark, or an empty list, mapping or tuple.
_OLD = (b"c", b"(", b"]", b"}", b")", b"i")
# A schema message is the only one of a stream that is read.
_SCHEMA = 1
_LONGEST_NAME = 500
# A message that Parquet's footer holds under this key.
_IN_PARQUET = "arrow:schema"


def sniff(blob: Blob) -> bool:
    """Look for the magic of a file at either end, or for the first message of a stream."""
    if blob.container == "parquet" and blob.name == _IN_PARQUET:
        return True
    if blob.head.startswith((_FILE, _FEATHER)) or _message(blob) is not None:
        return True
    return (
        blob.size > 32
        and not blob.tentative
        and read_at(blob.stream, blob.size - len(_FILE), len(_FILE)) == _FILE
    )


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield extension types, and what of them is unpickled.

    Raises:
        Declined: There is no schema.
        LimitReached: The schema is too large, or the time is up.
    """
    if blob.head.startswith(_FEATHER):
        # The first version has neither schema nor extension types.
        if read_at(blob.stream, max(blob.size - 4, 0), 4) != _FEATHER:
            yield blob.not_checked("truncated", "the Feather file has no end mark; fetch it again")
        return
    seen = False
    told: set[tuple[str, bool]] = set()
    for root, place, size in _roots(blob):
        if size > limits.header_bytes:
            raise LimitReached("header_bytes")
        flat = Flat(window(blob.stream, place, size), size, schema("arrow"), clock)
        try:
            for table in flat.walk(root):
                if table.kind == "Message" and flat.number(table, "header_type") != _SCHEMA:
                    break
                seen = seen or table.kind in ("Schema", "Field")
                if table.kind in ("Schema", "Field"):
                    yield from _metadata(blob, flat, table, place, clock, told)
        except Broken as broken:
            if seen or blob.head.startswith(_FILE) or blob.name == _IN_PARQUET:
                seen = True
                yield blob.not_checked(
                    "malformed",
                    f"the schema cannot be followed: {broken.what}; fetch the file again",
                    offset=place + broken.offset,
                )
    if not seen:
        if not blob.head.startswith(_FILE) and blob.name != _IN_PARQUET:
            raise Declined
        yield blob.not_checked("truncated", "the Arrow file has no schema that can be read; fetch it again")


def _message(blob: Blob, place: int = 0) -> tuple[int, int] | None:
    """Return where the flatbuffer of a stream's first message stands, and its size."""
    head = blob.head if not place else read_at(blob.stream, place, 16)
    marked = head.startswith(_CONTINUED)
    at = 4 if marked else 0
    size = int.from_bytes(head[at : at + 4], "little")
    root = int.from_bytes(head[at + 4 : at + 8], "little")
    start = place + at + 4
    if len(head) < 12 or not 8 <= size <= blob.size - start or not 4 <= root <= size - 4:
        return None
    # Without the mark, which came with version 0.15, only the padding speaks for it.
    if not marked and (size + 4) % 8:
        return None
    return start, size


def _roots(blob: Blob) -> Iterator[tuple[str, int, int]]:
    """Yield every flatbuffer that a reader would take the schema from: kind, place and size."""
    first = _message(blob, 8 if blob.head.startswith(_FILE) else 0)
    if first is not None:
        yield "Message", *first
    end = read_at(blob.stream, max(blob.size - 10, 0), 10)
    if end[4:] == _FILE:
        size = int.from_bytes(end[:4], "little")
        if 8 <= size <= blob.size - 10:
            yield "Footer", blob.size - 10 - size, size


def _may_be_pickle(blob: Blob, start: int, size: int) -> bool:
    """Say whether a value begins as a pickle does, of the old protocols as well."""
    begin = read_at(blob.stream, start, min(size, 2))
    if begin.startswith(_PICKLE):
        return True
    return size > 3 and begin[:1] in _OLD and read_at(blob.stream, start + size - 1, 1) == b"."


def _metadata(  # noqa: PLR0917 - a table, where it stands, and what is known already
    blob: Blob, flat: Flat, table: Table, place: int, clock: Clock, told: set[tuple[str, bool]]
) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the metadata of one column, or of the whole schema, is known for."""
    names: list[tuple[str, int]] = []
    values: list[tuple[int, int, bool]] = []
    for index in range(flat.vector(table, "custom_metadata")[1]):
        clock.check()
        pair = flat.item(table, "custom_metadata", index)
        start, size = flat.vector(pair, "value")
        start += place
        key = flat.text(pair, "key", len(_METADATA) + 1).encode("utf-8", "replace")
        pickled = _may_be_pickle(blob, start, size)
        if key == _NAME:
            names.append((flat.text(pair, "value", _LONGEST_NAME), start))
        elif key == _METADATA or pickled:
            values.append((start, size, pickled))
    pickled = any(each for _, _, each in values)
    loaded = False
    for name, start in names:
        if name == _PYTHON or (name.startswith(_RAY) and (pickled or name == _CELLS)):
            loaded = True
            if (name, pickled) not in told:
                yield blob.fact("arrow.extension", printable(name), offset=start, pickled=pickled)
            told.add((name, pickled))
        if name == _CELLS:
            yield blob.not_checked(
                "unsupported-format",
                "the cells of a column are pickles, which Ray loads; they are not looked at. Write the "
                "table again with plain columns",
                offset=start,
            )
    for start, size, each in values:
        if size and (loaded or each):
            data = window(blob.stream, start, size)
            yield member(blob, "extension.pkl", data, size, container=FORMAT, tentative=not loaded)
