"""NumPy arrays as tables: named fields of a structured array, or the columns of a matrix.

The columns of a matrix are named by their index: ``label: "64"``, or ``"-1"`` for the last.
Everything stands in one file, so that one digest vouches for features and labels.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.datasets import _npy
from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.checks.assessment.table import Columns, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npy",)
_MOST_COLUMNS = 1 << 20


def read(data: bytes, columns: Columns, most: int, name: str) -> Table:
    """Read the feature, label and group columns; see :class:`mlgate.checks.assessment.table.Format`."""
    held = _npy.table(data, name)
    known = held.dtype.names or _indices(held, name)
    wanted = [(columns.label, "data.label")]
    wanted += [(column, "data.features") for column in columns.features or ()]
    wanted += [(column, "data") for column in columns.groups]
    for column, key in wanted:
        if _settled(column, known) not in known:
            raise Unassessable("missing-column", f"{name} has no column {column!r}; it has {few(known)}", key)
    others = {_settled(column, known) for column in columns.others}
    features = tuple(_settled(column, known) for column in columns.features or ())
    features = features or tuple(column for column in known if column not in others)
    if _settled(columns.label, known) in features or not features:
        raise Unassessable(
            "wrong-features", f"{name}: the features must be columns other than the label", "data.features"
        )
    if len(features) * held.shape[0] * 8 > most:
        raise Unassessable("limit", f"{name} is larger than limits.data_bytes allows", "data.path")
    parts = [_column(held, feature) for feature in features]
    if any(part.dtype.kind == "U" for part in parts) and not columns.text:
        text = next(feature for feature, part in zip(features, parts, strict=True) if part.dtype.kind == "U")
        raise Unassessable(
            "wrong-type", f"{name}: column {text!r} holds texts; features are numbers", "data.features"
        )
    groups = {group: _column(held, _settled(group, known)) for group in columns.groups}
    return Table(np.stack(parts, axis=1), _column(held, _settled(columns.label, known)), groups, features)


def _indices(held: "NDArray[Any]", name: str) -> tuple[str, ...]:
    if held.ndim != 2:
        raise Unassessable(
            "wrong-shape",
            f"{name} holds one array of shape {list(held.shape)}; a table is needed: a structured array, or "
            "a matrix with one row a sample. Put images and their labels into one npz",
            "data.path",
        )
    if held.shape[1] > _MOST_COLUMNS:
        raise Unassessable(
            "limit",
            f"{name} has {held.shape[1]} columns, more than the {_MOST_COLUMNS} of a table",
            "data.path",
        )
    return tuple(str(index) for index in range(held.shape[1]))


def _settled(column: str, known: tuple[str, ...]) -> str:
    """Return a column's name: ``-1`` is the last one of a matrix."""
    if column.startswith("-") and column[1:].isdigit() and column not in known:
        place = len(known) - int(column[1:6])
        return known[place] if 0 <= place < len(known) else column
    return column


def _column(held: "NDArray[Any]", column: str) -> "NDArray[Any]":
    if held.dtype.names:
        return held[column].reshape(-1)
    return held[:, int(column)]
