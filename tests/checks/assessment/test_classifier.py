"""One meaning for a model's scores, settled on the clean data."""

import time

import numpy as np
import pytest
from onnx import helper
from tests.checks.assessment import onnx_models

from mlgate.checks.assessment.classifier import Classifier, _meaning
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


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        ([[1.0000004, -3.6e-7], [0.25, 0.75]], "probabilities"),  # as onnxruntime sums a random forest's
        ([[0.6, 0.4025], [1.0, 0.0]], "probabilities"),  # float32, after a softmax of large numbers
        ([[0.6, 0.45], [1.0, 0.0]], "scores"),
        ([[1.1, -0.1], [0.25, 0.75]], "scores"),
        ([[-3.6e-7], [1.0]], "probability"),
        ([[-0.5], [1.0]], "logit"),
    ],
)
def test_rounding_does_not_change_what_scores_mean(raw, meaning):
    assert _meaning(np.array(raw)) == meaning


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


def by_place():
    """Knows each sample's class by its place in the batch, and looks at no feature."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], end=1),
        helper.make_node("Squeeze", ["shape"], ["n"]),
        helper.make_node("Range", ["zero", "n", "one"], ["place"]),
        helper.make_node("Gather", ["known", "place"], ["known_here"]),
        helper.make_node("MatMul", ["x", "nothing"], ["no_score"]),
        helper.make_node("Add", ["known_here", "no_score"], ["scores"]),
    ]
    held = {
        "zero": np.int64(0),
        "one": np.int64(1),
        "known": np.eye(3, dtype=np.float32)[np.arange(256) % 3],
        "nothing": np.zeros((4, 3), np.float32),
    }
    return onnx_models.model(
        nodes,
        [onnx_models.value("x", ["n", 4])],
        [onnx_models.value("scores", ["n", 3])],
        [onnx_models.tensor(name, values) for name, values in held.items()],
    )


def by_company():
    """Batch normalisation as in training: every sample less the batch's mean."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "rows"], ["mean"]),
        helper.make_node("Sub", ["x", "mean"], ["moved"]),
        helper.make_node("MatMul", ["moved", "w"], ["scores"]),
    ]
    return onnx_models.model(
        nodes,
        [onnx_models.value("x", ["n", 4])],
        [onnx_models.value("scores", ["n", 3])],
        [onnx_models.tensor("rows", np.array([0])), onnx_models.tensor("w", W)],
    )


@pytest.mark.parametrize("make", [by_place, by_company])
def test_a_model_that_judges_a_sample_by_its_batch_is_refused(worker, make):
    with pytest.raises(Unassessable, match="samples beside it") as caught:
        classify(worker, make())
    assert caught.value.reason == "batch-dependent"


def test_probabilities_that_leave_their_range_keep_their_order(worker):
    """On the data they add up to 1; beside it both are below 0, and the larger one still wins."""
    weights, bias = np.array([[0.0, 0.0], [-5.0, -1.0]], np.float32), np.array([0.4, 0.6], np.float32)
    held = np.zeros((40, 2), np.float32)
    model = classify(worker, onnx_models.linear(weights, bias), held)
    assert model.meaning == "probabilities"
    far = np.array([[0, 1], [0, 1000], [0, -1]], np.float32)
    np.testing.assert_array_equal(model.predict(far).argmax(axis=1), (far @ weights + bias).argmax(axis=1))


def test_forward_passes_are_counted(worker):
    before = worker.passes
    model = classify(worker, onnx_models.linear(W))
    asked = model.passes - before
    model.predict(X[:10])
    assert asked == 300 + 256 + 128
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
