"""Apache Parquet, read by pyarrow in a sandbox of its own.

Its parser is a large program in C++ that follows lengths and offsets of a hostile file, so
it does not run in the gate: a confined worker reads the file and sends plain columns.
"""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from mlgate.checks.assessment.model import Request, Signature
from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.checks.assessment.sandbox.worker import Worker
from mlgate.checks.assessment.table import Columns, Table, label_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".parquet", ".pq")
# What a worker asks of a loader.
FORMAT = "parquet"
REQUIRES = ("numpy", "pyarrow")
EXTRA = "parquet"

_SECONDS = 120.0
_MEMORY = 4 << 30
_CELL_BYTES = 8
_MOST_COLUMNS = 20_000
_SCHEMA_BYTES = 4 << 20
_LONGEST_NAME = 200


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the feature, label and group columns; see :class:`mlgate.checks.assessment.table.Format`."""
    if importlib.util.find_spec("pyarrow") is None:
        raise Unassessable(
            "extra-missing",
            f"pyarrow must be installed to read {name}: pip install 'mlgate[parquet]'",
            "data.path",
        )
    try:
        return _read(data, columns, most, name)
    except Unassessable as problem:
        if problem.key:
            raise
        reason = "unreadable-data" if problem.reason.startswith(("model-", "worker-")) else problem.reason
        words = problem.message.replace("the model", "the file").replace(
            "limits.worker_bytes", f"{_MEMORY} bytes"
        )
        raise Unassessable(reason, f"{name} cannot be read: {words}", "data.path") from None


def _read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    asked = Request(arguments={"most": most})
    memory = _MEMORY + 2 * most
    loader: Any = _Here
    with Worker(loader, asked, memory=memory, seconds=_SECONDS, cpu_seconds=int(_SECONDS)) as worker:
        worker.load(data)
        schema = worker.columns((), _SCHEMA_BYTES)
        settled = _settled(columns, _kinds(schema, name), name)
        features = settled.features or ()
        if _rows(schema, name) * len(features) * _CELL_BYTES > most:
            raise Unassessable("limit", f"{name} is larger than limits.data_bytes allows", "data.path")
        values = _values(worker, features, most, name)
        label = _values(worker, (settled.label,), most, name)
        groups = {column: _values(worker, (column,), most, name).reshape(-1) for column in settled.groups}
    for column, held in ((settled.label, label), *groups.items()):
        if held.dtype.kind == "O" and any(text == "" for text in held.reshape(-1)):
            which = "label" if column == settled.label else "group"
            key = "data.label" if which == "label" else "data"
            raise Unassessable(f"missing-{which}", f"{name}: column {column!r} has empty cells", key)
    y = label.reshape(-1)
    labels = label_texts(y.tolist(), most, name) if y.dtype.kind == "O" else y
    return Table(values, labels, groups, features)


def _kinds(schema: "Mapping[str, NDArray[Any]]", name: str) -> dict[str, str]:
    """Return what each column holds: ``number``, ``text``, or the name of another type."""
    found = [
        [str(text) for text in np.asarray(schema.get(key, ())).reshape(-1)] for key in ("names", "kinds")
    ]
    if len(found[0]) != len(found[1]) or len(set(found[0])) != len(found[0]):
        raise Unassessable("unreadable-data", f"{name} does not name its columns, once each", "data.path")
    return dict(zip(*found, strict=True))


def _rows(schema: "Mapping[str, NDArray[Any]]", name: str) -> int:
    rows = schema.get("rows")
    if rows is None or rows.dtype.kind != "i" or rows.size != 1:
        raise Unassessable("unreadable-data", f"{name} does not say how many rows it has", "data.path")
    return int(rows.reshape(-1)[0])


def _settled(columns: Columns, kinds: Mapping[str, str], name: str) -> Columns:
    """Return which columns to read, all of them there and of a type that can be used."""
    features = columns.features or tuple(column for column in kinds if column not in columns.others)
    wanted: list[tuple[str, str, tuple[str, ...]]] = [(columns.label, "data.label", ("number", "text"))]
    wanted += [(column, "data.features", ("text",) if columns.text else ("number",)) for column in features]
    wanted += [(column, "data", ("number", "text")) for column in columns.groups]
    for column, key, able in wanted:
        if column not in kinds:
            raise Unassessable(
                "missing-column", f"{name} has no column {column!r}; it has {few([*kinds])}", key
            )
        if kinds[column] not in able:
            raise Unassessable(
                "wrong-type",
                f"{name}: column {column!r} holds {kinds[column]}; {' or '.join(able)} is needed",
                key,
            )
    if columns.label in features or not features:
        raise Unassessable(
            "wrong-features", f"{name}: the features must be columns other than the label", "data.features"
        )
    return replace(columns, features=features)


def _values(worker: Worker, names: Sequence[str], most: int, name: str) -> "NDArray[Any]":
    values = worker.columns(names, most).get("values")
    if values is None or values.ndim != 2 or values.shape[1] != len(names):
        raise Unassessable("unreadable-data", f"{name}: the worker sent no such columns", "data.path")
    return values


def prepare(_request: Request) -> None:
    """Import pyarrow, in one thread and with the system's memory."""
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    import pyarrow as pa  # noqa: PLC0415 - only the worker pays for it
    import pyarrow.compute  # noqa: PLC0415 - only the worker pays for it
    import pyarrow.parquet  # noqa: PLC0415 - only the worker pays for it

    pa.set_cpu_count(1)


def load(data: bytes, request: Request) -> "ParquetTable":
    """Open a file from its bytes; what it declares must fit the memory.

    Raises:
        Unassessable: It is no readable Parquet, or too large.
    """
    import pyarrow as pa  # noqa: PLC0415 - only the worker pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415 - only the worker pays for it

    try:
        file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False, arrow_extensions_enabled=False)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise Unassessable("model-load", f"it is no readable Parquet: {error}") from error
    rows, columns = file.metadata.num_rows, len(file.schema_arrow.names)
    if columns > _MOST_COLUMNS or rows * _CELL_BYTES > int(str(request.arguments.get("most") or 0)):
        raise Unassessable(
            "model-load", f"it declares {rows} rows of {columns} columns, more than may be read"
        )
    return ParquetTable(file)


class ParquetTable:
    """An open file.

    Args:
        file: A ``pyarrow.parquet.ParquetFile``.
    """

    signature = Signature((None,), "text")

    def __init__(self, file: Any) -> None:
        self._file = file

    def columns(self, names: Sequence[str]) -> "Mapping[str, NDArray[Any]]":
        """Return columns as one array [n, d] of numbers or texts; without names, the schema.

        A number that is missing is NaN, a text that is missing is empty.
        """
        import pyarrow as pa  # noqa: PLC0415 - only the worker pays for it

        schema = self._file.schema_arrow
        if not names:
            listed = [(field.name[:_LONGEST_NAME], _kind(field.type)) for field in schema]
            return {
                "names": np.array([name for name, _ in listed], dtype=object),
                "kinds": np.array([kind for _, kind in listed], dtype=object),
                "rows": np.array([self._file.metadata.num_rows]),
            }
        try:
            table = self._file.read(columns=list(names), use_threads=False)
            parts = [_plain(table.column(name)) for name in names]
        except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
            raise Unassessable("model-run", f"a column cannot be read: {error}") from error
        return {"values": np.stack(parts, axis=1)}


def _kind(type_: Any) -> str:
    import pyarrow as pa  # noqa: PLC0415 - only the worker pays for it

    held = type_.value_type if pa.types.is_dictionary(type_) else type_
    if pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_boolean(held):
        return "number"
    if pa.types.is_decimal(held):
        return "number"
    text = pa.types.is_string(held) or pa.types.is_large_string(held)
    return "text" if text else str(held)[:_LONGEST_NAME]


def _plain(column: Any) -> "NDArray[Any]":
    """Return a column as float64, int64 where it holds whole numbers alone, or texts."""
    import pyarrow as pa  # noqa: PLC0415 - only the worker pays for it

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if _kind(column.type) == "text":
        texts = np.empty(len(column), dtype=object)
        texts[:] = [text or "" for text in column.to_pylist()]
        return texts
    if pa.types.is_integer(column.type) and not column.null_count and column.type != pa.uint64():
        return np.asarray(column.cast(pa.int64()).to_numpy())
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


class _Here:
    """What a worker is started with: this module, seen from within it."""

    FORMAT, REQUIRES = FORMAT, REQUIRES
