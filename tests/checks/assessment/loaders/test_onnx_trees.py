"""Trees in ONNX: what onnxruntime answers is what the structure says, in every form there is."""

from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.onnx_models import value

from mlgate.checks.assessment.loaders import _onnx_trees
from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.loaders._ensemble import opened
from mlgate.checks.assessment.loaders._forest import NoTrees
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read

FEATURES = 6
FUZZ = settings(
    max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def attributes(
    rng, *, trees=4, depth=3, columns=3, mode="BRANCH_LEQ", positive=False, transform="NONE", base=None
):
    """The attributes of a TreeEnsembleClassifier with full trees; one column where ``columns`` is 1."""
    held = {name: [] for name in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values", "nodes_truenodeids",
        "nodes_falsenodeids", "nodes_missing_value_tracks_true", "class_treeids", "class_nodeids", "class_ids",
        "class_weights",
    )}  # fmt: skip
    for tree in range(trees):
        for node in range(2 ** (depth + 1) - 1):
            leaf = node >= 2**depth - 1
            held["nodes_treeids"].append(tree)
            held["nodes_nodeids"].append(node)
            held["nodes_featureids"].append(0 if leaf else int(rng.integers(FEATURES)))
            held["nodes_modes"].append("LEAF" if leaf else mode)
            held["nodes_values"].append(0.0 if leaf else float(np.float32(rng.random())))
            held["nodes_truenodeids"].append(0 if leaf else 2 * node + 1)
            held["nodes_falsenodeids"].append(0 if leaf else 2 * node + 2)
            held["nodes_missing_value_tracks_true"].append(int(rng.integers(2)))
            for column in range(columns if leaf else 0):
                held["class_treeids"].append(tree)
                held["class_nodeids"].append(node)
                held["class_ids"].append(column)
                weight = rng.random() / trees if positive else rng.normal()
                held["class_weights"].append(float(np.float32(weight)))
    if base is not None:
        held["base_values"] = base
    return {**held, "post_transform": transform, "classlabels_int64s": list(range(max(2, columns)))}


def model(held, before=(), after=(), source="x", kind=TensorProto.FLOAT):
    node = helper.make_node(
        "TreeEnsembleClassifier", [source], ["label", "scores"], domain="ai.onnx.ml", **held
    )
    columns = len(held["classlabels_int64s"])
    graph = helper.make_graph(
        [*before, node, *after],
        "trees",
        [value("x", ["n", FEATURES], kind)],
        [value("scores", ["n", columns])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


FORMS = {
    "shares": {"positive": True},
    "raw": {},
    "softmax": {"transform": "SOFTMAX", "base": [0.1, -0.2, 0.3]},
    "one against all": {"transform": "LOGISTIC"},
    "two columns": {"columns": 2, "transform": "SOFTMAX"},
    "one column": {"columns": 1, "transform": "LOGISTIC", "base": [0.25]},
    "one column of shares": {"columns": 1, "positive": True},
    "one raw column": {"columns": 1},
    "less than": {"mode": "BRANCH_LT"},
    "greater": {"mode": "BRANCH_GT"},
    "greater or equal": {"mode": "BRANCH_GTE"},
}


@pytest.mark.parametrize("form", FORMS)
def test_onnxruntime_answers_what_the_structure_says(form):
    held = attributes(np.random.default_rng(0), **FORMS[form])
    loaded = fidelity.loaded(loader, model(held))
    x = np.random.default_rng(1).random((200, FEATURES)).astype(np.float32)
    columns = len(held["classlabels_int64s"])
    trees = fidelity.opened(loaded, x, columns)
    edges = fidelity.near_thresholds(trees, np.random.default_rng(2))
    edges[::7, 2] = np.nan
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(loaded, edges), atol=1e-5)


def test_an_identity_in_front_changes_nothing():
    held = attributes(np.random.default_rng(0))
    before = [helper.make_node("Identity", ["x"], ["same"])]
    assert fidelity.loaded(loader, model(held, before, source="same")).signature.offers == ("trees",)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("scaled", "more than ask trees"),
        ("modes", "in different ways"),
        ("probit", "transformed by SOFTMAX_ZERO"),
        ("lost node", ""),
        ("double", "as they are given"),
    ],
)
def test_what_a_proof_does_not_cover_is_not_opened(kind, words):
    held = attributes(np.random.default_rng(0))
    data = model(held)
    if kind == "scaled":
        data = model(held, [helper.make_node("Neg", ["x"], ["less"])], source="less")
    elif kind == "modes":
        held["nodes_modes"][0] = "BRANCH_GT"
        data = model(held)
    elif kind == "probit":
        data = model({**held, "post_transform": "SOFTMAX_ZERO"})
    elif kind == "double":
        data = model(held, kind=TensorProto.DOUBLE)
    else:
        held["class_nodeids"][0] = 99
        with pytest.raises(NoTrees, match="not there"):
            _onnx_trees.arrays(model(held))
        return
    fidelity.unopened(fidelity.loaded(loader, data), words)


def amplified(name, domain):
    """A function that leaves quarters as they are, and carries what lies between them far away."""
    numbers = {"four": 4.0, "far": 100.0}
    nodes = [
        helper.make_node(
            "Constant", [], [each], value=helper.make_tensor(each, TensorProto.FLOAT, [], [number])
        )
        for each, number in numbers.items()
    ]
    steps = [
        ("Mul", ["x", "four"], "times"), ("Round", ["times"], "whole"), ("Div", ["whole", "four"], "grid"),
        ("Sub", ["x", "grid"], "off"), ("Mul", ["off", "far"], "away"), ("Add", ["grid", "away"], "y"),
    ]  # fmt: skip
    nodes += [helper.make_node(name, given, [made]) for name, given, made in steps]
    return helper.make_function(domain, name, ["x"], ["y"], nodes, [helper.make_opsetid("", 17)])


@pytest.mark.parametrize("kind", ["function", "whole numbers", "another output"])
def test_a_model_that_only_looks_like_its_trees_on_the_data_is_not_opened(kind):
    """Each of them answers as its trees do on chosen data, and otherwise next to it."""
    held = attributes(np.random.default_rng(0))
    parts = onnx.ModelProto.FromString(model(held))
    if kind == "function":
        parts.functions.append(amplified("Identity", "own"))
        parts.opset_import.append(helper.make_opsetid("own", 1))
        parts.graph.node.insert(0, helper.make_node("Identity", ["x"], ["same"], domain="own"))
        parts.graph.node[1].input[0] = "same"
    elif kind == "whole numbers":
        cut = helper.make_node("Cast", ["scores"], ["cut"], to=TensorProto.INT32)
        back = helper.make_node("Cast", ["cut"], ["probabilities"], to=TensorProto.FLOAT)
        parts.graph.node.extend([cut, back])
        parts.graph.output[0].name = "probabilities"
    else:
        parts.graph.node.append(helper.make_node("Identity", ["x"], ["probabilities"]))
        parts.graph.output[0].CopyFrom(value("probabilities", ["n", FEATURES]))
    words = "more than ask trees" if kind == "function" else "not given as they are"
    fidelity.unopened(fidelity.loaded(loader, parts.SerializeToString()), words)


WHOLE = model(attributes(np.random.default_rng(0), trees=2, depth=2))


@FUZZ
@given(st.data())
def test_a_damaged_model_is_opened_or_is_not(data):
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(WHOLE) - 1))] = data.draw(st.integers(0, 255))
    forest = opened(lambda: _onnx_trees.arrays(bytes(damaged)))
    if forest is not None and not isinstance(forest, str):
        given = {name: np.asarray(array) for name, array in forest.items()}
        with suppress(Unassessable):
            read(given, FEATURES, 3, np.dtype(np.float32))


def test_a_model_without_trees_offers_none():
    from tests.checks.assessment import onnx_models

    assert fidelity.loaded(loader, onnx_models.linear(np.eye(3, dtype=np.float32))).signature.offers == ()
