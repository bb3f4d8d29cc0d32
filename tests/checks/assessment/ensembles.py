"""Small tree ensembles for tests, and what they do, worked out point by point."""

import itertools

import numpy as np

from mlgate.checks.assessment.structure import read


def arrays(
    rng, *, trees=4, depth=3, features=3, columns=2, shared=False, link="softmax", inclusive=False, grid=None
):
    """A random ensemble as a loader describes it; thresholds lie on a grid where one is given."""
    feature, threshold, left, right, missing, roots = [], [], [], [], [], []

    def grow(level):
        place = len(feature)
        leaf = level == depth or (level > 0 and rng.random() < 0.2)
        feature.append(-1 if leaf else int(rng.integers(features)))
        cut = rng.random() if grid is None else rng.choice(grid)
        threshold.append(0.0 if leaf else float(cut))
        missing.append(bool(rng.integers(2)))
        left.append(-1)
        right.append(-1)
        if not leaf:
            left[place] = grow(level + 1)
            right[place] = grow(level + 1)
        return place

    roots.extend(grow(0) for _ in range(trees))
    width = columns if shared else 1
    return {
        "roots": np.array(roots),
        "feature": np.array(feature),
        "threshold": np.array(threshold),
        "left": np.array(left),
        "right": np.array(right),
        "missing": np.array(missing),
        "value": rng.normal(size=(len(feature), width)),
        "column": np.full(trees, -1) if shared else rng.integers(columns, size=trees),
        "base": rng.normal(size=columns) * 0.1,
        "inclusive": np.array([inclusive]),
        "single": np.array([False]),
        "link": np.array([link], dtype=object),
    }


def forest(rng, *, dtype=np.float32, **kinds):
    kinds = {"features": 3, "columns": 2, **kinds}
    return read(arrays(rng, **kinds), kinds["features"], kinds["columns"], np.dtype(dtype))


def values(trees, ball, row, feature):
    """Allowed values of a feature: at least one from every set that the thresholds tell apart."""
    x, low, high = (float(part[row].reshape(-1)[feature]) for part in (ball.x, ball.low, ball.high))
    if np.isnan(x):
        return [x]
    cuts = trees.threshold[trees.feature == feature]
    dtype = ball.x.dtype.type
    below = [np.nextafter(dtype(cut), dtype(-np.inf)) for cut in cuts]
    known = {x, low, high, *map(float, cuts), *map(float, below)}
    if ball.features.integer is not None and ball.features.integer.reshape(-1)[feature]:
        known = {x, *(float(whole) for whole in range(int(np.ceil(low)), int(np.floor(high)) + 1))}
    return sorted(value for value in known if low <= value <= high)


def brute_force(trees, ball, labels):
    """Say for each sample whether any allowed sample is another class's, by trying all that differ."""
    fragile = []
    for row in range(len(ball.x)):
        choices = [values(trees, ball, row, feature) for feature in range(ball.x[0].size)]
        points = np.array(list(itertools.product(*choices)), ball.x.dtype)
        held = ball.part(np.full(len(points), row)).holds(points)
        raw = trees.raw(points[held])
        own = raw[:, labels[row]].copy()
        raw[:, labels[row]] = -np.inf
        fragile.append(bool((raw.max(axis=1) > own).any()))
    return np.array(fragile)
