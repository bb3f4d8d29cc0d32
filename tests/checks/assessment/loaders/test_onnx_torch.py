"""The twin of ONNX: the same scores as onnxruntime, and true gradients."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.checks.assessment import onnx_models
from tests.checks.assessment.onnx_models import model, tensor, value

from mlgate.checks.assessment.loaders import onnx, onnx_torch
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

GENERATOR = np.random.default_rng(0)
FLAT = GENERATOR.uniform(0.1, 0.9, (5, 6)).astype(np.float32)
IMAGES = GENERATOR.normal(size=(3, 2, 7, 6)).astype(np.float32)


@pytest.fixture(autouse=True, scope="module")
def prepared():
    onnx.prepare(Request())
    onnx_torch.prepare(Request())


def both(data, x):
    """Scores by onnxruntime and by torch."""
    given = Request(shape=x.shape[1:])
    return onnx.load(data, given).predict(x).values, onnx_torch.load(data, given).predict(x).values


def agree(data, x, tolerance=1e-5):
    expected, found = both(data, x)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def of_node(
    name, constants=(), *, inputs=("x",), opset=21, shape=(6,), domain="", outputs=("y",), **attributes
):
    """A model of one operator; its result is flattened into scores."""
    nodes = [
        helper.make_node(
            name, [*inputs, *(each.name for each in constants)], outputs, domain=domain, **attributes
        ),
        helper.make_node("Cast", [outputs[-1]], ["z"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["z"], ["scores"]),
    ]
    opsets = [("", opset)] + ([(domain, 3)] if domain else [])
    return model(nodes, [value("x", ["n", *shape])], [value("scores", ["n", "k"])], constants, opsets=opsets)


ELEMENTWISE = (
    "Abs", "Acos", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor",
    "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "Mish",
    "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus",
    "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Dropout",
)  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_one_number_at_a_time(name):
    agree(of_node(name), FLAT if name in ("Log", "Sqrt", "Acos", "Asin", "Atanh") else FLAT * 8 - 4)


@pytest.mark.parametrize("name", ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", "PRelu"])
def test_two_operands(name):
    agree(of_node(name, [tensor("w", np.linspace(0.5, 2, 6, dtype=np.float32))]), FLAT)


@pytest.mark.parametrize("name", ["Greater", "Less", "Equal", "GreaterOrEqual", "LessOrEqual"])
def test_comparisons(name):
    agree(of_node(name, [tensor("w", FLAT[:1])]), FLAT)


@pytest.mark.parametrize(
    ("name", "opset", "attributes", "constants"),
    [
        ("ReduceMean", 13, {"axes": [1]}, ()),
        ("ReduceMean", 18, {}, (tensor("a", np.array([1])),)),
        ("ReduceSum", 13, {}, (tensor("a", np.array([-1])),)),
        ("ReduceSum", 11, {"axes": [1], "keepdims": 1}, ()),
        ("ReduceMax", 18, {}, (tensor("a", np.array([1])),)),
        ("ReduceMin", 13, {"axes": [1]}, ()),
        ("ReduceProd", 13, {"axes": [1]}, ()),
        ("ReduceL1", 13, {"axes": [1]}, ()),
        ("ReduceL2", 18, {}, (tensor("a", np.array([1])),)),
        ("ReduceSumSquare", 13, {"axes": [1]}, ()),
        ("ReduceLogSum", 13, {"axes": [1]}, ()),
        ("ReduceLogSumExp", 13, {"axes": [1]}, ()),
        ("Softmax", 11, {}, ()),
        ("Softmax", 13, {"axis": 0}, ()),
        ("CumSum", 14, {}, (tensor("a", np.array(1)),)),
        ("Clip", 6, {"min": 0.3, "max": 0.5}, ()),
        ("Clip", 13, {}, (tensor("lo", np.float32(0.3)), tensor("hi", np.float32(0.5)))),
        ("Gelu", 20, {"approximate": "tanh"}, ()),
        ("Mod", 13, {"fmod": 1}, (tensor("w", np.full(6, 0.3, np.float32)),)),
        ("Slice", 13, {}, tuple(tensor(n, np.array([v])) for n, v in (("s", 4), ("e", 0), ("ax", 1), ("st", -2)))),
        ("Slice", 9, {"starts": [1], "ends": [5], "axes": [1]}, ()),
        ("Slice", 13, {}, tuple(tensor(n, np.array([v])) for n, v in (("s", -1), ("e", -(1 << 63)), ("ax", 1), ("st", -1)))),
        ("Gather", 13, {"axis": 1}, (tensor("i", np.array([0, -1, 2])),)),
        ("Unsqueeze", 13, {}, (tensor("a", np.array([1, -1])),)),
        ("Unsqueeze", 11, {"axes": [1]}, ()),
        ("Transpose", 13, {}, ()),
        ("Tile", 13, {}, (tensor("r", np.array([1, 2])),)),
        ("Expand", 13, {}, (tensor("s", np.array([2, 1, 1])),)),
        ("Reshape", 13, {}, (tensor("s", np.array([0, 3, -1])),)),
        ("Flatten", 13, {"axis": 0}, ()),
        ("Pad", 13, {}, (tensor("p", np.array([0, 1, 0, 2])), tensor("v", np.float32(0.25)))),
        ("Pad", 18, {}, (tensor("p", np.array([1, 2])), tensor("v", np.float32(0.25)), tensor("a", np.array([1])))),
        ("Pad", 10, {"pads": [0, 1, 0, 2]}, ()),
    ],
)  # fmt: skip
def test_settings_across_versions(name, opset, attributes, constants):
    data = of_node(name, constants, opset=opset, **attributes)
    given = Request(shape=(6,))
    session = onnx.load(data, given)._session
    found = onnx_torch.load(data, given)._module(_torch().tensor(FLAT))
    np.testing.assert_allclose(found, session.run(None, {"x": FLAT})[0], rtol=1e-5, atol=1e-6)


def _torch():
    import torch

    return torch


KERNEL = tensor("k", GENERATOR.normal(size=(4, 2, 3, 3)).astype(np.float32))
GROUPED = tensor("k", GENERATOR.normal(size=(4, 1, 3, 3)).astype(np.float32))
BIAS = tensor("b", GENERATOR.normal(size=4).astype(np.float32))
PER_CHANNEL = tuple(
    tensor(name, GENERATOR.uniform(0.5, 1.5, 2).astype(np.float32))
    for name in ("scale", "shift", "mean", "var")
)


@pytest.mark.parametrize(
    ("name", "constants", "attributes"),
    [
        ("Conv", (KERNEL, BIAS), {}),
        ("Conv", (KERNEL,), {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
        ("Conv", (KERNEL,), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ("Conv", (KERNEL,), {"auto_pad": "SAME_LOWER"}),
        ("Conv", (KERNEL,), {"auto_pad": "VALID", "dilations": [2, 2]}),
        ("Conv", (GROUPED, BIAS), {"group": 2}),
        (
            "ConvTranspose",
            (tensor("k", np.ones((2, 3, 3, 3), np.float32)),),
            {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        ),
        ("MaxPool", (), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("MaxPool", (), {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2]}),
        ("MaxPool", (), {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
        ("AveragePool", (), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("AveragePool", (), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("AveragePool", (), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        ("GlobalAveragePool", (), {}),
        ("GlobalMaxPool", (), {}),
        ("BatchNormalization", PER_CHANNEL, {}),
        ("InstanceNormalization", PER_CHANNEL[:2], {}),
        ("GroupNormalization", PER_CHANNEL[:2], {"num_groups": 1}),
        (
            "LayerNormalization",
            (tensor("s", np.full(6, 2, np.float32)), tensor("b", np.ones(6, np.float32))),
            {},
        ),
        ("LayerNormalization", (tensor("s", np.full((7, 6), 2, np.float32)),), {"axis": 2}),
        ("Squeeze", (), {}),
        ("Pad", (tensor("p", np.array([0, 0, 1, 2, 0, 0, 2, 1])),), {"mode": "reflect"}),
        ("Pad", (tensor("p", np.array([0, 0, 1, 2, 0, 0, 2, 1])),), {"mode": "edge"}),
        ("Transpose", (), {"perm": [0, 2, 3, 1]}),
    ],
)
def test_layers_on_images(name, constants, attributes):
    agree(of_node(name, constants, shape=IMAGES.shape[1:], **attributes), IMAGES, 1e-4)


@pytest.mark.parametrize("settings", [{}, {"transB": 1}, {"alpha": 0.5, "beta": 2.0}])
def test_gemm(settings):
    weights = GENERATOR.normal(size=(3, 6) if "transB" in settings else (6, 3)).astype(np.float32)
    agree(of_node("Gemm", [tensor("w", weights), tensor("c", np.ones(3, np.float32))], **settings), FLAT)


def test_a_split_and_a_concatenation():
    nodes = [
        helper.make_node("Split", ["x"], ["a", "b"], axis=1, num_outputs=2),
        helper.make_node("Concat", ["b", "a"], ["scores"], axis=1),
    ]
    agree(model(nodes, [value("x", ["n", 6])], [value("scores", ["n", 6])]), FLAT)


def test_shapes_that_are_computed():
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Concat", ["n", "rest"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["x", "wanted"], ["y"]),
        helper.make_node("ReduceSum", ["y", "two"], ["scores"], keepdims=0),
    ]
    constants = [
        tensor("zero", np.array([0])),
        tensor("rest", np.array([3, 2])),
        tensor("two", np.array([2])),
    ]
    agree(model(nodes, [value("x", ["n", 6])], [value("scores", ["n", 3])], constants), FLAT)


@pytest.mark.parametrize("batch", ["n", 1, 2, 5, 8])
def test_a_fixed_batch_is_filled_up(batch):
    agree(onnx_models.linear(GENERATOR.normal(size=(6, 3)), batch=batch, softmax=True), FLAT)


def test_float64():
    agree(onnx_models.linear(GENERATOR.normal(size=(6, 3)), double=True), FLAT.astype(np.float64), 1e-12)


def test_maps_of_probabilities_become_columns():
    agree(onnx_models.zipmap(GENERATOR.normal(size=(6, 3))), FLAT)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("multinomial", [0, 1])
def test_linear_classifiers_of_scikit_learn(post, classes, multinomial):
    made = of_node(
        "LinearClassifier",
        domain="ai.onnx.ml",
        outputs=("label", "y"),
        coefficients=GENERATOR.normal(size=6 * classes).tolist(),
        intercepts=[0.5] * classes,
        classlabels_ints=list(range(classes)),
        multi_class=multinomial,
        post_transform=post,
    )
    agree(made, FLAT)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Scaler", {"offset": [0.5] * 6, "scale": [2.0] * 6}),
        ("Normalizer", {"norm": "L2"}),
        ("LinearRegressor", {"coefficients": [1.0] * 6, "intercepts": [2.0]}),
    ],
)
def test_other_operators_of_scikit_learn(name, attributes):
    agree(of_node(name, domain="ai.onnx.ml", **attributes), FLAT)


def test_gradients_are_those_of_the_scores():
    weights = GENERATOR.normal(size=(6, 3))
    loaded = onnx_torch.load(onnx_models.linear(weights), Request(shape=(6,)))
    scores = loaded.follow(FLAT)
    np.testing.assert_array_equal(scores.values, loaded.predict(FLAT).values)
    pulled = np.ones((5, 3), np.float32) * [1, 0, -2]
    np.testing.assert_allclose(loaded.pull(pulled), pulled @ weights.T, rtol=1e-5)
    np.testing.assert_allclose(loaded.pull(2 * pulled), 2 * pulled @ weights.T, rtol=1e-5)


def test_what_has_no_gradient_has_zeros():
    loaded = onnx_torch.load(of_node("Round"), Request(shape=(6,)))
    loaded.follow(FLAT)
    assert not loaded.pull(np.ones((5, 6), np.float32)).any()


def test_an_operator_off_the_way_to_the_scores_is_no_obstacle():
    nodes = [
        helper.make_node("Identity", ["x"], ["scores"]),
        helper.make_node("RandomNormalLike", ["x"], ["noise"]),
    ]
    outputs = [value("scores", ["n", 6]), value("noise", ["n", 6])]
    agree(model(nodes, [value("x", ["n", 6])], outputs), FLAT)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (onnx_models.noisy(6), "operator RandomNormalLike"),
        (onnx_models.endless(6), "operator Loop"),
        (of_node("Binarizer", domain="ai.onnx.ml"), "operator ai.onnx.ml.Binarizer"),
        (of_node("CumSum", [tensor("a", np.array(1))], reverse=1), "CumSum with reverse"),
        (b"\x08\x0agarbage", "cannot be converted"),
    ],
)
def test_what_it_does_not_know_is_said(data, said):
    with pytest.raises(Unassessable, match=said):
        onnx_torch.load(data, Request(shape=(6,))).predict(FLAT)


WHOLE = onnx_models.linear(GENERATOR.normal(size=(6, 3)), softmax=True)


@settings(
    max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=6))
def test_any_bytes_are_a_graph_or_refused(place, change):
    with suppress(Unassessable):
        onnx_torch.load(WHOLE[:place] + change + WHOLE[place + len(change) :], Request()).predict(FLAT)


def test_it_claims_nothing():
    assert not onnx_torch.claims(onnx_models.linear(np.ones((2, 2))))
