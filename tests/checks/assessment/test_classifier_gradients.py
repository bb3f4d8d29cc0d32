"""Gradients by a model's own scores become gradients of losses, whatever the scores mean."""

import numpy as np
import pytest

from mlgate.checks.assessment.attacks._search import cross_entropy, targeted_ratio
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.model import Scores, Signature

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
W = RNG.normal(size=(5, 4))


class PlainWorker:
    """A linear layer and what follows it, in a dtype of its own; nothing of it is sandboxed."""

    def __init__(self, end, *, factor=1.0, dtype=np.float64):
        self.signature = Signature((None, 5), "float64", ("gradients",))
        self.end, self.dtype, self.weights = end, dtype, (W * factor).astype(dtype)
        self.passes = self.pulls = 0

    def _answer(self, x):
        raw = x.astype(self.dtype) @ self.weights
        if self.end == "scores":
            return raw
        if self.end == "probabilities":
            grown = np.exp(raw - raw.max(axis=1, keepdims=True))
            return grown / grown.sum(axis=1, keepdims=True)
        return raw[:, :1] if self.end == "logit" else 1 / (1 + np.exp(-raw[:, :1]))

    def predict(self, x, seconds=None, *, follow=False):
        self._followed = x
        return Scores(self._answer(x).astype(np.float64))

    def pull(self, x, weights, seconds=None):
        weights = weights.astype(self.dtype)
        given = self._answer(x)
        if self.end == "scores":
            slope = weights
        elif self.end == "probabilities":
            slope = given * (weights - (given * weights).sum(axis=1, keepdims=True))
        else:
            slope = np.zeros((len(x), 4), self.dtype)
            slope[:, :1] = weights * (1 if self.end == "logit" else given * (1 - given))
        return (slope @ self.weights.T).astype(np.float64)


def numeric(model, objective, x, step=1e-6):
    found = np.zeros_like(x)
    for column in range(x.shape[1]):
        moved = np.eye(x.shape[1])[column] * step
        up, down = (objective(model.predict(x + sign * moved), slice(0, len(x)))[0] for sign in (1, -1))
        found[:, column] = (up - down) / (2 * step)
    return found


@pytest.mark.parametrize("end", ["scores", "probabilities", "logit", "probability"])
@pytest.mark.parametrize("loss", ["cross entropy", "ratio"])
def test_the_gradient_is_the_losses_own(end, loss):
    model = Classifier(PlainWorker(end), X)
    assert model.meaning == end
    labels = model.clean.argmax(axis=1)
    targets = (labels + 1) % model.columns
    objective = cross_entropy(labels) if loss == "cross entropy" else targeted_ratio(labels, targets)
    x = X[:20]
    scores, losses, found = model.gradient(x, objective)
    np.testing.assert_array_equal(scores, model.predict(x))
    np.testing.assert_allclose(losses, objective(scores, slice(0, 20))[0])
    np.testing.assert_allclose(found, numeric(model, objective, x), atol=1e-4)


def test_batches_see_their_own_labels():
    model = Classifier(PlainWorker("scores"), X)
    labels = model.clean.argmax(axis=1)
    whole = model.gradient(X, cross_entropy(labels))[2]
    part = model.gradient(X[270:], cross_entropy(labels[270:]))[2]
    np.testing.assert_allclose(whole[270:], part)


def test_a_tiny_slope_does_not_vanish_in_the_models_dtype():
    """Gaps of hundreds leave slopes below the smallest number of float32."""
    model = Classifier(PlainWorker("scores", factor=60, dtype=np.float32), X)
    labels = model.clean.argmax(axis=1)
    gaps = np.diff(np.sort(model.clean, axis=1)[:, -2:], axis=1)[:, 0]
    tiny = (gaps > 110) & (gaps < 700)
    assert tiny.sum() > 20
    found = model.gradient(X, cross_entropy(labels))[2]
    assert (found[tiny] != 0).any(axis=1).all()


def test_what_is_zero_in_the_models_dtype_has_no_slope_and_spoils_no_other():
    model = Classifier(PlainWorker("probabilities", factor=60, dtype=np.float32), X)
    labels = model.clean.argmax(axis=1)
    order = model.clean.argsort(axis=1)
    objective = targeted_ratio(labels, order[:, -2])
    found = model.gradient(X, objective)[2]
    assert np.isfinite(found).all()
    open_ = (model.raw[np.arange(len(X)), order[:, -2]] > 1e-20) & (model.raw.min(axis=1) == 0)
    assert open_.sum() > 10
    assert (found[open_] != 0).any(axis=1).all()
