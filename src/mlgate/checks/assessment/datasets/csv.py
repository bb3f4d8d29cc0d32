"""Comma-separated values with a header line: every feature a number, one column the label."""

import csv
import io
from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from mlgate.checks.assessment.data import Columns, Table, few
from mlgate.checks.assessment.problems import Unassessable

SUFFIXES = (".csv",)
_CELL_BYTES = 8
_LONGEST_LINE = 16 << 20


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the feature and label columns; see :class:`mlgate.checks.assessment.data.Format`."""
    try:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise Unassessable(
            "unreadable-data", f"{name} is not UTF-8 text at byte {error.start}", "data.path"
        ) from error
    reader = csv.reader(_bounded(text, name), strict=True)
    lines = _rows(reader, name)
    header = [cell.strip() for _, cell in zip(range(1 << 20), next(lines, (0, []))[1], strict=False)]
    if len(set(header)) != len(header) or not header:
        raise Unassessable(
            "unreadable-data", f"{name} line 1 does not name its columns, once each", "data.path"
        )
    features = columns.features or tuple(cell for cell in header if cell != columns.label)
    for wanted, key in ((columns.label, "data.label"), *((entry, "data.features") for entry in features)):
        if wanted not in header:
            raise Unassessable(
                "missing-column", f"{name} has no column {wanted!r}; it has {few(header)}", key
            )
    if columns.label in features or not features:
        raise Unassessable(
            "wrong-features", f"{name}: the features must be columns other than the label", "data.features"
        )
    return _table(lines, header, (columns.label, *features), most, name)


def _bounded(text: io.StringIO, name: str) -> Iterator[str]:
    """Yield lines; one without end would become more cells than there is memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise Unassessable(
                "limit", f"{name} has a line of more than {_LONGEST_LINE} characters", "data.path"
            )
        yield line


def _rows(reader: Iterator[list[str]], name: str) -> Iterator[tuple[int, list[str]]]:
    line = 1
    try:
        for line, row in enumerate(reader, start=1):
            if row:
                yield line, row
    except csv.Error as error:
        raise Unassessable("unreadable-data", f"{name} after row {line}: {error}", "data.path") from error


def _table(
    lines: Iterator[tuple[int, list[str]]], header: Sequence[str], wanted: Sequence[str], most: int, name: str
) -> Table:
    places = [(header.index(column), column) for column in wanted[1:]]
    label = header.index(wanted[0])
    values, labels = array("d"), []
    for line, row in lines:
        if len(row) != len(header):
            raise Unassessable(
                "truncated", f"{name} row {line} has {len(row)} cells, the header {len(header)}", "data.path"
            )
        for place, column in places:
            values.append(_number(row[place], line, column, name))
        labels.append(row[label].strip())
        if not labels[-1]:
            raise Unassessable(
                "missing-label", f"{name} row {line}: column {wanted[0]!r} is empty", "data.label"
            )
        if len(values) * _CELL_BYTES > most:
            raise Unassessable("limit", f"{name} is larger than limits.data_bytes allows", "data.path")
    x = np.array(values, dtype=np.float64).reshape(len(labels), len(places))
    return Table(x, _labels(labels))


def _number(cell: str, line: int, column: str, name: str) -> float:
    try:
        return float(cell)
    except ValueError:
        what = "empty" if not cell.strip() else "not a number"
        raise Unassessable(
            "wrong-type",
            f"{name} row {line}: column {column!r} is {what}; features are numbers",
            "data.features",
        ) from None


def _labels(cells: list[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64 | np.float64 | np.str_]]":
    try:
        return np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return np.array(cells, dtype=np.str_)
