"""LightGBM: every objective answers as the library does, and its trees are the ones it walks."""

import re
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.loaders.fidelity import MISSING, REAL, THREE, TWO, X

from mlgate.checks.assessment.loaders import lightgbm_model as loader
from mlgate.checks.assessment.loaders._ensemble import opened
from mlgate.checks.assessment.loaders._forest import Forest
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read

FUZZ = settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def lightgbm():
    import lightgbm

    return lightgbm


def booster(lightgbm, y, x=X, rounds=8, categorical="auto", **parameters):
    held = {
        "num_leaves": 6,
        "verbosity": -1,
        "num_threads": 1,
        "min_data_in_leaf": 5,
        "seed": 0,
        **parameters,
    }
    data = lightgbm.Dataset(x, y, params={"verbosity": -1}, categorical_feature=categorical)
    return lightgbm.train(held, data, rounds)


def text(held):
    return held.model_to_string().encode()


FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
KINDS = {
    "multiclass": ({"objective": "multiclass", "num_class": 3}, THREE, X),
    "one against all": ({"objective": "multiclassova", "num_class": 3}, THREE, X),
    "binary": ({"objective": "binary"}, TWO, X),
    "sigmoid": ({"objective": "binary", "sigmoid": 2.5}, TWO, X),
    "missing": ({"objective": "binary"}, TWO, MISSING),
    "cross entropy": ({"objective": "cross_entropy"}, TWO, X),
    "random forest": ({"objective": "binary", **FOREST}, TWO, X),
    "random forest of three": ({"objective": "multiclass", "num_class": 3, **FOREST}, THREE, X),
    "dart": ({"objective": "binary", "boosting": "dart"}, TWO, X),
    "one leaf": ({"objective": "binary", "min_data_in_leaf": 299}, TWO, X),
}


@pytest.mark.trees
@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_its_library_does_and_its_trees_do_too(lightgbm, kind):
    parameters, y, x = KINDS[kind]
    held = booster(lightgbm, y, x, **parameters)
    model = fidelity.loaded(loader, text(held))
    assert (model.signature.shape, model.signature.dtype) == ((None, 6), "float64")
    found = fidelity.answers(model, x)
    own = held.predict(x)
    np.testing.assert_allclose(found if own.ndim == 2 else found[:, 1], own, atol=1e-12)
    trees = fidelity.opened(model, x, found.shape[1])
    edges = fidelity.near_thresholds(trees, np.random.default_rng(1))
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(model, edges), atol=1e-9)


@pytest.mark.trees
def test_what_is_missing_only_when_it_is_used_counts_as_zero(lightgbm):
    model = fidelity.loaded(loader, text(booster(lightgbm, TWO, objective="binary")))
    trees = fidelity.opened(model, MISSING, 2)
    np.testing.assert_array_equal(trees.answers(MISSING), trees.answers(np.nan_to_num(MISSING)))


@pytest.mark.trees
def test_a_regression(lightgbm):
    held = booster(lightgbm, REAL, objective="regression")
    model = fidelity.loaded(loader, text(held), task="regression")
    np.testing.assert_allclose(fidelity.answers(model, X)[:, 0], held.predict(X))


@pytest.mark.trees
@pytest.mark.parametrize("kind", ["categorical", "linear", "zero"])
def test_what_a_proof_does_not_cover_is_scored_and_not_opened(lightgbm, kind):
    x = X.copy()
    if kind == "categorical":
        x[:, 0] = np.floor(x[:, 0] * 5)
        held = booster(lightgbm, TWO, x, categorical=[0], objective="binary", min_data_per_group=1)
    elif kind == "linear":
        held = booster(lightgbm, TWO, objective="binary", linear_tree=True)
    else:
        x[:, 0] = np.where(x[:, 0] < 0.5, 0, x[:, 0])
        held = booster(lightgbm, TWO, x, objective="binary", zero_as_missing=True)
    model = fidelity.loaded(loader, text(held))
    fidelity.unopened(model, "zero for missing" if kind == "zero" else kind)
    np.testing.assert_allclose(fidelity.answers(model, x)[:, 1], held.predict(x), atol=1e-12)


@pytest.mark.trees
def test_an_objective_of_ones_own_is_compared_as_it_stands(lightgbm):
    def objective(scores, data):
        return scores - data.get_label(), np.ones_like(scores)

    held = booster(lightgbm, TWO, objective=objective)
    model = fidelity.loaded(loader, text(held))
    found = fidelity.answers(model, X)
    np.testing.assert_allclose(found, np.stack([np.zeros(300), held.predict(X)], axis=1), atol=1e-12)
    fidelity.opened(model, X, 2)


@pytest.mark.trees
def test_it_tells_its_features_where_somebody_named_them(lightgbm):
    assert fidelity.loaded(loader, text(booster(lightgbm, TWO, objective="binary"))).signature.names == ()
    data = lightgbm.Dataset(X, TWO, params={"verbosity": -1}, feature_name=list("abcdef"))
    held = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 2)
    assert fidelity.loaded(loader, text(held)).signature.names == tuple("abcdef")


@pytest.mark.trees
@pytest.mark.parametrize(
    ("objective", "y", "task"), [("regression", REAL, "classification"), ("binary", TWO, "regression")]
)
def test_a_model_for_another_task_is_said(lightgbm, objective, y, task):
    with pytest.raises(Unassessable, match="correct the policy's task"):
        fidelity.loaded(loader, text(booster(lightgbm, y, objective=objective)), task=task)


@pytest.mark.trees
def test_lines_that_lightgbm_skips_are_no_part_of_its_trees(lightgbm):
    """Behind an empty line, other thresholds stand: the same leaves on the data, and not next to it."""
    x = np.round(X * 4) / 4
    whole = text(booster(lightgbm, TWO, x, objective="binary")).decode()
    head, *parts = whole.partition("\nend of trees")[0].split("\nTree=")
    thresholds = re.compile(r"(?m)^threshold=(.*)$")
    doubled = []
    for part in (part.strip("\n") for part in parts):
        moved = [repr(float(number) + 0.1) for number in thresholds.search(part)[1].split()]
        used = thresholds.sub(f"threshold={' '.join(moved)}", part)
        doubled.append(f"Tree={used}\n\n{part.partition(chr(10))[2]}\n\n\n")
    sizes = " ".join(str(len(each)) for each in doubled)
    head = re.sub(r"(?m)^tree_sizes=.*$", f"tree_sizes={sizes}", head)
    data = f"{head}\n{''.join(doubled)}end of trees{whole.partition('end of trees')[2]}".encode()
    model = fidelity.loaded(loader, data)
    trees = fidelity.opened(model, x, 2)
    near = x + np.random.default_rng(0).uniform(-0.12, 0.12, x.shape)
    np.testing.assert_allclose(trees.answers(near), fidelity.answers(model, near), atol=1e-9)


@pytest.mark.trees
@pytest.mark.parametrize("data", [b"tree\nversion=v4\n", b"tree\nversion=v4\n\xff"])
def test_what_lightgbm_does_not_load_is_said(data):
    with pytest.raises(Unassessable, match="lightgbm cannot load the model") as caught:
        fidelity.loaded(loader, data)
    assert caught.value.reason == "model-load"


TREE = """0
num_leaves=3
num_cat=0
split_feature=2 4
threshold=0.5 1.0000000180025095e-35
decision_type=2 8
left_child=1 -1
right_child=-3 -2
leaf_value=-1 1 3
is_linear=0
shrinkage=1
"""


def described(text):
    forest = Forest("softmax", inclusive=True, single=False)
    forest.add(loader._tree(loader._fields(text), 1.0, 1))
    return forest.arrays(np.zeros(2))


def test_a_tree_as_its_text_describes_it():
    given = {name: np.asarray(array) for name, array in described(TREE).items()}
    trees = read(given, 6, 2, np.dtype(np.float64))
    x = np.zeros((5, 6))
    x[:, 2] = [0.5, np.nextafter(0.5, 1), np.nan, 0, 0]
    x[:, 4] = [0, 0, 0, 1, np.nan]
    # The first node takes what is missing for 0; the second sends it right.
    np.testing.assert_array_equal(trees.raw(x)[:, 1], [-1, 3, -1, 1, 1])


@FUZZ
@given(st.data())
def test_a_damaged_text_is_opened_or_is_not(data):
    text = list(TREE)
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from("0123456789-.e =\nxn"))
    forest = opened(lambda: described("".join(text)))
    if not isinstance(forest, str):
        with suppress(Unassessable):
            read({name: np.asarray(array) for name, array in forest.items()}, 6, 2, np.dtype(np.float64))


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (b"tree\nversion=v4\n", True),
        (b"tree\r\nversion=v3\r\n", True),
        (b"tree\n", False),
        (b"trees", False),
        (b"", False),
    ],
)
def test_a_file_is_claimed_by_how_it_begins(data, claimed):
    assert loader.claims(data) is claimed
