"""CatBoost: every loss answers as the library does, and its trees are the ones it walks."""

import numpy as np
import pytest
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.loaders.fidelity import MISSING, REAL, THREE, TWO, X

from mlgate.checks.assessment.loaders import catboost_model as loader
from mlgate.checks.assessment.problems import Unassessable


@pytest.fixture(scope="module")
def catboost():
    import catboost

    return catboost


SMALL = {"iterations": 8, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
KINDS = {
    "two": ({}, TWO, X),
    "three": ({}, THREE, X),
    "one against all": ({"loss_function": "MultiClassOneVsAll"}, THREE, X),
    "missing is least": ({"nan_mode": "Min"}, TWO, MISSING),
    "missing is most": ({"nan_mode": "Max"}, TWO, MISSING),
    "by depth": ({"grow_policy": "Depthwise", "min_data_in_leaf": 20}, TWO, X),
    "by loss": ({"grow_policy": "Lossguide", "max_leaves": 6}, THREE, X),
}


@pytest.mark.trees
@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_its_library_does_and_its_trees_do_too(catboost, kind):
    parameters, y, x = KINDS[kind]
    held = catboost.CatBoostClassifier(**SMALL, **parameters).fit(x, y)
    model = fidelity.loaded(loader, held._serialize_model())
    assert (model.signature.shape, model.signature.dtype) == ((None, 6), "float32")
    found = fidelity.answers(model, x)
    own = held.predict_proba(x)
    np.testing.assert_allclose(found, own, atol=1e-6)
    trees = fidelity.opened(model, x, found.shape[1])
    edges = fidelity.near_thresholds(trees, np.random.default_rng(1))
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(model, edges), atol=1e-6)


@pytest.mark.trees
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (TWO, (0, 1)),
        (TWO.astype(float), (0, 1)),
        (THREE * 10, (0, 10, 20)),
        (np.array(["no", "yes"])[TWO], ("no", "yes")),
    ],
)
def test_it_tells_its_classes(catboost, labels, classes):
    held = catboost.CatBoostClassifier(**SMALL).fit(X, labels)
    model = fidelity.loaded(loader, held._serialize_model())
    assert model.predict(X[:2].astype(np.float32)).classes == classes


@pytest.mark.trees
def test_a_regression(catboost):
    held = catboost.CatBoostRegressor(**SMALL).fit(X, REAL)
    model = fidelity.loaded(loader, held._serialize_model(), task="regression")
    np.testing.assert_allclose(fidelity.answers(model, X)[:, 0], held.predict(X), rtol=1e-5)
    with pytest.raises(Unassessable, match="correct the policy's task"):
        fidelity.loaded(loader, held._serialize_model())


@pytest.mark.trees
def test_it_tells_its_features_where_somebody_named_them(catboost):
    pool = catboost.Pool(X, TWO, feature_names=list("abcdef"))
    held = catboost.CatBoostClassifier(**SMALL).fit(pool)
    model = fidelity.loaded(loader, held._serialize_model())
    assert model.signature.names == tuple("abcdef")
    fidelity.opened(model, X, 2)


@pytest.mark.trees
def test_categorical_features_are_refused(catboost):
    rows = [[f"c{int(row[0] * 4)}", *row[1:]] for row in X]
    held = catboost.CatBoostClassifier(**SMALL).fit(rows, TWO, cat_features=[0])
    with pytest.raises(Unassessable, match="categorical, text or embedding") as caught:
        fidelity.loaded(loader, held._serialize_model())
    assert caught.value.reason == "model-input"


@pytest.mark.trees
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"CBM1", "cannot load"),
        (b"CBM1" + bytes(60), "cannot load"),
        (b'{"oblivious_trees": []}', "save_model"),
    ],
)
def test_what_does_not_load_is_said(data, words):
    with pytest.raises(Unassessable, match=words) as caught:
        fidelity.loaded(loader, data)
    assert caught.value.reason == "model-load"


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (b"CBM1\x00", True),
        (b'{"model_info":{},"oblivious_trees":[]}', True),
        (b'{"learner":{}}', False),
        (b"", False),
    ],
)
def test_a_file_is_claimed_by_how_it_begins(data, claimed):
    assert loader.claims(data) is claimed
