"""The data that a model is assessed on: checked, complete, or not used at all.

What a format reads (see :mod:`mlgate.checks.assessment.table`) is checked here, alike for
every format.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import replace

from mlgate.checks.assessment.features import checked, memberships
from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.checks.assessment.table import Columns
from mlgate.core.discovery import modules
from mlgate.policy import assessment as schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats, Signature

FEWEST_SAMPLES = 20
_MOST_SAMPLES = 1 << 22


class Dataset(Struct, frozen=True):
    """Checked data.

    Attributes:
        x: Features [n, ...]: finite float32 or float64, with NaN for what is missing where the
            policy allows it; or texts, as objects.
        y: Labels as they stand.
        ids: [n] Each sample's number in the file.
        name: The file's path.
        groups: [n] Texts by column: the groups that `subgroups` and `fairness` name.
        names: Of the features of one sample, where the file names them.
        distinct: Samples without copies of others; an interval takes all to be independent.
        sha256: Of the file, where it stands beside the evaluation data.
    """

    x: "Floats"
    y: "NDArray[Any]"
    ids: "NDArray[np.int64]"
    name: str
    groups: "Mapping[str, NDArray[np.str_]]" = {}
    names: tuple[str, ...] = ()
    distinct: int = 0
    sha256: str = ""

    @property
    def apart(self) -> tuple[str, ...]:
        """The columns of a table that name groups and are no features."""
        return tuple(column for column in self.groups if self.names and column not in self.names)


def load(
    data: bytes, entry: schema.Assessment, most: int, name: str, features: tuple[str, ...] | None = None
) -> Dataset:
    """Read and check a data file.

    Args:
        data: The whole file.
        entry: What the policy says of the assessment: the columns, and which of them it needs.
        most: Bytes that one array may take in memory.
        name: The file's path.
        features: Names of the features, for a file that must have those of another one;
            it needs no groups.

    Raises:
        Unassessable: The data cannot carry a figure.
    """
    settings = entry.data
    columns = wanted(entry)
    if features is not None:
        columns = replace(columns, features=features or columns.features, groups=())
    table = _format(name).read(data, columns, most, name)
    y = table.y
    if _width(table.x) * table.x.size > most:
        raise Unassessable(
            "limit",
            f"{name} holds {table.x.size} numbers, which take more memory than limits.data_bytes allows",
            "data.path",
        )
    x = checked(table.x, table.names, settings, name)
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
    if (len(x) if settings.limit is UNSET else min(len(x), settings.limit)) > _MOST_SAMPLES:
        raise Unassessable(
            "limit", f"{name} holds {len(x)} samples; set data.limit to at most {_MOST_SAMPLES}", "data.limit"
        )
    ids = np.arange(len(x))
    if settings.limit is not UNSET and settings.limit < len(x):
        ids = np.sort(np.random.default_rng(entry.seed).permutation(len(x))[: settings.limit])
        if len(ids) < FEWEST_SAMPLES:
            raise Unassessable(
                "too-few-samples",
                f"data.limit leaves {len(ids)} samples; fewer than {FEWEST_SAMPLES} carry no figure",
                "data.limit",
            )
    groups = {
        column: memberships(values, column, len(x), ids, name) for column, values in table.groups.items()
    }
    return Dataset(
        x[ids],
        y.reshape(-1)[ids],
        ids,
        name,
        groups=groups,
        names=table.names,
        distinct=_distinct(x[ids]),
    )


def wanted(entry: schema.Assessment) -> Columns:
    """Return which columns or arrays of the data an assessment needs."""
    settings = entry.data
    features = settings.features
    groups: list[str] = []
    for section, field in ((entry.subgroups, "by"), (entry.fairness, "group")):
        named = () if section is UNSET else getattr(section, field)
        groups += [named] if isinstance(named, str) else named
    return Columns(
        settings.label,
        (features,) if isinstance(features, str) else features if isinstance(features, tuple) else None,
        tuple(dict.fromkeys(groups)),
        text=settings.kind == "text",
        missing=settings.missing == "allow",
    )


def _width(x: "NDArray[Any]") -> int:
    """Return the bytes that one feature will take: see :func:`.features.checked`."""
    return (
        x.dtype.itemsize if x.dtype.kind in "UO" else 8 if x.dtype.kind in "iu" else max(4, x.dtype.itemsize)
    )


def _distinct(x: "NDArray[Any]") -> int:
    if x.dtype.kind == "O":
        return len({tuple(row) for row in x.reshape(len(x), -1)})
    return len({row.tobytes() for row in x})


def _format(name: str) -> Any:
    formats: tuple[Any, ...] = modules("mlgate.checks.assessment.datasets")
    for module in formats:
        if name.lower().endswith(module.SUFFIXES):
            return module
    known = ", ".join(suffix for module in formats for suffix in module.SUFFIXES)
    raise Unassessable("unknown-data", f"{name} is in no data format that mlgate reads: {known}", "data.path")


def agree(dataset: Dataset, signature: "Signature") -> None:
    """See that data and model have the same features in the same order, where both name them.

    Raises:
        Unassessable: They do not.
    """
    # LightGBM writes "_" for spaces.
    held, wanted = (
        [name.strip().replace(" ", "_") for name in names] for names in (dataset.names, signature.names)
    )
    if not held or not wanted or held == wanted:
        return
    if len(held) != len(wanted):
        return  # the shape says it better
    at = next(place for place, (one, other) in enumerate(zip(held, wanted, strict=True)) if one != other)
    raise Unassessable(
        "model-input",
        f"feature {at} is {dataset.names[at]!r} in {dataset.name} and {signature.names[at]!r} in the model; "
        f"name data.features in the model's order: {few(signature.names)}",
        "data.features",
    )


def fit(x: "Floats", signature: "Signature", name: str, apart: tuple[str, ...] = ()) -> "Floats":
    """Bring features to the shape and dtype that a model wants.

    Features of another shape are reshaped if one sample has as many of them.

    Args:
        x: Samples [n, ...].
        signature: What the model wants.
        name: The file's path.
        apart: Columns that name groups and are no features, for the message.

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
            hint = f"; {few(apart)} name groups: if the model reads them, list them in data.features too"
            raise Unassessable(
                "model-input",
                f"the model wants samples of shape {shape}, {name} holds {['batch', *given]}"
                f"{hint if apart else ''}",
                "data.features",
            )
        given = tuple(sizes)
    texts, wants = x.dtype.kind == "O", signature.dtype == "text"
    if texts != wants:
        raise Unassessable(
            "model-input",
            f"the model wants {'texts' if wants else 'numbers'}, and {name} was read as "
            f"{'texts' if texts else 'numbers'}; say `kind: {'text' if wants else 'numbers'}`",
            "data",
        )
    if texts:
        return x.reshape(len(x), *given)
    with np.errstate(over="ignore"):
        fitted = np.ascontiguousarray(x.reshape(len(x), *given), dtype=signature.dtype)
    if np.isinf(fitted).any():
        raise Unassessable(
            "not-finite", f"{name} holds numbers too large for the model's {signature.dtype}", "data.features"
        )
    return fitted
