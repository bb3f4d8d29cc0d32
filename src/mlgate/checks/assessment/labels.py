"""What labels mean: the columns of a model's scores.

Labels are whole numbers, the columns of the model's scores, from 0; or, where the model
names its classes, their names; or texts, which in sorted order name the columns, if as
many different ones occur as the model has classes.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.problems import Unassessable, few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.data import Dataset
    from mlgate.checks.assessment.model import Scores


def label_columns(dataset: "Dataset", scores: "Scores", columns: int) -> "NDArray[np.int64]":
    """Return each sample's right column of the scores: [n], 0 to ``columns`` - 1.

    Args:
        dataset: With labels as they stand.
        scores: Any answer of the model, for its classes' names.
        columns: Classes of the model.

    Raises:
        Unassessable: A label is missing, is none of the model's classes, or they are all the same.
    """
    found = _columns(dataset, scores, columns)
    if (found == found[0]).all():
        raise Unassessable(
            "one-class",
            f"{dataset.name}: every label is {few([str(dataset.y[0])])}, so a model that always gives the "
            "same answer would be right; add samples of the other classes",
            "data.label",
        )
    return found


def class_column(label: str, dataset: "Dataset", scores: "Scores", columns: int) -> int:
    """Return the column of the scores that a label of the policy names.

    Raises:
        Unassessable: It names none.
    """
    if scores.classes is not None:
        known = [str(name) for name in scores.classes]
    elif dataset.y.dtype.kind == "U":
        known = [str(name) for name in np.unique(dataset.y)]
    else:
        known = [str(column) for column in range(columns)]
    if label not in known:
        raise Unassessable(
            "wrong-label",
            f"{label!r} is no label of {dataset.name}; it has {few(known)}",
            "fairness.positive",
        )
    return known.index(label)


def regression_values(dataset: "Dataset", columns: int) -> "NDArray[np.float64]":
    """Return each sample's right value: [n].

    Raises:
        Unassessable: A value is missing or no number, they are all the same, or the model
            gives more than one value a sample.
    """
    y, name = dataset.y, dataset.name
    if y.dtype.kind not in "biuf":
        raise Unassessable("wrong-label", f"{name}: a regression needs numbers as labels", "data.label")
    values = y.astype(np.float64)
    if not np.isfinite(values).all():
        sample = int(np.argmax(~np.isfinite(values)))
        raise Unassessable("missing-label", f"{name}: sample {sample} has no finite label", "data.label")
    if columns != 1:
        raise Unassessable(
            "model-output", f"a regression predicts one value a sample, and the model gives {columns}"
        )
    if (values == values[0]).all():
        raise Unassessable("one-class", f"{name}: every label is {values[0]:g}", "data.label")
    return values


def _columns(dataset: "Dataset", scores: "Scores", columns: int) -> "NDArray[np.int64]":
    y, name = dataset.y, dataset.name
    if y.dtype.kind == "f":
        if np.isnan(y).any():
            raise Unassessable(
                "missing-label",
                f"{name}: sample {int(np.argmax(np.isnan(y)))} has no label (NaN)",
                "data.label",
            )
        if not (np.isfinite(y) & (y == np.round(y)) & (np.abs(y) < 1 << 53)).all():
            raise Unassessable(
                "wrong-label",
                f"{name}: labels are fractions; a classifier's labels are whole numbers or text",
                "data.label",
            )
        y = y.astype(np.int64)
    elif y.dtype.kind == "b":
        y = y.astype(np.int64)
    values, places = np.unique(y, return_inverse=True)
    if scores.classes is not None:
        known = {str(label): column for column, label in enumerate(scores.classes)}
        return _matched([known.get(str(value)) for value in values], values, places, name)
    if y.dtype.kind == "U":
        if len(values) != columns:
            raise Unassessable(
                "wrong-label",
                f"{name} has {len(values)} different label texts and the model {columns} classes; number the "
                "labels from 0, in the order of the model's scores",
                "data.label",
            )
        return places.astype(np.int64)
    return _matched([int(value) if 0 <= value < columns else None for value in values], values, places, name)


def _matched(
    columns: list[int | None], values: "NDArray[Any]", places: "NDArray[np.intp]", name: str
) -> "NDArray[np.int64]":
    strange = [str(value) for value, column in zip(values, columns, strict=True) if column is None]
    if strange:
        raise Unassessable(
            "wrong-label",
            f"{name} has labels that are none of the model's classes: {few(strange)}; number them from 0, "
            "in the order of the model's scores",
            "data.label",
        )
    return np.array(columns, dtype=np.int64)[places]
