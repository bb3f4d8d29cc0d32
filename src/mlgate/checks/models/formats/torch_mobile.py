"""PyTorch's mobile flatbuffers: offsets and indexes held against the file, and the code in them."""

from collections.abc import Iterator
from typing import TypeAlias

from mlgate.checks.models.formats._flat import Broken, Flat, Table, schema, tail, unsound
from mlgate.checks.models.formats._torch_operators import Operators
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import member, printable, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "torch-mobile"
KIND = "model"
ORDER = 10

Item: TypeAlias = Fact | NotChecked | Blob

# Fields that number the module's values.
_VALUES = {
    "Module": ("methods", "jit_constants"),
    "Function": ("constants",),
    "List": ("items",),
    "Tuple": ("items",),
    "Dict": ("keys", "values"),
    "Object": ("attrs",),
}


def sniff(blob: Blob) -> bool:
    """Look for the file identifier."""
    return blob.head[4:8] == b"PTMF"


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Item]:
    """Yield operators that do more than compute, sources, and whatever leads out of the file.

    Raises:
        LimitReached: There is too much to note, or the time is up.
    """
    flat = Flat(blob.stream, blob.size, schema("torch_mobile"), clock)
    module = _Module(flat, blob, Operators(blob, limits, clock))
    try:
        for table in flat.walk("Module"):
            for item in module.visit(table):
                if isinstance(item, Blob):
                    clock.spend("members", 1, limits.members)
                yield item
    except Broken as broken:
        yield from unsound(blob, broken, FORMAT)
        return
    yield from tail(blob, flat.end, FORMAT)


class _Module:
    """What was seen of the module so far."""

    def __init__(self, flat: Flat, blob: Blob, operators: Operators) -> None:
        self._flat, self._blob, self._operators = flat, blob, operators
        self._root: Table | None = None
        self._files = 0

    def visit(self, table: Table) -> Iterator[Item]:
        """Hold one table's indexes against what they count; yield what is of note.

        Raises:
            Broken: An index leads out.
        """
        flat, kind = self._flat, table.kind
        if kind == "Module":
            self._root = table
            self._index(table, "state_obj", "ivalues")
        elif kind == "TensorMetadata":
            self._index(table, "storage_location_index", "storage_data")
        elif kind == "Object":
            self._index(table, "type_index", "object_types")
            for name in ("state", "setstate_func"):
                self._index(table, name, "ivalues")
        elif kind == "Operator":
            name = flat.text(table, "name", 200)
            yield from self._operators.note(name, offset=table.offset)
        elif kind == "ExtraFile":
            yield from self._file(table)
        for name in _VALUES.get(kind, ()):
            self._below(table, name)

    def _file(self, table: Table) -> Iterator[Blob]:
        """Yield a file: sources stand behind the others, and have names without a suffix."""
        start, size = self._flat.vector(table, "content")
        name = printable(self._flat.text(table, "name", 400))
        inside = window(self._blob.stream, start, size)
        extra = self._files < self._flat.vector(self._module, "extra_files")[1]
        self._files += 1
        path = f"extra/{name}" if extra else f"code/{name}.py"
        yield member(self._blob, path, inside, size, container=FORMAT)

    @property
    def _module(self) -> Table:
        if self._root is None:
            raise Broken(0, "there is no module")
        return self._root

    def _below(self, table: Table, name: str) -> None:
        count = self._flat.vector(self._module, "ivalues")[1]
        for index in self._flat.numbers(table, name):
            if not 0 <= index < count:
                raise Broken(table.offset, f"{table.kind}.{name} names what is not there")

    def _index(self, table: Table, name: str, counted: str) -> None:
        # An absent index is 0, also where there is nothing to count.
        if self._flat.number(table, name) >= max(self._flat.vector(self._module, counted)[1], 1):
            raise Broken(table.offset, f"{table.kind}.{name} names what is not there")
