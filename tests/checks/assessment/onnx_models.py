"""Small ONNX models whose behaviour is known by construction."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
IR = 10


def tensor(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def model(nodes, inputs, outputs, constants=(), opsets=(("", OPSET),)):
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(constants))
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=IR
    )
    return made.SerializeToString()


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def linear(weights, bias=None, *, batch="n", softmax=False, double=False, shape=None, output="scores"):
    """x @ weights + bias, optionally with a reshaped input and a softmax behind."""
    dtype, kind = (np.float64, TensorProto.DOUBLE) if double else (np.float32, TensorProto.FLOAT)
    weights = np.asarray(weights, dtype)
    bias = np.zeros(weights.shape[1], dtype) if bias is None else np.asarray(bias, dtype)
    nodes = []
    flat = "x"
    if shape is not None:
        nodes.append(helper.make_node("Flatten", ["x"], ["flat"]))
        flat = "flat"
    last = "z" if softmax else output
    nodes.append(helper.make_node("Gemm", [flat, "w", "b"], [last]))
    if softmax:
        nodes.append(helper.make_node("Softmax", [last], [output]))
    return model(
        nodes,
        [value("x", [batch, *(shape or [weights.shape[0]])], kind)],
        [value(output, [batch, weights.shape[1]], kind)],
        [tensor("w", weights), tensor("b", bias)],
    )


def zipmap(weights, classes=(3, 5, 9)):
    """What scikit-learn converters write by default: labels and a sequence of maps."""
    weights = np.asarray(weights, np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"]),
        helper.make_node("ArgMax", ["p"], ["output_label"], axis=1, keepdims=0),
        helper.make_node(
            "ZipMap", ["p"], ["output_probability"], domain="ai.onnx.ml", classlabels_int64s=classes
        ),
    ]
    sequence = helper.make_value_info(
        "output_probability",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(
                TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
            )
        ),
    )
    return model(
        nodes,
        [value("x", ["n", weights.shape[0]])],
        [value("output_label", ["n"], TensorProto.INT64), sequence],
        [tensor("w", weights)],
        opsets=(("", OPSET), ("ai.onnx.ml", 3)),
    )


def endless(features):
    """Never answers: a loop of 2**60 rounds."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["cond"], ["cond_out"]),
            helper.make_node("Sin", ["carried"], ["next"]),
        ],
        "body",
        [
            value("i", [], TensorProto.INT64),
            value("cond", [], TensorProto.BOOL),
            value("carried", ["n", features]),
        ],
        [value("cond_out", [], TensorProto.BOOL), value("next", ["n", features])],
    )
    return model(
        [helper.make_node("Loop", ["rounds", "true", "x"], ["scores"], body=body)],
        [value("x", ["n", features])],
        [value("scores", ["n", features])],
        [tensor("rounds", np.int64(1 << 60)), tensor("true", np.bool_(True))],
    )


def greedy(features):
    """Wants 16 GiB for one answer."""
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["zero"], keepdims=0),
        helper.make_node("Add", ["x", "zero"], ["scores"]),
    ]
    return model(
        nodes,
        [value("x", ["n", features])],
        [value("scores", ["n", features])],
        [tensor("size", np.array([1 << 32], np.int64))],
    )


def noisy(features):
    """Answers differently each time."""
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["noise"]),
        helper.make_node("Add", ["x", "noise"], ["scores"]),
    ]
    return model(nodes, [value("x", ["n", features])], [value("scores", ["n", features])])


def fickle(features):
    """Turns its scores round at one call in a few, and not at the first three."""
    nodes = [
        helper.make_node("RandomUniform", [], ["draw"], shape=[1], seed=3.0),
        helper.make_node("Greater", ["draw", "bound"], ["turn"]),
        helper.make_node("Neg", ["x"], ["turned"]),
        helper.make_node("Where", ["turn", "turned", "x"], ["scores"]),
    ]
    return model(
        nodes,
        [value("x", ["n", features])],
        [value("scores", ["n", features])],
        [tensor("bound", np.array([0.9], np.float32))],
    )


def single_operator(operator, features, **attributes):
    """One operator from features to scores of the same shape."""
    return model(
        [helper.make_node(operator, ["x"], ["scores"], **attributes)],
        [value("x", ["n", features])],
        [value("scores", ["n", features])],
    )


def constant(features, scores):
    """Answers the same whatever the input."""
    scores = np.asarray(scores, np.float32)
    return linear(np.zeros((features, len(scores))), scores)


def external(folder_file, features):
    """Weights that lie in a file outside the model."""
    weights = tensor("w", np.zeros((features, 2), np.float32))
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=folder_file)
    return model(
        [helper.make_node("MatMul", ["x", "w"], ["scores"])],
        [value("x", ["n", features])],
        [value("scores", ["n", 2])],
        [weights],
    )
