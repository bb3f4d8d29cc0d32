"""The trees inside an ONNX model that is one classifier of trees and nothing else.

Converters of scikit-learn, XGBoost and LightGBM write such models. How onnxruntime turns
the sums into scores depends on the weights where there are two classes and one column of
them.

Source: TreeEnsembleClassifier-3 of the ai.onnx.ml operators, and onnxruntime's
``onnxruntime/core/providers/cpu/ml/tree_ensemble_aggregator.h``.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._forest import Forest, Tree, Uncovered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_NAME = "TreeEnsembleClassifier"
# What may stand beside it: nothing that changes a score. A name alone says nothing: a model can
# bring functions of its own by any name, in a domain of its own.
_PLAIN, _ML = ("", "ai.onnx"), ("ai.onnx.ml",)
_BESIDE = {_NAME: _ML, "ZipMap": _ML, "Identity": _PLAIN, "Cast": _PLAIN}
_LINKS = {"NONE": "identity", "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
# How a node decides: whether the true branch is the one of smaller numbers, and whether equal ones go there.
_MODES = {
    "BRANCH_LEQ": (True, True),
    "BRANCH_LT": (True, False),
    "BRANCH_GT": (False, True),
    "BRANCH_GTE": (False, False),
}
_FLOAT, _DOUBLE = 1, 11


def arrays(data: bytes) -> "Mapping[str, NDArray[Any]]":
    """Return the structure: see :mod:`mlgate.checks.assessment.structure`.

    Raises:
        Uncovered: The model is something else, or the package ``onnx`` is not there to read it.
    """
    try:
        import onnx  # noqa: PLC0415 - only the worker pays for it
        from google.protobuf.message import DecodeError  # noqa: PLC0415
    except ImportError:
        raise Uncovered("the package onnx is not installed") from None
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise Uncovered("it cannot be read") from error
    graph = model.graph
    ensembles = [node for node in graph.node if node.op_type == _NAME]
    plain = all(node.domain in _BESIDE.get(node.op_type, ()) for node in graph.node)
    if len(ensembles) != 1 or not plain or model.functions:
        raise Uncovered("it does more than ask trees")
    (given,) = graph.input
    features = _same(graph.node, given.name, ("Identity",))
    if ensembles[0].input[0] not in features or given.type.tensor_type.elem_type != _FLOAT:
        raise Uncovered("its trees do not see the features as they are given")
    scores = _same(graph.node, ensembles[0].output[1], ("Identity", "Cast", "ZipMap"))
    if not all(each.name in scores for each in graph.output if _can_be_scores(each)):
        raise Uncovered("its trees' scores are not given as they are")
    held = {each.name: onnx.helper.get_attribute_value(each) for each in ensembles[0].attribute}
    return _forest(held)


def _same(nodes: "Sequence[Any]", name: str, operators: tuple[str, ...]) -> set[str]:
    """Return the names under which a value is known, by operators that leave it as it is."""
    known = {name}
    for node in nodes:  # a valid graph is in order
        cuts = any(each.name == "to" and each.i not in (_FLOAT, _DOUBLE) for each in node.attribute)
        if node.op_type in operators and node.input[0] in known and not cuts:
            known.add(node.output[0])
    return known


def _can_be_scores(output: Any) -> bool:
    """Say whether a graph's output may be taken for its scores: numbers that are not whole, or maps."""
    kind = output.type.tensor_type.elem_type
    return output.type.WhichOneof("value") != "tensor_type" or kind in (_FLOAT, _DOUBLE)


def _forest(held: dict[str, Any]) -> "Mapping[str, NDArray[Any]]":
    modes = {mode.decode() for mode in held["nodes_modes"]} - {"LEAF"}
    if len(modes) > 1 or not modes <= set(_MODES):
        raise Uncovered("its nodes decide in different ways")
    smaller, inclusive = _MODES[modes.pop() if modes else "BRANCH_LEQ"]
    weights, base, link = _weights(held)
    forest = Forest(link, inclusive=inclusive, single=True)
    trees = np.array(held["nodes_treeids"], np.int64)
    leaf = np.array([mode == b"LEAF" for mode in held["nodes_modes"]])
    tracks = np.array(held.get("nodes_missing_value_tracks_true") or [0] * len(trees)) != 0
    branches = [_children(held, trees, side) for side in ("nodes_truenodeids", "nodes_falsenodeids")]
    left, right = branches if smaller else branches[::-1]
    # numpy.unique would import numpy.ma, and no file opens here.
    for tree in sorted(set(held["nodes_treeids"])):
        rows = np.flatnonzero(trees == tree)
        inner = ~leaf[rows]
        forest.add(
            Tree(
                feature=np.where(inner, np.array(held["nodes_featureids"], np.int64)[rows], -1),
                threshold=np.array(held["nodes_values"], np.float32)[rows],
                left=np.where(inner, np.searchsorted(rows, left[rows]), -1),
                right=np.where(inner, np.searchsorted(rows, right[rows]), -1),
                missing=tracks[rows] == smaller,
                value=weights[rows],
                column=-1,
            )
        )
    return forest.arrays(base)


def _weights(held: dict[str, Any]) -> "tuple[NDArray[np.float64], NDArray[np.float64], str]":
    """Return what each node adds to each class [N, k], the base [k] and the link."""
    classes = len(held.get("classlabels_int64s") or held.get("classlabels_strings") or ())
    transform = held.get("post_transform", b"NONE").decode()
    ids, weights = np.array(held["class_ids"], np.int64), np.array(held["class_weights"], np.float32)
    link = _LINKS.get(transform)
    if link is None or classes < 2:
        raise Uncovered(f"its scores are transformed by {transform}")
    places = _places(held, held["class_treeids"], held["class_nodeids"])
    value = np.zeros((len(held["nodes_treeids"]), classes))
    np.add.at(value, (places, ids), weights.astype(np.float64))
    base = np.array(held.get("base_values") or [0.0], np.float64)
    if classes > 2 or len(set(held["class_ids"])) > 1:
        return value, np.broadcast_to(base if base.any() else 0.0, (classes,)).astype(np.float64), link
    # Two classes and one column: the other class's score follows from it.
    if base.shape != (1,):
        raise Uncovered("its base values do not fit its one column")
    only = value[:, ids[:1]]
    if link == "sigmoid":
        return np.concatenate([np.zeros_like(only), only], axis=1), np.array([0.0, base[0]]), "softmax"
    if link == "softmax":
        raise Uncovered("a softmax of one column says nothing")
    start = 1.0 if (weights >= 0).all() else 0.0
    return np.concatenate([-only, only], axis=1), np.array([start - base[0], base[0]]), link


def _children(held: dict[str, Any], trees: "NDArray[np.int64]", side: str) -> "NDArray[np.int64]":
    inner = np.array([mode != b"LEAF" for mode in held["nodes_modes"]])
    found = np.full(len(trees), -1)
    found[inner] = _places(held, trees[inner], np.array(held[side], np.int64)[inner])
    return found


def _places(held: dict[str, Any], trees: Any, nodes: Any) -> "NDArray[np.int64]":
    """Return where nodes stand among all nodes, by the numbers of their trees and their own."""
    width = max(int(np.max(held["nodes_nodeids"])), int(np.max(nodes, initial=0))) + 1
    keys = np.array(held["nodes_treeids"], np.int64) * width + np.array(held["nodes_nodeids"], np.int64)
    order = np.argsort(keys, kind="stable")
    wanted = np.asarray(trees, np.int64) * width + np.asarray(nodes, np.int64)
    found = order[np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)]
    if not np.array_equal(keys[found], wanted):
        raise Uncovered("a node that it speaks of is not there")
    return np.asarray(found)
