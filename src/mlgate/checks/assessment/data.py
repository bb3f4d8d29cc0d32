"""The data that a model is assessed on: checked, complete, or not used at all.

A format is a module of :mod:`mlgate.checks.assessment.datasets` with the members of
:class:`Format`. What comes out of it is checked here, alike for every format.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from msgspec import UNSET, Struct

from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import modules
from mlgate.policy import assessment as schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats, Signature

FEWEST_SAMPLES = 20
_MOST_SHOWN = 8


class Columns(Struct, frozen=True):
    """What to read.

    Attributes:
        label: Array or column of the label.
        features: Arrays or columns of the features; None for the format's default.
    """

    label: str
    features: tuple[str, ...] | None = None


class Table(Struct, frozen=True):
    """What a format read.

    Attributes:
        x: Features [n, ...].
        y: Labels as they stand, numbers or text.
    """

    x: "NDArray[Any]"
    y: "NDArray[Any]"


class Format(Protocol):
    """What a module of ``datasets`` provides.

    Attributes:
        SUFFIXES: Of its files' names, lower case.
    """

    SUFFIXES: tuple[str, ...]

    def read(self, data: bytes, columns: Columns, most: int, name: str) -> Table:
        """Read features and labels.

        Args:
            data: The whole file.
            columns: What to read.
            most: Bytes that one array may take in memory.
            name: The file's path, for messages.

        Raises:
            Unassessable: It is not readable, or holds no such columns.
        """
        ...


class Dataset(Struct, frozen=True):
    """Checked data.

    Attributes:
        x: Finite features [n, ...], float32 or float64.
        y: Labels as they stand.
        ids: [n] Each sample's number in the file.
        name: The file's path.
        groups: [n] Texts by column: the groups that `subgroups` and `fairness` name.
        names: Of the features of one sample, where the file names them.
        distinct: Samples without copies of others; an interval takes all to be independent.
    """

    x: "Floats"
    y: "NDArray[Any]"
    ids: "NDArray[np.int64]"
    name: str
    groups: "Mapping[str, NDArray[np.str_]]" = {}
    names: tuple[str, ...] = ()
    distinct: int = 0


def few(names: Sequence[str]) -> str:
    """List names for a message, not too many."""
    listed = ", ".join(repr(name[:80]) for name in names[:_MOST_SHOWN])
    more = len(names) - _MOST_SHOWN
    return f"{listed} and {more} more" if more > 0 else listed or "nothing"


def load(data: bytes, entry: schema.Assessment, most: int, name: str) -> Dataset:
    """Read and check a data file.

    Args:
        data: The whole file.
        entry: What the policy says of the assessment: the columns, and which of them it needs.
        most: Bytes that one array may take in memory.
        name: The file's path.

    Raises:
        Unassessable: The data cannot carry a figure.
    """
    settings, seed = entry.data, entry.seed
    table = _format(name).read(data, _columns(settings), most, name)
    x, y = table.x, table.y
    if x.ndim < 2 or x.dtype.kind not in "biuf":
        raise Unassessable(
            "wrong-shape",
            f"the features of {name} are {x.dtype} of shape {list(x.shape)}; "
            "numbers with one row a sample are needed",
            "data.features",
        )
    if y.shape not in ((len(x),), (len(x), 1)):
        raise Unassessable(
            "wrong-shape", f"{name} has {len(x)} samples and labels of shape {list(y.shape)}", "data.label"
        )
    if len(x) < FEWEST_SAMPLES or x.size == 0:
        raise Unassessable(
            "too-few-samples",
            f"{name} holds {len(x)} samples; fewer than {FEWEST_SAMPLES} carry no figure",
            "data.path",
        )
    x = x.astype(np.float64 if x.dtype.itemsize > 4 or x.dtype.kind in "iu" else np.float32)
    _check_values(x, settings, name)
    ids = np.arange(len(x))
    if settings.limit is not UNSET and settings.limit < len(x):
        ids = np.sort(np.random.default_rng(seed).permutation(len(x))[: settings.limit])
        if len(ids) < FEWEST_SAMPLES:
            raise Unassessable(
                "too-few-samples",
                f"data.limit leaves {len(ids)} samples; fewer than {FEWEST_SAMPLES} carry no figure",
                "data.limit",
            )
    distinct = len({row.tobytes() for row in x[ids]})
    return Dataset(x[ids], y.reshape(-1)[ids], ids, name, distinct=distinct)


def _format(name: str) -> Any:
    formats: tuple[Any, ...] = modules("mlgate.checks.assessment.datasets")
    for module in formats:
        if name.lower().endswith(module.SUFFIXES):
            return module
    known = ", ".join(suffix for module in formats for suffix in module.SUFFIXES)
    raise Unassessable("unknown-data", f"{name} is in no data format that mlgate reads: {known}", "data.path")


def _columns(settings: schema.Data) -> Columns:
    features = settings.features
    if isinstance(features, str):
        return Columns(settings.label, (features,))
    return Columns(settings.label, features if isinstance(features, tuple) else None)


def _check_values(x: "Floats", settings: schema.Data, name: str) -> None:
    bad = ~np.isfinite(x)
    if bad.any():
        raise Unassessable(
            "not-finite",
            f"{name}: the feature at {_first(bad, settings)} is not a finite number "
            f"({int(bad.sum())} such values); drop or fill them",
            "data.features",
        )
    if isinstance(settings.range, tuple):
        if not -np.inf < settings.range[0] < settings.range[1] < np.inf:
            raise Unassessable(
                "wrong-range", f"data.range {list(settings.range)} is not two rising numbers", "data.range"
            )
        low, high = bounds(settings.range, x.dtype)
        outside = (x < low) | (x > high)
        if outside.any():
            raise Unassessable(
                "out-of-range",
                f"{name}: the feature at {_first(outside, settings)} lies outside data.range "
                f"({int(outside.sum())} such values)",
                "data.range",
            )


def _first(where: "NDArray[np.bool_]", settings: schema.Data) -> str:
    index = tuple(int(axis) for axis in np.argwhere(where)[0])
    if isinstance(settings.features, tuple) and len(index) == 2 and len(settings.features) > 1:
        return f"sample {index[0]}, column {settings.features[index[1]]!r}"
    return f"sample {index[0]}, index {list(index[1:])}"


def bounds(limits: tuple[float, float], dtype: "np.dtype[Any]") -> tuple[Any, Any]:
    """Bring a range to the data's dtype: 0.1 in float32 is not 0.1 in float64."""
    return dtype.type(limits[0]), dtype.type(limits[1])


def fit(x: "Floats", signature: "Signature", name: str) -> "Floats":
    """Bring features to the shape and dtype that a model wants.

    Features of another shape are reshaped if one sample has as many of them.

    Raises:
        Unassessable: They do not fit.
    """
    wanted, given = signature.shape[1:], x.shape[1:]
    agrees = len(wanted) == len(given) and all(
        size in (None, own) for size, own in zip(wanted, given, strict=True)
    )
    if not agrees:
        sizes = [size for size in wanted if size is not None]
        if len(sizes) != len(wanted) or np.prod(sizes, dtype=object) != np.prod(given, dtype=object):
            shape = ["batch", *("any" if size is None else size for size in wanted)]
            raise Unassessable(
                "model-input",
                f"the model wants samples of shape {shape}, {name} holds {['batch', *given]}",
                "data.features",
            )
        given = tuple(sizes)
    with np.errstate(over="ignore"):
        fitted = np.ascontiguousarray(x.reshape(len(x), *given), dtype=signature.dtype)
    if not np.isfinite(fitted).all():
        raise Unassessable(
            "not-finite", f"{name} holds numbers too large for the model's {signature.dtype}", "data.features"
        )
    return fitted
