"""Features and groups as a file gave them: checked, complete, or not used at all."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.policy import assessment as schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

_LONGEST_GROUP = 200


def checked(x: "NDArray[Any]", names: "Sequence[str]", settings: schema.Data, name: str) -> "NDArray[Any]":
    """Return features [n, ...] as float32 or float64, or as objects that are texts.

    Args:
        x: As a format read them.
        names: Of one sample's features, where the file names them.
        settings: What the policy says of them.
        name: The file's path.

    Raises:
        Unassessable: They are of another kind, not finite, out of range, or lack a value
            where none may be missing.
    """
    text = settings.kind == "text"
    if x.ndim < 2 or x.dtype.kind not in ("UO" if text else "biuf"):
        hint = "; for a model that reads texts say `kind: text`" if x.dtype.kind in "UO" and not text else ""
        raise Unassessable(
            "wrong-shape",
            f"the features of {name} are {x.dtype} of shape {list(x.shape)}; "
            f"{'texts' if text else 'numbers'} with one row a sample are needed{hint}",
            "data.features",
        )
    positions = columns(settings, names, x.shape[1:], name)
    if text:
        return x.astype(object)
    x = x.astype(np.float64 if x.dtype.itemsize > 4 or x.dtype.kind in "iu" else np.float32)
    _finite(x, names, settings, name)
    if isinstance(settings.range, tuple):
        if not -np.inf < settings.range[0] < settings.range[1] < np.inf:
            raise Unassessable(
                "wrong-range", f"data.range {list(settings.range)} is not two rising numbers", "data.range"
            )
        _within(x, settings.range, names, name, "data.range")
    flat = x.reshape(len(x), -1)
    for position, column in positions.items():
        if isinstance(column.range, tuple):
            own = [names[position]] if names else [column.name]
            _within(flat[:, position : position + 1], column.range, own, name, "data.columns")
    return x


def columns(
    settings: schema.Data, names: "Sequence[str]", shape: tuple[int, ...], name: str
) -> "Mapping[int, schema.Column]":
    """Return what the policy says of single features, by their place in a flattened sample.

    Args:
        settings: What the policy says of the data.
        names: Of the features, where the file names them.
        shape: Of one sample.
        name: The file's path.

    Raises:
        Unassessable: It speaks of a feature that is not there.
    """
    if not settings.columns:
        return {}
    known = list(names) or [str(index) for index in range(int(np.prod(shape, dtype=object)))]
    places = {column: position for position, column in enumerate(known)}
    found = {}
    for column in settings.columns:
        if column.name not in places:
            raise Unassessable(
                "missing-column",
                f"data.columns speaks of {column.name!r}, which is no feature of {name}; it has {few(known)}",
                "data.columns",
            )
        found[places[column.name]] = column
    return found


def memberships(
    values: "NDArray[Any]", column: str, n: int, ids: "NDArray[np.int64]", name: str
) -> "NDArray[np.str_]":
    """Return the group of each of some samples as a text: 1.0 is the group ``1``.

    Args:
        values: [n] As a format read them.
        column: Their name.
        n: Samples of the file.
        ids: Numbers of those that are wanted.
        name: The file's path.

    Raises:
        Unassessable: A sample names none, or there is not one a sample.
    """
    if values.shape not in ((n,), (n, 1)):
        raise Unassessable(
            "wrong-shape",
            f"{column!r} of {name}, which names groups, is of shape {list(values.shape)} for {n} samples",
            "data",
        )
    flat = values.reshape(-1)[ids]
    if flat.dtype.kind == "f" and np.isfinite(flat).all() and (flat == np.round(flat)).all():
        flat = flat.astype(object)
        flat[:] = [int(value) for value in flat]
    texts = [str(value).strip() for value in flat]
    for sample, text in zip(ids, texts, strict=True):
        if len(text) > _LONGEST_GROUP:
            raise Unassessable(
                "wrong-group",
                f"{name}: sample {sample} names a group of {len(text)} characters in {column!r}",
                "data",
            )
        if not text or text.lower() in ("nan", "none", "inf", "-inf"):
            raise Unassessable(
                "missing-group",
                f"{name}: sample {sample} has no group in {column!r}; name one, or drop the sample",
                "data",
            )
    return np.array(texts, dtype=np.str_)


def _finite(x: "Floats", names: "Sequence[str]", settings: schema.Data, name: str) -> None:
    missing = settings.missing == "allow"
    bad = np.isinf(x) if missing else ~np.isfinite(x)
    if bad.any():
        hint = "" if missing or np.isinf(x).any() else ", or say `missing: allow` if the model can do without"
        raise Unassessable(
            "not-finite",
            f"{name}: the feature at {_first(bad, names)} is not a finite number "
            f"({int(bad.sum())} such values); drop or fill them{hint}",
            "data.features",
        )


def _within(x: "Floats", limits: tuple[float, float], names: "Sequence[str]", name: str, key: str) -> None:
    low, high = bounds(limits, x.dtype)
    outside = (x < low) | (x > high)
    if outside.any():
        raise Unassessable(
            "out-of-range",
            f"{name}: the feature at {_first(outside, names)} lies outside its range in {key} "
            f"({int(outside.sum())} such values)",
            key,
        )


def _first(where: "NDArray[np.bool_]", names: "Sequence[str]") -> str:
    index = tuple(int(axis) for axis in np.argwhere(where)[0])
    if len(index) == 2 and index[1] < len(names):
        return f"sample {index[0]}, column {names[index[1]]!r}"
    return f"sample {index[0]}, index {list(index[1:])}"


def bounds(limits: tuple[float, float], dtype: "np.dtype[Any]") -> tuple[Any, Any]:
    """Bring a range to the data's dtype: 0.1 in float32 is not 0.1 in float64."""
    return dtype.type(limits[0]), dtype.type(limits[1])
