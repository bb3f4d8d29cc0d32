"""Collect trees, whatever library they come from, into the arrays that an assessment reads.

The arrays are described in :mod:`mlgate.checks.assessment.structure`, where the gate checks
them. This is the worker's side: it only has to be right about honest models.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class NoTrees(Exception):  # noqa: N818 - an answer, not an error
    """The model is no ensemble of trees."""


class Uncovered(NoTrees):
    """It is one, with something that a proof does not cover; the message says what."""


class Tree(Struct, frozen=True, kw_only=True):
    """One tree of N nodes; its first node is the root.

    Attributes:
        feature: [N] -1 at a leaf.
        threshold: [N]
        left: [N] Children, as places in these arrays.
        right: [N]
        missing: [N] True where a missing feature goes left.
        value: [N, v] What leaves add.
        column: To which column of scores; -1 for all (v columns).
    """

    feature: "Sequence[int] | NDArray[Any]"
    threshold: "Sequence[float] | NDArray[Any]"
    left: "Sequence[int] | NDArray[Any]"
    right: "Sequence[int] | NDArray[Any]"
    missing: "Sequence[bool] | NDArray[Any]"
    value: "NDArray[Any]"
    column: int


class Forest:
    """Trees that add up to raw scores.

    Args:
        link: What turns raw scores into answers: ``softmax``, ``sigmoid`` or ``identity``.
        inclusive: True where a feature that equals the threshold goes left.
        single: True where the library adds up in float32.
    """

    def __init__(self, link: str, *, inclusive: bool, single: bool) -> None:
        self._settings = {
            "link": np.array([link], dtype=object),
            "inclusive": np.array([inclusive]),
            "single": np.array([single]),
        }
        self._roots: list[int] = []
        self._column: list[int] = []
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._nodes = 0

    def add(self, tree: Tree) -> None:
        """Add one tree."""
        part = {
            "feature": np.asarray(tree.feature, np.int64),
            "threshold": np.asarray(tree.threshold, np.float64),
            "left": np.asarray(tree.left, np.int64) + self._nodes,
            "right": np.asarray(tree.right, np.int64) + self._nodes,
            "missing": np.asarray(tree.missing, np.bool_),
            "value": np.asarray(tree.value, np.float64),
        }
        self._roots.append(self._nodes)
        self._column.append(tree.column)
        self._parts.append(part)
        self._nodes += len(part["feature"])

    def arrays(self, base: "Sequence[float] | NDArray[Any]") -> "Mapping[str, NDArray[Any]]":
        """Return the arrays; nodes that no root leads to are left out, and children follow parents.

        Args:
            base: [k] The raw scores before any tree.

        Raises:
            NoTrees: There is no tree, or a node has itself among its descendants.
        """
        if not self._parts:
            raise NoTrees("it holds no tree")
        whole = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        inner = whole["feature"] >= 0
        levels, level, met = [], np.array(self._roots), 0
        while len(level):
            levels.append(level)
            met += len(level)
            if met > self._nodes:
                raise Uncovered("its nodes do not make trees")
            deeper = level[inner[level]]
            level = np.concatenate([whole["left"][deeper], whole["right"][deeper]])
        order = np.concatenate(levels)
        place = np.full(self._nodes, -1)
        place[order] = np.arange(len(order))
        kept = {name: array[order] for name, array in whole.items()}
        for side in ("left", "right"):
            kept[side] = np.where(kept["feature"] >= 0, place[kept[side] * (kept["feature"] >= 0)], -1)
        kept["threshold"] = np.where(kept["feature"] >= 0, kept["threshold"], 0.0)
        return {
            **kept,
            **self._settings,
            "roots": np.arange(len(self._roots)),
            "column": np.array(self._column),
            "base": np.asarray(base, np.float64),
        }
