"""What the tests of tree loaders share: a model must answer as its library does, and be what its trees say."""

import numpy as np
import pytest

from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read
from mlgate.checks.assessment.trees import agrees

RNG = np.random.default_rng(0)
X = RNG.random((300, 6))
MISSING = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
TWO = (X[:, 0] + X[:, 1] * X[:, 2] > 0.7).astype(int)
THREE = TWO + (X[:, 3] > 0.6)
REAL = X @ np.arange(6.0)


def loaded(loader, data, **request):
    """The model, as it loads from bytes that its loader claims."""
    assert loader.claims(data)
    loader.prepare(Request(**request))
    return loader.load(data, Request(**request))


def answers(model, x):
    return np.asarray(model.predict(x.astype(model.signature.dtype)).values, np.float64)


def opened(model, x, columns):
    """The model's trees, once they reproduce its answers."""
    assert model.signature.offers == ("trees",)
    x = x.astype(model.signature.dtype)
    given = {name: np.asarray(array) for name, array in model.trees().items()}
    trees = read(given, x.shape[1], columns, x.dtype)
    assert agrees(trees, x, answers(model, x)) < 1e-5
    return trees


def unopened(model, words):
    """See that the model says why its trees are not verified, and answers all the same."""
    assert model.signature.offers == ("trees",)
    with pytest.raises(Unassessable, match=words) as caught:
        model.trees()
    assert caught.value.reason == "model-output"


def near_thresholds(trees, rng):
    """Samples that lie on thresholds and next to them, where a wrong side shows."""
    dtype = trees.threshold.dtype
    x = rng.random((400, 6)).astype(dtype)
    for feature in range(6):
        cuts = trees.threshold[(trees.feature == feature) & np.isfinite(trees.threshold)]
        if len(cuts):
            chosen = rng.choice(cuts, 400)
            side = rng.integers(3, size=400)
            x[:, feature] = np.select(
                [side == 0, side == 1], [chosen, np.nextafter(chosen, dtype.type(-9))], x[:, feature]
            )
    return x
