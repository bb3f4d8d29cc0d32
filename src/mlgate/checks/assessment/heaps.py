"""Whether points lie in one heap or two, and which stand far out."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 50
_MOST_COMPARED = 500
# Of a normal distribution one value in 2,000 is further out than this many deviations.
_FAR = 3.5
_MAD = 1.4826


def direction(points: "NDArray[Any]") -> "NDArray[np.float64]":
    """Return where points [n, d] lie along the direction in which they vary most, [n], around 0."""
    centred = points.astype(np.float64) - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    found: NDArray[np.float64] = centred @ axes[0]
    return found


def outliers(points: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Return which points [n, d] stand far out along their main direction, [n].

    Far is 3.5 deviations, taken from the median distance, which a minority cannot move.
    """
    along = direction(points)
    away = np.abs(along - np.median(along))
    deviation = _MAD * float(np.median(away))
    found: NDArray[np.bool_] = away > _FAR * deviation if deviation > 0 else np.zeros(len(points), np.bool_)
    return found


def halves(points: "NDArray[Any]") -> tuple[float, float]:
    """Cut points [n, d] into two heaps by 2-means, from a cut across their main direction.

    Returns:
        The smaller heap's share, 0 to 0.5; and how far apart the heaps are: the silhouette,
        -1 to 1, over at most 500 points taken at even steps.
    """
    x = points.astype(np.float64)
    along = direction(x)
    second = along > (along.min() + along.max()) / 2
    for _ in range(_ROUNDS):
        if second.all() or not second.any():
            return 0.0, 0.0
        middles = np.stack([x[~second].mean(axis=0), x[second].mean(axis=0)])
        distances = ((x[:, None] - middles) ** 2).sum(axis=2)
        nearer = distances[:, 1] < distances[:, 0]
        if (nearer == second).all():
            break
        second = nearer
    share = float(second.mean())
    step = -(-len(x) // _MOST_COMPARED)
    return min(share, 1 - share), _silhouette(x[::step], second[::step])


def _silhouette(x: "NDArray[Any]", second: "NDArray[np.bool_]") -> float:
    """Return the mean silhouette of two heaps (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7)."""
    sizes = np.array([(~second).sum(), second.sum()])
    if sizes.min() < 2:
        return 0.0
    lengths = (x**2).sum(axis=1)
    between = np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * x @ x.T, 0))
    sums = np.stack([between[:, ~second].sum(axis=1), between[:, second].sum(axis=1)], axis=1)
    own = second.astype(np.int64)
    rows = np.arange(len(x))
    inside = sums[rows, own] / (sizes[own] - 1)
    outside = sums[rows, 1 - own] / sizes[1 - own]
    return float(((outside - inside) / np.maximum(np.maximum(inside, outside), 1e-300)).mean())
