"""ExecuTorch programs and tensor files: offsets, indexes, segments and tensor sizes held against the file."""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from mlgate.checks.models.formats._flat import Broken, Flat, Table, schema, tail, unsound
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import member, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "executorch"
KIND = "model"
ORDER = 10

Item: TypeAlias = Fact | NotChecked | Blob

# Headers that may stand behind a file identifier: their magic, how long they are at least, and
# where in them the flatbuffer's size and the place of the segments are.
_HEADERS = {b"ET12": (b"eh00", 24, 8), b"FT01": (b"FH01", 40, 16)}
_SEGMENT = 1
_EXTERNAL = 1
# No runtime has a tensor beyond.
_MOST_BYTES = 1 << 63
_WIDEST = 8
# Of a tensor whose sizes come with its data.
_UNBOUND = 2


class _Extent(Struct, frozen=True):
    """Where the parts of a file are.

    Attributes:
        program: Bytes of the flatbuffer.
        base: Where segments are counted from; 0 where there are none.
    """

    program: int
    base: int


def sniff(blob: Blob) -> bool:
    """Look for the file identifier of a program, a tensor file or a bundle of a program and inputs."""
    return blob.head[4:8] in (*_HEADERS, b"BP08")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Item]:
    """Yield whatever leads out of the file, and what delegates are handed.

    Raises:
        LimitReached: The time is up, or there are too many delegates.
    """
    if blob.head[4:8] == b"BP08":
        yield from _bundle(blob, clock)
        return
    tables, root = ("flat_tensor", "FlatTensor") if blob.head[4:8] == b"FT01" else ("executorch", "Program")
    try:
        extent = _extent(blob)
        flat = Flat(blob.stream, extent.program, schema(tables), clock)
        program = _Program(flat, blob, extent)
        for table in flat.walk(root):
            for item in program.visit(table):
                clock.spend("members", 1, limits.members)
                yield item
    except Broken as broken:
        yield from unsound(blob, broken, FORMAT)
        return
    yield from tail(blob, max(flat.end, extent.program if extent.base else 0, program.reach), FORMAT)


def _bundle(blob: Blob, clock: Clock) -> Iterator[Item]:
    """Yield the program of a bundle."""
    flat = Flat(blob.stream, blob.size, schema("bundled_program"), clock)
    try:
        for table in flat.walk("BundledProgram"):
            if table.kind == "BundledProgram":
                start, size = flat.vector(table, "program")
                inside = window(blob.stream, start, size)
                yield member(blob, "program.pte", inside, size, container=FORMAT)
    except Broken as broken:
        yield from unsound(blob, broken, FORMAT)
        return
    yield from tail(blob, flat.end, FORMAT)


def _extent(blob: Blob) -> _Extent:
    """Read the header behind the identifier, if there is one.

    Raises:
        Broken: It describes more than the file has.
    """
    magic, least, at = _HEADERS[blob.head[4:8]]
    header = blob.head[8:48]
    if not header.startswith(magic):
        return _Extent(program=blob.size, base=0)
    length = int.from_bytes(header[4:8], "little")
    if length < least or len(header) < least:
        raise Broken(8, "the header is shorter than its fields")
    # A tensor file says where its flatbuffer starts; a program's starts where the file does.
    start = int.from_bytes(header[8:at], "little")
    program, base, data = (int.from_bytes(header[at + n : at + n + 8], "little") for n in (0, 8, 16))
    program += start
    if length < at + 24:
        data = 0
    if program > blob.size or base > blob.size or base + data > blob.size:
        raise Broken(8, "the header gives the file more bytes than it has")
    return _Extent(program=program, base=base)


class _Program:
    """What was seen of the program so far."""

    def __init__(self, flat: Flat, blob: Blob, extent: _Extent) -> None:
        self._flat, self._blob, self._extent = flat, blob, extent
        self._root: Table | None = None
        self._plan: Table | None = None
        self._instructions = 0
        self.reach = 0

    def visit(self, table: Table) -> Iterator[Blob]:
        """Hold one table against what it refers to; yield what a delegate is handed.

        Raises:
            Broken: An index, a range or a size leads out.
        """
        kind = table.kind
        if kind in ("Program", "FlatTensor"):
            self._root = table
        elif kind == "ExecutionPlan":
            self._plan = table
            for name in ("inputs", "outputs"):
                self._values(table, name)
        elif kind == "Chain":
            self._instructions = self._flat.vector(table, "instructions")[1]
            for name in ("inputs", "outputs"):
                self._values(table, name)
        elif kind in ("Tensor", "TensorLayout"):
            self._tensor(table)
        elif kind == "DataSegment":
            self._segment(table)
        elif (kind == "SubsegmentOffsets" and self._flat.vector(table, "offsets")[1]) or kind == "NamedData":
            self._index(table, "segment_index", self._count("segments"))
        elif kind == "BackendDelegateDataReference":
            yield from self._delegate(table)
        elif self._plan is not None:
            self._call(table, self._plan)

    def _call(self, table: Table, plan: Table) -> None:
        flat, kind = self._flat, table.kind
        values = flat.vector(plan, "values")[1]
        if kind == "KernelCall":
            self._index(table, "op_index", flat.vector(plan, "operators")[1])
            self._values(table, "args")
        elif kind == "DelegateCall":
            self._index(table, "delegate_index", flat.vector(plan, "delegates")[1])
            self._values(table, "args")
        elif kind == "MoveCall":
            self._index(table, "move_from", values)
            self._index(table, "move_to", values)
        elif kind == "FreeCall":
            self._index(table, "value_index", values)
        elif kind == "JumpFalseCall":
            self._index(table, "cond_value_index", values)
            self._index(table, "destination_instruction", self._instructions + 1)
        elif kind in ("TensorList", "OptionalTensorList"):
            self._values(table, "items", least=-1 if kind.startswith("Optional") else 0)

    def _tensor(self, table: Table) -> None:
        flat = self._flat
        total, rank = _WIDEST, 0
        bound = table.kind != "Tensor" or flat.number(table, "shape_dynamism") != _UNBOUND
        for size in flat.numbers(table, "sizes"):
            rank += 1
            total *= max(size, 1)
            if size < 0 or (bound and total >= _MOST_BYTES):
                raise Broken(table.offset, "a tensor's size overflows")
        order = list(flat.numbers(table, "dim_order")) if flat.vector(table, "dim_order")[1] == rank else None
        if order is None or any(axis >= rank for axis in order):
            raise Broken(table.offset, "a tensor's order of dimensions does not fit its size")
        if table.kind == "Tensor" and "data_buffer_idx" in table.fields:
            self._data(table)

    def _data(self, table: Table) -> None:
        """Hold the number of a tensor's data against the place where it is."""
        flat = self._flat
        extra = flat.child(table, "extra_tensor_info") if "extra_tensor_info" in table.fields else None
        if extra is not None and flat.number(extra, "location") == _EXTERNAL:
            return  # looked up by its name
        count = self._constants()
        if extra is not None and flat.number(extra, "mutable_data_segments_idx"):
            state = flat.item(
                self._program, "mutable_data_segments", flat.number(extra, "mutable_data_segments_idx")
            )
            count = flat.vector(state, "offsets")[1]
        self._index(table, "data_buffer_idx", count)

    def _constants(self) -> int:
        """Return how many constants the program has; they are in a segment, or inline in older files."""
        inline = self._count("constant_buffer")
        place = self._program.fields.get("constant_segment")
        if place is None:
            return max(inline, 1)
        segment = self._flat.child(self._program, "constant_segment")
        return max(inline, self._flat.vector(segment, "offsets")[1], 1)

    def _delegate(self, table: Table) -> Iterator[Blob]:
        flat = self._flat
        outside = flat.number(table, "location") == _SEGMENT
        where = "segments" if outside else "backend_delegate_data"
        index = flat.number(table, "index")
        if not self._count(where) and not index:
            return
        handed = flat.item(self._program, where, index)
        if outside:
            start, size = self._segment(handed)
        else:
            start, size = flat.vector(handed, "data")
        inside = window(self._blob.stream, start, size)
        name = f"delegates/{index}"
        yield member(self._blob, name, inside, size, container=FORMAT, tentative=True)

    def _segment(self, table: Table) -> tuple[int, int]:
        start, size = (self._flat.number(table, name) for name in ("offset", "size"))
        start += self._extent.base
        if start + size > self._blob.size:
            raise Broken(table.offset, "a segment lies outside the file")
        self.reach = max(self.reach, start + size)
        return start, size

    @property
    def _program(self) -> Table:
        if self._root is None:
            raise Broken(0, "there is no program")
        return self._root

    def _count(self, name: str) -> int:
        return self._flat.vector(self._program, name)[1]

    def _values(self, table: Table, name: str, *, least: int = 0) -> None:
        count = 0 if self._plan is None else self._flat.vector(self._plan, "values")[1]
        for index in self._flat.numbers(table, name):
            if not least <= index < count:
                raise Broken(table.offset, f"{table.kind}.{name} names what is not there")

    def _index(self, table: Table, name: str, count: int) -> None:
        if not 0 <= self._flat.number(table, name) < count:
            raise Broken(table.offset, f"{table.kind}.{name} names what is not there")
