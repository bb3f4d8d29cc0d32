"""ONNX models of many shapes, with data beside them and domains of their own."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tests.corpus.sample import Sample

KINDS = (
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.INT64,
    TensorProto.INT32,
    TensorProto.UINT8,
    TensorProto.BOOL,
    TensorProto.FLOAT16,
)


def _model(
    nodes: list,
    initializers: list,
    *,
    opsets: list | None = None,
    functions: list | None = None,
    name: str = "net",
) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, name, [x], [y], initializers)
    return helper.make_model(
        graph,
        opset_imports=opsets or [helper.make_opsetid("", 20)],
        functions=functions or [],
        producer_name="pytorch",
    )


def samples() -> Iterator[Sample]:
    family = "onnx"
    weight = numpy_helper.from_array(np.ones((4, 4), "f4"), "w")
    matmul = helper.make_node("MatMul", ["x", "w"], ["y"])
    for op in ("Relu", "Sigmoid", "Tanh", "Softmax", "Exp", "Identity", "Neg", "Erf", "Sqrt", "Flatten"):
        yield Sample(
            family,
            f"one {op}",
            "",
            {"model.onnx": _model([helper.make_node(op, ["x"], ["y"])], []).SerializeToString()},
            "quiet",
        )
    for kind in KINDS:
        data = numpy_helper.from_array(np.ones(3, helper.tensor_dtype_to_np_dtype(kind)), "c")
        yield Sample(
            family,
            f"initializer of type {kind}",
            "",
            {"model.onnx": _model([helper.make_node("Identity", ["x"], ["y"])], [data]).SerializeToString()},
            "quiet",
        )
    plain = _model([matmul], [weight])
    meta = plain.metadata_props.add()
    meta.key, meta.value = "description", "a note about os.system and exec, http://example.org"
    plain.doc_string = "trained in March; see import os"
    for name in ("model.onnx", "model.bin", "m/decoder.onnx"):
        yield Sample(family, f"with metadata, {name}", "", {name: plain.SerializeToString()}, "quiet")
    for domain, op in (
        ("com.microsoft", "FusedMatMul"),
        ("com.microsoft", "BiasGelu"),
        ("ai.onnx.ml", "LinearRegressor"),
        ("acme.ops", "Attention"),
        ("com.microsoft", "QLinearAdd"),
        ("org.pytorch.aten", "ATen"),
    ):
        node = helper.make_node(op, ["x", "w"], ["y"], domain=domain)
        model = _model([node], [weight], opsets=[helper.make_opsetid("", 20), helper.make_opsetid(domain, 1)])
        yield Sample(family, f"domain {domain}.{op}", "", {"model.onnx": model.SerializeToString()}, "quiet")
    body = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["b"])],
        "branch",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
    )
    condition = numpy_helper.from_array(np.array(True), "c")
    branch = _model([helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)], [condition])
    yield Sample(family, "a branch", "", {"model.onnx": branch.SerializeToString()}, "quiet")
    function = helper.make_function(
        "local",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 20)],
    )
    called = _model(
        [helper.make_node("Twice", ["x"], ["y"], domain="local")],
        [],
        opsets=[helper.make_opsetid("", 20), helper.make_opsetid("local", 1)],
        functions=[function],
    )
    yield Sample(family, "a function", "", {"model.onnx": called.SerializeToString()}, "quiet")
    for location in (
        "model.onnx.data",
        "weights.bin",
        "data/weights.bin",
        "./weights.bin",
        "onnx__MatMul_12",
    ):
        outside = TensorProto(
            name="w", data_type=TensorProto.FLOAT, dims=[4, 4], data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", location), ("offset", "0"), ("length", "64")):
            entry = outside.external_data.add()
            entry.key, entry.value = key, value
        files = {
            "model.onnx": _model([matmul], [outside]).SerializeToString(),
            location.removeprefix("./"): np.ones((4, 4), "f4").tobytes(),
        }
        yield Sample(family, f"data in {location}", "", files, "quiet")
    text = numpy_helper.from_array(np.array(["cat", "dog"], object), "labels")
    yield Sample(
        family,
        "text in a tensor",
        "",
        {"model.onnx": _model([helper.make_node("Identity", ["x"], ["y"])], [text]).SerializeToString()},
        "quiet",
    )
    large = numpy_helper.from_array(np.random.default_rng(3).random((300, 300)).astype("f4"), "w")
    yield Sample(family, "large", "", {"model.onnx": _model([matmul], [large]).SerializeToString()}, "quiet")
