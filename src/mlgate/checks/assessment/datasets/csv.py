"""Comma-separated values with a header line: features that are all numbers or all texts.

Without `data.features` they are all columns but the label and those that name groups. An
empty cell, ``NA``, ``NaN``, ``null`` or ``none`` is a missing value.
"""

import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.checks.assessment.table import Columns, Table, label_texts

SUFFIXES = (".csv",)
# What a number, or a text met before, takes in memory; and a new text beside its letters.
_CELL_BYTES, _WORD_BYTES = 8, 150
_MISSING = frozenset(("", "na", "n/a", "null", "none"))
_LONGEST_LINE = 16 << 20


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the feature and label columns; see :class:`mlgate.checks.assessment.table.Format`."""
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
    features = columns.features or tuple(cell for cell in header if cell not in columns.others)
    named = [(columns.label, "data.label")]
    named += [(entry, "data.features") for entry in features]
    named += [(entry, "data") for entry in columns.groups]
    known = set(header)
    for wanted, key in named:
        if wanted not in known:
            raise Unassessable(
                "missing-column", f"{name} has no column {wanted!r}; it has {few(header)}", key
            )
    if columns.label in features or not features:
        raise Unassessable(
            "wrong-features", f"{name}: the features must be columns other than the label", "data.features"
        )
    return _table(lines, header, replace(columns, features=features), most, name)


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
    lines: Iterator[tuple[int, list[str]]], header: Sequence[str], columns: Columns, most: int, name: str
) -> Table:
    features = columns.features or ()
    at = {column: place for place, column in enumerate(header)}
    places = [(at[column], column) for column in features]
    cells: dict[str, list[str]] = {column: [] for column in (columns.label, *columns.groups)}
    others = [(at[column], column) for column in cells]
    values, texts, size, count = array("d"), list[str](), 0, 0
    words: dict[str, str] = {}  # a label that comes again is kept once
    for line, row in lines:
        if len(row) != len(header):
            raise Unassessable(
                "truncated", f"{name} row {line} has {len(row)} cells, the header {len(header)}", "data.path"
            )
        for place, column in places:
            if columns.text:
                texts.append(row[place])
            else:
                values.append(_number(row[place], line, column, columns, name))
        for place, column in others:
            word = _filled(row[place], line, column, columns, name)
            size += _CELL_BYTES if word in words else _WORD_BYTES + len(word)
            cells[column].append(words.setdefault(word, word))
        count += 1
        size += _CELL_BYTES * len(places) + (sum(map(len, row)) if columns.text else 0)
        if size > most:
            raise Unassessable("limit", f"{name} is larger than limits.data_bytes allows", "data.path")
    x: Any = np.array(texts, dtype=object) if columns.text else np.array(values, dtype=np.float64)
    groups = {column: np.array(cells[column], dtype=object) for column in columns.groups}
    return Table(x.reshape(count, len(places)), _labels(cells[columns.label], most, name), groups, features)


def _filled(cell: str, line: int, column: str, columns: Columns, name: str) -> str:
    text = cell.strip()
    if not text:
        label = column == columns.label
        raise Unassessable(
            "missing-label" if label else "missing-group",
            f"{name} row {line}: column {column!r} is empty",
            "data.label" if label else "data",
        )
    return text


def _number(cell: str, line: int, column: str, columns: Columns, name: str) -> float:
    try:
        return float(cell)
    except ValueError:
        missing = cell.strip().lower() in _MISSING
        if missing and columns.missing:
            return math.nan
        what = "empty" if missing else "not a number"
        hint = (
            "; say `missing: allow` if the model can do without"
            if missing
            else "; name them in data.features"
        )
        raise Unassessable(
            "wrong-type",
            f"{name} row {line}: column {column!r} is {what}; features are numbers{hint}",
            "data.features",
        ) from None


def _labels(
    cells: list[str], most: int, name: str
) -> "np.ndarray[tuple[int], np.dtype[np.int64 | np.float64 | np.str_]]":
    try:
        return np.array([float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return label_texts(cells, most, name)
