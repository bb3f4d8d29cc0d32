"""Which ONNX models are classifiers, and what their answers become."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.checks.assessment import onnx_models
from tests.checks.assessment.onnx_models import model, tensor, value

from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

FUZZ = settings(
    max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
W = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
X = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.fixture(autouse=True, scope="module")
def prepared():
    loader.prepare(Request())


def test_logits():
    loaded = loader.load(onnx_models.linear(W), Request())
    assert (loaded.signature.shape, loaded.signature.dtype) == ((None, 4), "float32")
    np.testing.assert_allclose(loaded.predict(X).values, X @ W, rtol=1e-5)


def test_float64():
    loaded = loader.load(onnx_models.linear(W, double=True), Request())
    assert loaded.signature.dtype == "float64"
    np.testing.assert_allclose(
        loaded.predict(X.astype(np.float64)).values, X.astype(np.float64) @ W, rtol=1e-12
    )


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_a_fixed_batch_is_filled_up(batch):
    loaded = loader.load(onnx_models.linear(W, batch=batch), Request())
    assert loaded.signature.shape == (batch, 4)
    np.testing.assert_allclose(loaded.predict(X).values, X @ W, rtol=1e-5)


def test_labels_and_maps_of_probabilities():
    scores = loader.load(onnx_models.zipmap(W), Request()).predict(X)
    assert scores.classes == (3, 5, 9)
    np.testing.assert_allclose(scores.values, softmax(X @ W), rtol=1e-5)


def test_labels_and_a_tensor_of_probabilities():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["probabilities"]),
        helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [value("label", ["n"], TensorProto.INT64), value("probabilities", ["n", 3])]
    loaded = loader.load(model(nodes, [value("x", ["n", 4])], outputs, [tensor("w", W)]), Request())
    np.testing.assert_allclose(loaded.predict(X).values, softmax(X @ W), rtol=1e-5)


@pytest.mark.parametrize("shape", [["n"], ["n", 1], ["n", 1, 1]])
def test_a_single_score_becomes_a_column(shape):
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["sum"], keepdims=0),
        helper.make_node("Reshape", ["sum", "shape"], ["scores"]),
    ]
    constants = [tensor("axis", np.array([1])), tensor("shape", np.array([-1, *[1] * (len(shape) - 1)]))]
    loaded = loader.load(model(nodes, [value("x", ["n", 4])], [value("scores", shape)], constants), Request())
    np.testing.assert_allclose(loaded.predict(X).values, X.sum(axis=1, keepdims=True), rtol=1e-4)


def test_a_named_output_is_chosen_among_several():
    nodes = [helper.make_node("Identity", ["x"], ["hidden"]), helper.make_node("Neg", ["x"], ["logits"])]
    outputs = [value("hidden", ["n", 4]), value("logits", ["n", 4])]
    loaded = loader.load(model(nodes, [value("x", ["n", 4])], outputs), Request())
    np.testing.assert_allclose(loaded.predict(X).values, -X)


def two_inputs():
    nodes = [helper.make_node("Add", ["x", "x2"], ["scores"])]
    return model(nodes, [value("x", ["n", 4]), value("x2", ["n", 4])], [value("scores", ["n", 4])])


def of_type(kind, shape=("n", 4)):
    nodes = [helper.make_node("Cast", ["x"], ["scores"], to=TensorProto.FLOAT)]
    return model(nodes, [value("x", list(shape), kind)], [value("scores", list(shape))])


def unnamed_outputs():
    nodes = [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])]
    return model(nodes, [value("x", ["n", 4])], [value("a", ["n", 4]), value("b", ["n", 4])])


def labels_only():
    nodes = [helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0)]
    return model(nodes, [value("x", ["n", 4])], [value("label", ["n"], TensorProto.INT64)])


@pytest.mark.parametrize(
    ("make", "reason", "words"),
    [
        (two_inputs, "model-input", "2 inputs"),
        (lambda: of_type(TensorProto.INT64), "model-input", "float32"),
        (lambda: of_type(TensorProto.BOOL), "model-input", "float32"),
        (lambda: of_type(TensorProto.FLOAT, ()), "model-input", "batch first"),
        (unnamed_outputs, "model-output", "probabilities"),
        (labels_only, "model-output", "label"),
        (lambda: b"", "model-load", "cannot load"),
        (lambda: b"\x08\x0a", "model-load", "cannot load"),
    ],
)
def test_what_is_no_classifier_is_said(make, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        loader.load(make(), Request())
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("operator", "attributes"), [("Transpose", {}), ("Unsqueeze", None), ("ReduceSum", {"keepdims": 0})]
)
def test_scores_of_another_shape_are_refused(operator, attributes):
    if attributes is None:
        nodes = [helper.make_node("Concat", ["x", "x"], ["scores"], axis=0)]
    else:
        nodes = [helper.make_node(operator, ["x"], ["scores"], **attributes)]
    loaded = loader.load(model(nodes, [value("x", ["n", 4])], [value("scores", None)]), Request())
    with pytest.raises(Unassessable, match="one row a sample") as caught:
        loaded.predict(X)
    assert caught.value.reason == "model-output"


def test_a_model_that_fails_on_the_data_is_said():
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["scores"])]
    loaded = loader.load(
        model(nodes, [value("x", ["n", 4])], [value("scores", None)], [tensor("shape", np.array([7, 7]))]),
        Request(),
    )
    with pytest.raises(Unassessable) as caught:
        loaded.predict(X)
    assert caught.value.reason == "model-run"


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (b"\x08\x0a\x12", True),
        (b"", False),
        (b"\x08", False),
        (b"PK\x03\x04", False),
        (b"\x08\x00", False),
        (b"\x80\x04", False),
    ],
)
def test_a_file_is_claimed_by_how_it_begins(head, claimed):
    assert loader.claims(head) is claimed


def test_every_model_of_the_tests_is_claimed():
    assert loader.claims(onnx_models.linear(W)[:16])


@FUZZ
@given(st.data())
def test_a_damaged_model_loads_or_is_refused(data):
    whole = bytearray(onnx_models.linear(W))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with suppress(Unassessable):
        loaded = loader.load(bytes(whole[:cut] if data.draw(st.booleans()) else whole), Request())
        if loaded.signature.shape[1:] == (4,) and loaded.signature.dtype == "float32":
            loaded.predict(X)


@pytest.mark.parametrize("length", [0x0108, 0x0208, 0x010508])
def test_the_length_of_a_safetensors_header_is_no_model(length):
    assert not loader.claims(length.to_bytes(8, "little") + b'{"a": 1}')
