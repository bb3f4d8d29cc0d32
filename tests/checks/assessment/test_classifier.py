"""One meaning for a model's scores, settled on the clean data."""

import time

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.predictor import BudgetSpent
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.worker import Worker

X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def worker():
    with Worker(loader, Request(), memory=16 << 30, seconds=30, cpu_seconds=60) as running:
        yield running


def classify(worker, model, x=X):
    worker.load(model)
    return Classifier(worker, x)


@pytest.mark.parametrize(
    ("make", "meaning"),
    [
        (lambda: onnx_models.linear(W), "scores"),
        (lambda: onnx_models.linear(W, softmax=True), "probabilities"),
        (lambda: onnx_models.linear(W[:, :1]), "logit"),
        (lambda: onnx_models.zipmap(W), "probabilities"),
    ],
)
def test_what_the_scores_mean(worker, make, meaning):
    model = classify(worker, make())
    assert model.meaning == meaning
    expected = X @ W[:, : 3 if meaning != "logit" else 1]
    winners = expected.argmax(axis=1) if meaning != "logit" else (expected[:, 0] > 0).astype(int)
    np.testing.assert_array_equal(model.clean.argmax(axis=1), winners)
    np.testing.assert_array_equal(model.predict(X[:7]), model.clean[:7])


def test_a_single_probability_is_the_second_classes(worker):
    model = classify(worker, onnx_models.single_operator("Sigmoid", 1), X[:, :1])
    assert model.meaning == "probability"
    np.testing.assert_array_equal(model.clean.argmax(axis=1), X[:, 0] > 0)


def test_probabilities_close_to_one_are_still_told_apart(worker):
    model = classify(worker, onnx_models.linear(W * 30, softmax=True))
    saturated = np.sort(np.exp(model.clean), axis=1)[:, -1] == 1
    assert saturated.sum() > 20
    gaps = np.diff(np.sort(model.clean[saturated], axis=1)[:, -2:], axis=1)
    assert len(np.unique(gaps)) > 10


def test_a_model_that_answers_differently_is_refused(worker):
    with pytest.raises(Unassessable, match="dropout") as caught:
        classify(worker, onnx_models.noisy(4))
    assert caught.value.reason == "not-repeatable"


def test_forward_passes_are_counted(worker):
    before = worker.passes
    model = classify(worker, onnx_models.linear(W))
    asked = model.passes - before
    model.predict(X[:10])
    assert asked == 300 + 256
    assert model.passes - before == asked + 10


def test_a_deadline_ends_it(worker):
    model = classify(worker, onnx_models.linear(W))
    model.deadline = time.monotonic() - 1
    with pytest.raises(BudgetSpent):
        model.predict(X)


def test_a_model_that_changes_its_mind_later_is_found_out(worker):
    model = classify(worker, onnx_models.fickle(4), X[:50])
    with pytest.raises(Unassessable) as caught:
        for _ in range(200):
            model.repeat()
    assert caught.value.reason == "not-repeatable"


def test_more_scores_than_fit_into_memory_are_not_gathered(worker, monkeypatch):
    monkeypatch.setattr("mlgate.checks.assessment.predictor._MOST_SCORES", 500)
    with pytest.raises(Unassessable) as caught:
        classify(worker, onnx_models.linear(W))
    assert (caught.value.reason, caught.value.key) == ("limit", "data.limit")
