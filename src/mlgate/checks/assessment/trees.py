"""A tree ensemble as numbers: what it answers to a sample, and whether a model answers so too."""

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

LINKS = ("softmax", "sigmoid", "identity")
# Raw scores of the library and of the structure may differ by how they are added up.
_TOLERANCE = 1e-4
_MOST_STEPS = 1 << 22
# Steps down a tree, over all samples and trees: some ten seconds.
_MOST_COMPARED = 1 << 28
# Samples that are moved onto thresholds, and how many of each one's features at most.
_MOVED, _MOVES = 512, 64


class Trees(Struct, frozen=True):
    """A checked ensemble of T trees, N nodes, L leaves and k columns.

    Leaves are numbered tree by tree and from left to right, so that those under a node
    are neighbours.

    Attributes:
        roots: [T]
        feature: [N] -1 at a leaf.
        threshold: [N] In the samples' dtype; a smaller feature goes left.
        left: [N]
        right: [N]
        missing: [N] True where a missing feature goes left.
        levels: The nodes by their depth.
        start: [N] First leaf under each node.
        stop: [N] One after the last.
        owner: [L] Each leaf's tree.
        value: [L, 1] What a leaf adds to its tree's column, or [L, k] to every column.
        column: [T] That column, or -1.
        base: [k]
        slack: [k] How far a raw score of the library may lie from the exact one.
        link: One of :data:`LINKS`.
    """

    roots: "NDArray[np.int64]"
    feature: "NDArray[np.int64]"
    threshold: "Floats"
    left: "NDArray[np.int64]"
    right: "NDArray[np.int64]"
    missing: "NDArray[np.bool_]"
    levels: "tuple[NDArray[np.int64], ...]"
    start: "NDArray[np.int64]"
    stop: "NDArray[np.int64]"
    owner: "NDArray[np.int64]"
    value: "NDArray[np.float64]"
    column: "NDArray[np.int64]"
    base: "NDArray[np.float64]"
    slack: "NDArray[np.float64]"
    link: str

    @property
    def shared(self) -> bool:
        """True where every tree adds to every column."""
        return bool(self.column[0] < 0)

    def leaves(self, x: "Floats") -> "NDArray[np.int64]":
        """Return the leaf of every sample [n, F] in every tree: [n, T]."""
        at = np.repeat(self.roots[None], len(x), axis=0)
        rows = np.arange(len(x))[:, None]
        for _ in self.levels[1:]:
            feature = self.feature[at]
            seen = x[rows, np.maximum(feature, 0)]
            goes_left = np.where(np.isnan(seen), self.missing[at], seen < self.threshold[at])
            at = np.where(feature < 0, at, np.where(goes_left, self.left[at], self.right[at]))
        return self.start[at]

    def raw(self, x: "Floats") -> "NDArray[np.float64]":
        """Return the raw scores of samples [n, F]: [n, k]."""
        size = max(1, _MOST_STEPS // len(self.roots))
        parts = [self._raw(x[start : start + size]) for start in range(0, len(x), size)]
        return np.concatenate(parts)

    def _raw(self, x: "Floats") -> "NDArray[np.float64]":
        leaves = self.leaves(x)
        total = np.repeat(self.base[None], len(x), axis=0)
        if self.shared:
            for tree in range(len(self.roots)):
                total += self.value[leaves[:, tree]]
            return total
        for column in np.unique(self.column):
            total[:, column] += self.value[leaves[:, self.column == column], 0].sum(axis=1)
        return total

    def answers(self, x: "Floats") -> "NDArray[np.float64]":
        """Return what the model should answer to samples [n, F]: [n, k]."""
        raw = self.raw(x)
        if self.link == "identity":
            return raw
        if self.link == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-raw)))
        weights = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def moved(trees: Trees, x: "Floats") -> "Floats":
    """Return samples with features on thresholds and right below them, the same ones in every run.

    There a structure that merely fits the data goes wrong.

    Args:
        trees: Whose thresholds.
        x: [n, F] Samples, of which some are moved, evenly chosen.
    """
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOVED)).astype(np.int64))
    there = (trees.feature >= 0) & (np.abs(trees.threshold) < np.finfo(x.dtype).max / 2)
    inner, found = np.flatnonzero(there), x[rows]
    if not len(inner):
        return found
    rng = np.random.default_rng(0)
    nodes = inner[rng.integers(len(inner), size=(len(found), max(1, min(x.shape[1] // 2, _MOVES))))]
    cuts = trees.threshold[nodes]
    below = np.nextafter(cuts, np.array(-np.inf, x.dtype))
    np.put_along_axis(
        found, trees.feature[nodes], np.where(rng.random(cuts.shape) < 0.5, below, cuts), axis=1
    )
    return found


def agrees(trees: Trees, x: "Floats", answers: "Floats") -> float:
    """Compare an ensemble with its model's own answers.

    Args:
        trees: The ensemble.
        x: [n, F] Samples.
        answers: [n, k] What the model answers to them.

    Returns:
        The largest difference of an answer. Where all samples would take too long, of as
        many as do not, evenly chosen.

    Raises:
        Unassessable: They differ by more than the order of additions explains, or the
            ensemble is too large for a single sample.
    """
    most = _MOST_COMPARED // (len(trees.roots) * len(trees.levels))
    if not most:
        raise Unassessable("tree-structure", "the model's trees cannot be verified: there are too many")
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).astype(np.int64))
    own, answers = trees.answers(x[rows]), answers[rows]
    far = float(np.abs(own - answers).max())
    scale = 1.0 if trees.link != "identity" else max(1.0, float(np.abs(answers).max()))
    ordered = np.sort(own, axis=1)
    close = ordered[:, -1] - ordered[:, -2] <= _TOLERANCE * scale
    if not far <= _TOLERANCE * scale or not (close | (own.argmax(axis=1) == answers.argmax(axis=1))).all():
        raise Unassessable(
            "tree-structure",
            "the model's trees cannot be verified: they do not reproduce the model's answers, which differ "
            f"by up to {far:.2g}",
        )
    return far
