"""XGBoost: every objective answers as the library does, and its trees are the ones it walks."""

import types
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.loaders.fidelity import MISSING, REAL, THREE, TWO, X

from mlgate.checks.assessment.loaders import xgboost_model as loader
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read

FUZZ = settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def xgboost():
    import xgboost

    return xgboost


def booster(xgboost, y, x=X, rounds=8, **parameters):
    held = {"max_depth": 3, "nthread": 1, "seed": 0, **parameters}
    return xgboost.train(held, xgboost.DMatrix(x, y), rounds)


KINDS = {
    "softprob": ({"objective": "multi:softprob", "num_class": 3}, THREE, X),
    "softmax": ({"objective": "multi:softmax", "num_class": 3}, THREE, X),
    "logistic": ({"objective": "binary:logistic"}, TWO, X),
    "missing": ({"objective": "binary:logistic"}, TWO, MISSING),
    "logitraw": ({"objective": "binary:logitraw"}, TWO, X),
    "hinge": ({"objective": "binary:hinge"}, TWO, X),
    "dart": ({"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.5}, TWO, X),
    "random forest": ({"objective": "binary:logistic", "num_parallel_tree": 3, "subsample": 0.6}, TWO, X),
    "base score": ({"objective": "binary:logistic", "base_score": 0.2}, TWO, X),
}


@pytest.mark.trees
@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_its_library_does_and_its_trees_do_too(xgboost, kind, form):
    parameters, y, x = KINDS[kind]
    held = booster(xgboost, y, x, **parameters)
    model = fidelity.loaded(loader, bytes(held.save_raw(form)))
    found = fidelity.answers(model, x)
    own = held.predict(xgboost.DMatrix(x))
    if kind == "softprob":
        np.testing.assert_allclose(found, own, atol=1e-6)
    elif kind == "logitraw":
        np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-own)), atol=1e-6)
    elif kind in ("softmax", "hinge"):
        np.testing.assert_array_equal(found.argmax(axis=1), own)
    else:
        np.testing.assert_allclose(found[:, 1], own, atol=1e-6)
    trees = fidelity.opened(model, x, found.shape[1])
    edges = fidelity.near_thresholds(trees, np.random.default_rng(1))
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(model, edges), atol=1e-5)


@pytest.mark.trees
def test_sure_probabilities_are_not_rounded_to_one(xgboost):
    held = booster(xgboost, TWO, rounds=300, objective="binary:logistic", min_child_weight=0)
    found = fidelity.answers(fidelity.loaded(loader, bytes(held.save_raw("ubj"))), X)
    assert (found.min(axis=1) > 0).all()


@pytest.mark.trees
def test_a_regression(xgboost):
    held = booster(xgboost, REAL, objective="reg:squarederror")
    model = fidelity.loaded(loader, bytes(held.save_raw("json")), task="regression")
    np.testing.assert_allclose(fidelity.answers(model, X)[:, 0], held.predict(xgboost.DMatrix(X)), rtol=1e-6)
    assert model.signature.offers == ()


@pytest.mark.trees
@pytest.mark.parametrize("kind", ["linear", "categorical"])
def test_what_a_proof_does_not_cover_is_scored_and_not_opened(xgboost, kind):
    x = X.copy()
    if kind == "linear":
        held = booster(xgboost, TWO, objective="binary:logistic", booster="gblinear")
    else:
        x[:, 0] = np.floor(x[:, 0] * 5)
        types = ["c", *["q"] * 5]
        matrix = xgboost.DMatrix(x, TWO, feature_types=types, enable_categorical=True)
        held = xgboost.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix, 8)
    model = fidelity.loaded(loader, bytes(held.save_raw("ubj")))
    if kind == "categorical":
        fidelity.unopened(model, "categorical splits")
        return
    assert model.signature.offers == ()
    np.testing.assert_allclose(fidelity.answers(model, x)[:, 1], held.predict(xgboost.DMatrix(x)), atol=1e-6)
    with pytest.raises(Unassessable, match="there are none"):
        model.trees()


@pytest.mark.trees
def test_it_tells_its_features(xgboost):
    names = [f"f {letter}" for letter in "abcdef"]
    matrix = xgboost.DMatrix(X, TWO, feature_names=names)
    held = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 2)
    model = fidelity.loaded(loader, bytes(held.save_raw("ubj")))
    assert model.signature.names == tuple(names)
    assert (model.signature.shape, model.signature.dtype) == ((None, 6), "float32")
    assert fidelity.answers(model, X).shape == (300, 2)


@pytest.mark.trees
@pytest.mark.parametrize(
    ("objective", "y", "task"),
    [("reg:squarederror", REAL, "classification"), ("binary:logistic", TWO, "regression")],
)
def test_a_model_for_another_task_is_said(xgboost, objective, y, task):
    held = booster(xgboost, y, objective=objective)
    with pytest.raises(Unassessable, match="correct the policy's task") as caught:
        fidelity.loaded(loader, bytes(held.save_raw("ubj")), task=task)
    assert caught.value.reason == "model-output"


@pytest.mark.trees
def test_samples_that_do_not_fit_fail_with_a_message_that_stays_the_same(xgboost):
    model = fidelity.loaded(loader, bytes(booster(xgboost, TWO, objective="binary:logistic").save_raw("ubj")))
    with pytest.raises(Unassessable, match="^the model fails on the data: [A-Z]") as caught:
        model.predict(np.zeros((2, 9), np.float32))
    assert "Stack" not in caught.value.message


@pytest.mark.trees
@pytest.mark.parametrize("head", [b"binf", b"bs64"])
def test_the_old_binary_form_is_named(head):
    with pytest.raises(Unassessable, match=r"save it as JSON"):
        fidelity.loaded(loader, head + bytes(100))


def learner(**changed):
    """What xgboost says of a model with one tree of three nodes."""
    tree = {
        "split_type": [0, 0, 0],
        "tree_param": {"size_leaf_vector": "1"},
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_conditions": [0.5, -1.0, 1.0],
        "split_indices": [2, 0, 0],
        "default_left": [1, 0, 0],
        **changed,
    }
    return {
        "objective": {"name": "binary:logistic"},
        "learner_model_param": {"base_score": "[5E-1]", "num_class": "0"},
        "gradient_booster": {"name": "gbtree", "model": {"trees": [tree], "tree_info": [0]}},
    }


BOOSTER = types.SimpleNamespace(num_features=lambda: 6, feature_names=None)


def test_a_tree_as_xgboost_describes_it():
    model = loader.XgboostModel(BOOSTER, learner(), "classification")
    trees = read(
        {name: np.asarray(array) for name, array in model.trees().items()}, 6, 2, np.dtype(np.float32)
    )
    x = np.array([[0, 0, 0.4, 0, 0, 0], [0, 0, 0.5, 0, 0, 0], [0, 0, np.nan, 0, 0, 0]], np.float32)
    np.testing.assert_array_equal(trees.raw(x), [[0, -1], [0, 1], [0, -1]])


VALUES = st.none() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3) | st.booleans()


@FUZZ
@given(
    st.sampled_from(["split_type", "left_children", "right_children", "split_conditions", "split_indices", "tree_param"]),
    VALUES | st.lists(VALUES | st.integers(-2, 4), max_size=4) | st.dictionaries(st.text(max_size=3), VALUES),
)  # fmt: skip
def test_a_damaged_description_is_opened_or_is_not(name, value):
    model = loader.XgboostModel(BOOSTER, learner(**{name: value}), "classification")
    if not isinstance(model.forest, str):
        given = {key: np.asarray(array) for key, array in model.forest.items()}
        with suppress(Unassessable):
            read(given, 6, 2, np.dtype(np.float32))


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (b'{"learner":{"gradient_booster":{}}}', True),
        (b'  {"version":[3,2,0],"learner":{"gradient_booster":{}}}', True),
        (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{L" + b"gradient_booster", True),
        (b"binf", True),
        (b'{"learner":{}}', False),
        (b'{"features_info":{},"oblivious_trees":[]}', False),
        (b"tree\nversion=v4", False),
        (b"", False),
    ],
)
def test_a_file_is_claimed_by_how_it_begins(data, claimed):
    assert loader.claims(data) is claimed
