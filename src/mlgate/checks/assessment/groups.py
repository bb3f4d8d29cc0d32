"""The groups that samples fall into, and which of them can carry a figure."""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.problems import Unassessable, few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.data import Dataset

_MOST_GROUPS = 100


def named(columns: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that a policy key names, one or several."""
    return (columns,) if isinstance(columns, str) else columns


def members(dataset: "Dataset", column: str, key: str) -> "dict[str, NDArray[np.bool_]]":
    """Return, for each group of a column in sorted order, which samples [n] belong to it.

    Raises:
        Unassessable: There is one group only, or more than can be told apart.
    """
    held = dataset.groups[column]
    found, counts = np.unique(held, return_counts=True)
    if len(found) < 2:
        raise Unassessable(
            "one-group",
            f"{dataset.name}: every sample has {few([str(found[0])])} in {column!r}, so there is nothing to "
            "compare",
            key,
        )
    if len(found) > _MOST_GROUPS:
        raise Unassessable(
            "too-many-groups",
            f"{dataset.name}: {column!r} has {len(found)} different values (the most frequent one "
            f"{int(counts.max())} times), more than the {_MOST_GROUPS} groups that can be compared; name a "
            "column that puts them into ranges",
            key,
        )
    return {str(group): held == group for group in found}


def small(group: str, count: int, fewest: int, key: str) -> Unassessable:
    """Say that a group, such as ``sex=female``, has too few samples to be judged."""
    return Unassessable(
        "small-group",
        f"{group} has {count} samples, fewer than the {fewest} of min_samples; add samples, "
        f"lower {key}, or waive `not_checked: small-group`",
        key,
    )
