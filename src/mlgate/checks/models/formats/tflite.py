"""TensorFlow Lite: every index held against what it counts, and the operators from elsewhere."""

from collections.abc import Iterator
from typing import TypeAlias

from mlgate.checks.models.formats._flat import Broken, Flat, Table, schema, tail, unsound
from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import member, printable, window
from mlgate.checks.models.tensor_bytes import started
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tflite"
KIND = "model"
ORDER = 10

Item: TypeAlias = Fact | NotChecked | Blob

_CUSTOM = 32
# Below, a shorter number says the same: builtin operators outgrew one byte.
_PLACEHOLDER = 127
_SUBGRAPHS = frozenset(
    {
        "subgraph",
        "then_subgraph_index",
        "else_subgraph_index",
        "cond_subgraph_index",
        "body_subgraph_index",
        "init_subgraph_index",
        "decomposition_subgraph_index",
        "update_computation_subgraph_index",
        "comparator_subgraph_index",
    }
)
_TENSORS = ("inputs", "outputs", "intermediates")


def sniff(blob: Blob) -> bool:
    """Look for the file identifier."""
    return blob.head[4:8] == b"TFL3"


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Item]:
    """Yield operators from elsewhere, whatever leads out of the file, and what is no tensor.

    Raises:
        LimitReached: Too many operators from elsewhere, or too much time.
    """
    flat = Flat(blob.stream, blob.size, schema("tflite"), clock)
    model = _Model(flat, blob, limits, clock)
    try:
        for table in flat.walk("Model"):
            yield from model.visit(table)
        yield from model.metadata()
    except Broken as broken:
        yield from unsound(blob, broken, FORMAT)
        return
    yield from tail(blob, max(flat.end, model.reach), FORMAT)


class _Model:
    """What was seen of the model so far."""

    def __init__(self, flat: Flat, blob: Blob, limits: Limits, clock: Clock) -> None:
        self._flat, self._blob = flat, blob
        self._limits, self._clock = limits, clock
        self._left = limits.facts
        self._root: Table | None = None
        self._tensors = 0
        self._named: list[tuple[str, int]] = []
        self.reach = 0

    def visit(self, table: Table) -> Iterator[Fact | Blob]:
        """Hold one table's indexes against what they count; yield what is of note.

        Raises:
            Broken: An index or a range leads out.
        """
        flat, kind = self._flat, table.kind
        if kind == "Model":
            self._root = table
            self._below(table, "metadata_buffer", self._count("buffers"))
        elif kind == "OperatorCode":
            yield from self._code(table)
        elif kind == "SubGraph":
            self._tensors = flat.vector(table, "tensors")[1]
            for name in _TENSORS[:2]:
                self._below(table, name, self._tensors)
        elif kind == "Tensor":
            self._index(table, "buffer", self._count("buffers"))
        elif kind == "Operator":
            self._operator(table)
        elif kind == "Buffer":
            start, size = flat.vector(table, "data")
            if flat.number(table, "offset") > 1:
                start, size = flat.number(table, "offset"), flat.number(table, "size")
                self._range(start, size, table.offset)
            # Which tensors have it, and of what type they are, other tables say.
            yield from started(
                self._blob, (start, start + size), FORMAT, self._limits, self._clock, octets=True
            )
        elif kind == "Metadata":
            self._index(table, "buffer", self._count("buffers"))
            self._note()
            self._named.append((flat.text(table, "name", 200), flat.number(table, "buffer")))
        elif kind == "SignatureDef":
            self._index(table, "subgraph_index", self._count("subgraphs"))
            if self._count("subgraphs"):
                graph = flat.item(self._model, "subgraphs", flat.number(table, "subgraph_index"))
                self._tensors = flat.vector(graph, "tensors")[1]
        elif kind == "TensorMap":
            self._index(table, "tensor_index", self._tensors)
        else:
            for name in _SUBGRAPHS & table.fields.keys():
                self._index(table, name, self._count("subgraphs"))

    def metadata(self) -> Iterator[Blob]:
        """Yield the buffers that hold no tensor: metadata, which tools read."""
        flat, stream = self._flat, self._blob.stream
        for name, number in self._named:
            if number >= self._count("buffers"):
                continue
            buffer = flat.item(self._model, "buffers", number)
            start, size = flat.vector(buffer, "data")
            if flat.number(buffer, "offset") > 1:
                start, size = flat.number(buffer, "offset"), flat.number(buffer, "size")
            if size:
                yield member(
                    self._blob, f"metadata/{name}", window(stream, start, size), size, container=FORMAT
                )

    @property
    def _model(self) -> Table:
        if self._root is None:
            raise Broken(0, "there is no model")
        return self._root

    def _count(self, name: str) -> int:
        return self._flat.vector(self._model, name)[1]

    def _code(self, table: Table) -> Iterator[Fact | Blob]:
        code = self._flat.number(table, "builtin_code")
        if code < _PLACEHOLDER:
            code = max(code, self._flat.number(table, "deprecated_builtin_code"))
        if code == _CUSTOM:
            self._note()
            name = self._flat.text(table, "custom_code", 200)
            yield self._blob.fact("tflite.custom", printable(name), offset=table.offset)

    def _operator(self, table: Table) -> None:
        flat = self._flat
        if not flat.number(table, "opcode_index") < self._count("operator_codes"):
            raise Broken(table.offset, "Operator.opcode_index names what is not there")
        for name in _TENSORS:
            self._below(table, name, self._tensors)
        start, size = (flat.number(table, f"large_custom_options_{part}") for part in ("offset", "size"))
        if start > 1:
            self._range(start, size, table.offset)

    def _range(self, start: int, size: int, offset: int) -> None:
        if start + size > self._blob.size:
            raise Broken(offset, "data behind the flatbuffer lies outside the file")
        self.reach = max(self.reach, start + size)

    def _below(self, table: Table, name: str, count: int) -> None:
        """Hold a list of indexes against a count; -1 says that an optional one is absent."""
        for index in self._flat.numbers(table, name):
            if not -1 <= index < count:
                raise Broken(table.offset, f"{table.kind}.{name} names what is not there")

    def _index(self, table: Table, name: str, count: int) -> None:
        # 0 is also what stands where there is nothing to count; less says that there is none.
        if self._flat.number(table, name) >= max(count, 1):
            raise Broken(table.offset, f"{table.kind}.{name} names what is not there")

    def _note(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitReached("facts")
