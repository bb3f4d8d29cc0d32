"""What a worker says of a tree ensemble, checked: a forest of bounded size, or nothing.

A loader's model describes its ensemble by named arrays of N nodes, T trees and k columns
of scores (:meth:`mlgate.checks.assessment.model.Model.trees`):

- ``roots`` [T]: each tree's root;
- ``feature`` [N]: which feature a node asks for, -1 at a leaf;
- ``threshold`` [N]: a sample goes left where its feature is smaller, or, with
  ``inclusive``, not larger;
- ``left``, ``right`` [N]: the children, which come after their parent;
- ``missing`` [N]: True where a sample without that feature goes left;
- ``value`` [N, v]: what a leaf adds to its tree's column (v = 1), or to every column (v = k);
- ``column`` [T]: that column, or -1 for all;
- ``base`` [k]: the raw scores before any tree;
- ``inclusive`` [1], ``single`` [1]: as above; whether the library adds up in float32;
- ``link`` [1]: what turns raw scores into the model's answers: ``softmax``, ``sigmoid``
  or ``identity``.

Nothing of it is believed. It must be a forest here, and then reproduce the model's own
answers on the data (:func:`mlgate.checks.assessment.trees.agrees`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.trees import LINKS, Trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

_MOST_NODES = 1 << 24
_MOST_TREES = 1 << 17
_MOST_VALUES = 1 << 26
_MOST_LEVELS = 512


def read(given: Mapping[str, "NDArray[Any]"], features: int, columns: int, dtype: "np.dtype[Any]") -> Trees:
    """Check an ensemble's arrays.

    Args:
        given: As the module's docstring says, from a worker.
        features: Of one sample.
        columns: Of the model's answers.
        dtype: Of the samples.

    Raises:
        Unassessable: They are no such ensemble.
    """
    _check_sizes(given)
    nodes = len(given["feature"])
    ints = {name: _whole(given[name]) for name in ("roots", "feature", "left", "right", "column")}
    feature, left, right, roots = ints["feature"], ints["left"], ints["right"], ints["roots"]
    if (feature < -1).any() or (feature >= features).any():
        _refuse(f"a node asks for a feature that samples of {features} features do not have")
    inner = np.flatnonzero(feature >= 0)
    levels = _levels(roots, left, right, inner, nodes)
    value, column = np.asarray(given["value"], np.float64), ints["column"]
    base = np.asarray(given["base"], np.float64)
    wide = value.shape[1]
    alone = (column >= 0) & (column < columns)
    fits = (alone.all() and wide == 1) or ((column == -1).all() and wide == columns)
    if columns < 2 or base.shape != (columns,) or not fits:
        _refuse(f"its leaves do not fit {columns} columns of scores")
    if not np.isfinite(value).all() or not np.isfinite(base).all() or np.isnan(given["threshold"]).any():
        _refuse("a number in it is not finite")
    start, stop, owner = _leaf_order(levels, roots, left, right, feature)
    at_leaf = np.flatnonzero(feature < 0)
    held = np.empty((len(owner), wide))
    held[start[at_leaf]] = value[at_leaf]
    link = str(given["link"].reshape(-1)[0])
    if link not in LINKS:
        _refuse(f"its link {link[:40]!r} is unknown")
    inclusive, single = (bool(given[name].reshape(-1)[0]) for name in ("inclusive", "single"))
    return Trees(
        roots,
        feature,
        _below(given["threshold"].astype(np.float64), inclusive=inclusive, dtype=dtype),
        left,
        right,
        given["missing"].astype(np.bool_),
        levels,
        start,
        stop,
        owner,
        held,
        column,
        base,
        _slack(held, owner, column, base, single=single),
        link,
    )


def _check_sizes(given: Mapping[str, "NDArray[Any]"]) -> None:
    names = (
        *("roots", "feature", "threshold", "left", "right", "missing", "value"),
        *("column", "base", "inclusive", "single", "link"),
    )
    lacking = [name for name in names if name not in given]
    if lacking:
        _refuse(f"it lacks {', '.join(lacking)}")
    nodes, trees = len(given["feature"].reshape(-1)), len(given["roots"].reshape(-1))
    by_node = ("feature", "threshold", "left", "right", "missing")
    value = given["value"]
    fits = (
        all(given[name].shape == (nodes,) for name in by_node)
        and all(given[name].shape == (trees,) for name in ("roots", "column"))
        and value.ndim == 2
        and len(value) == nodes
        and value.shape[1] >= 1
        and all(given[name].size == 1 for name in ("inclusive", "single", "link"))
        and given["base"].ndim == 1
        and all(given[name].dtype.kind == "f" for name in ("threshold", "value", "base"))
        and all(given[name].dtype.kind == "b" for name in ("missing", "inclusive", "single"))
    )
    if not fits:
        _refuse("its arrays do not fit each other")
    if not trees or nodes > _MOST_NODES or trees > _MOST_TREES or value.size > _MOST_VALUES:
        _refuse(
            f"it has {trees} trees and {nodes} nodes; 1 to {_MOST_TREES} and {_MOST_NODES} can be verified"
        )


def _whole(array: "NDArray[Any]") -> "NDArray[np.int64]":
    if array.dtype.kind != "i":
        _refuse("an index in it is no whole number")
    return array.astype(np.int64)


def _levels(
    roots: "NDArray[np.int64]",
    left: "NDArray[np.int64]",
    right: "NDArray[np.int64]",
    inner: "NDArray[np.int64]",
    nodes: int,
) -> "tuple[NDArray[np.int64], ...]":
    """Walk down from the roots, and see that every node is met exactly once."""
    children = np.concatenate([left[inner], right[inner]])
    if (roots < 0).any() or (roots >= nodes).any() or (children < 0).any() or (children >= nodes).any():
        _refuse("a node stands outside of it")
    if (left[inner] <= inner).any() or (right[inner] <= inner).any():
        _refuse("a child stands before its parent")
    met = np.bincount(np.concatenate([roots, children]), minlength=nodes)
    if (met != 1).any():
        _refuse("a node has no parent, or more than one")
    is_inner = np.zeros(nodes, np.bool_)
    is_inner[inner] = True
    levels: list[NDArray[np.int64]] = []
    level = roots
    while len(level):
        if len(levels) == _MOST_LEVELS:
            _refuse(f"it is more than {_MOST_LEVELS} levels deep")
        levels.append(level)
        deeper = level[is_inner[level]]
        level = np.concatenate([left[deeper], right[deeper]])
    return tuple(levels)


def _leaf_order(
    levels: "tuple[NDArray[np.int64], ...]",
    roots: "NDArray[np.int64]",
    left: "NDArray[np.int64]",
    right: "NDArray[np.int64]",
    feature: "NDArray[np.int64]",
) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]":
    """Number the leaves from left to right: first and last under each node, and each leaf's tree."""
    count = (feature < 0).astype(np.int64)
    for level in reversed(levels):
        inner = level[feature[level] >= 0]
        count[inner] = count[left[inner]] + count[right[inner]]
    start = np.zeros(len(feature), np.int64)
    start[roots] = np.cumsum(count[roots]) - count[roots]
    for level in levels:
        inner = level[feature[level] >= 0]
        start[left[inner]] = start[inner]
        start[right[inner]] = start[inner] + count[left[inner]]
    return start, start + count, np.repeat(np.arange(len(roots)), count[roots])


def _below(threshold: "NDArray[np.float64]", *, inclusive: bool, dtype: "np.dtype[Any]") -> "Floats":
    """Return the thresholds t with ``x < t`` for exactly those x of ``dtype`` that went left."""
    with np.errstate(over="ignore"):
        near = threshold.astype(dtype)
        up = np.nextafter(near, np.array(np.inf, dtype))
    exact = near.astype(np.float64)
    # x < t, or x <= t, where t lies between two numbers of the dtype: the upper one is the bound.
    bound = np.where(exact < threshold, up, near)
    if inclusive:
        bound = np.where(exact == threshold, up, bound)
    return np.asarray(bound, dtype)


def _slack(
    value: "NDArray[np.float64]",
    owner: "NDArray[np.int64]",
    column: "NDArray[np.int64]",
    base: "NDArray[np.float64]",
    *,
    single: bool,
) -> "NDArray[np.float64]":
    """Bound the rounding of a sum of n terms: n unit roundoffs of their sizes' sum (Higham 2002, 4.2)."""
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    largest = np.maximum.reduceat(np.abs(value), first, axis=0)
    unit = float(np.finfo(np.float32 if single else np.float64).eps)
    if column[0] < 0:
        return np.asarray((len(column) + 2) * unit * (largest.sum(axis=0) + np.abs(base) + 1))
    size = np.bincount(column, weights=largest[:, 0], minlength=len(base))
    terms = np.bincount(column, minlength=len(base)) + 2
    return np.asarray(terms * unit * (size + np.abs(base) + 1))


def _refuse(why: str) -> NoReturn:
    raise Unassessable("tree-structure", f"the model's trees cannot be verified: {why}")
