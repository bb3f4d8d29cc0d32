"""Scikit-learn from pickles and joblib's files: every kind of estimator, as its library answers."""

import io
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn import ensemble, linear_model, naive_bayes, pipeline, preprocessing, svm, tree
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.loaders.fidelity import MISSING, REAL, THREE, TWO, X

from mlgate.checks.assessment.loaders import sklearn_pickle as loader
from mlgate.checks.assessment.loaders._forest import Forest, NoTrees, Tree
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.problems import Unassessable

CLASSIFIERS = {
    "random forest": ensemble.RandomForestClassifier(7, random_state=0),
    "extra trees": ensemble.ExtraTreesClassifier(7, random_state=0),
    "tree": tree.DecisionTreeClassifier(max_depth=4),
    "extra tree": tree.ExtraTreeClassifier(max_depth=4, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=5),
    "boosting from zero": ensemble.GradientBoostingClassifier(n_estimators=5, init="zero"),
    "histograms": ensemble.HistGradientBoostingClassifier(max_iter=5),
}
OTHERS = {
    "pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
    "bayes": naive_bayes.GaussianNB(),
    "ada": ensemble.AdaBoostClassifier(n_estimators=3),
}
UNCOVERED = {
    "its loss is exponential": ensemble.GradientBoostingClassifier(n_estimators=3, loss="exponential"),
    "it starts from a GaussianNB": ensemble.GradientBoostingClassifier(
        n_estimators=3, init=naive_bayes.GaussianNB()
    ),
}


def loaded(estimator, **request):
    return fidelity.loaded(loader, pickle.dumps(estimator), accept_code=True, **request)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_its_trees_are_the_ones_it_walks(kind, y):
    estimator = CLASSIFIERS[kind].fit(X, y)
    model = loaded(estimator)
    found = fidelity.answers(model, X)
    np.testing.assert_allclose(found, estimator.predict_proba(X), atol=1e-12)
    trees = fidelity.opened(model, X, found.shape[1])
    edges = fidelity.near_thresholds(trees, np.random.default_rng(1))
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(model, edges), atol=1e-9)


@pytest.mark.parametrize("kind", ["random forest", "histograms"])
def test_missing_values(kind):
    model = loaded(CLASSIFIERS[kind].fit(MISSING, TWO))
    trees = fidelity.opened(model, MISSING, 2)
    assert trees.missing.any()


def test_categorical_splits_are_scored_and_not_opened():
    x = X.copy()
    x[:, 0] = np.floor(x[:, 0] * 6)
    y = np.isin(x[:, 0], [1, 3]).astype(int)
    estimator = ensemble.HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]).fit(x, y)
    model = loaded(estimator)
    fidelity.unopened(model, "categorical splits")
    np.testing.assert_allclose(fidelity.answers(model, x), estimator.predict_proba(x))


@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_estimator_is_scored(kind):
    estimator = OTHERS[kind].fit(X, TWO)
    model = loaded(estimator)
    assert (model.signature.shape, model.signature.offers) == ((None, 6), ())
    np.testing.assert_allclose(fidelity.answers(model, X), estimator.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("why", UNCOVERED)
def test_what_a_proof_does_not_cover_is_scored_and_says_so(why):
    estimator = UNCOVERED[why].fit(X, TWO)
    model = loaded(estimator)
    fidelity.unopened(model, why)
    np.testing.assert_allclose(fidelity.answers(model, X), estimator.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("part", ["features", "tree"])
def test_an_estimator_with_a_foreign_part_is_not_opened(part):
    if part == "features":
        estimator = ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, TWO)
        estimator._preprocessor = preprocessing.KBinsDiscretizer(9, encode="ordinal").fit(X)
    else:
        estimator = ensemble.RandomForestClassifier(3).fit(X, TWO)
        estimator.estimators_[1] = ensemble.RandomForestClassifier(3).fit(X, TWO)
    words = {"features": "changes its features", "tree": "holds a RandomForestClassifier"}
    fidelity.unopened(loaded(estimator), words[part])


@pytest.mark.trees
def test_a_number_that_xgboost_takes_for_missing_is_not_opened():
    from xgboost import XGBClassifier

    estimator = XGBClassifier(n_estimators=5, max_depth=3, missing=0.5).fit(X, TWO)
    fidelity.unopened(loaded(estimator), "takes 0.5 for missing")


def test_what_derives_from_a_forest_may_do_anything_and_is_not_opened():
    class Own(ensemble.RandomForestClassifier):
        pass

    from mlgate.checks.assessment.loaders._sklearn import SklearnModel

    assert SklearnModel(Own(3).fit(X, TWO), Request()).signature.offers == ()


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_a_model_without_probabilities_is_scored_by_its_decisions(y):
    estimator = svm.LinearSVC().fit(X, y)
    found = fidelity.answers(loaded(estimator), X)
    np.testing.assert_array_equal(found.argmax(axis=1), estimator.predict(X))
    assert found.shape == (300, len(set(y)))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (TWO * 7, (0, 7)),
        (TWO.astype(bool), (0, 1)),
        (TWO.astype(float), (0, 1)),
        (np.array(["no", "yes"])[TWO], ("no", "yes")),
    ],
)
def test_it_tells_its_classes(labels, classes):
    assert loaded(tree.DecisionTreeClassifier().fit(X, labels)).predict(X[:2]).classes == classes


@pytest.mark.parametrize(
    "estimator",
    [
        ensemble.RandomForestRegressor(5),
        linear_model.LinearRegression(),
        ensemble.HistGradientBoostingRegressor(),
    ],
)
def test_a_regression(estimator):
    estimator.fit(X, REAL)
    found = fidelity.answers(loaded(estimator, task="regression"), X)
    np.testing.assert_allclose(found[:, 0], estimator.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("held", "task", "words"),
    [
        (linear_model.LinearRegression().fit(X, REAL), "classification", "LinearRegression"),
        (tree.DecisionTreeClassifier().fit(X, TWO), "regression", "DecisionTreeClassifier"),
        (tree.DecisionTreeClassifier(), "classification", "DecisionTreeClassifier"),
        (preprocessing.StandardScaler().fit(X), "classification", "StandardScaler"),
        (
            tree.DecisionTreeClassifier().fit(X, np.stack([TWO, THREE], axis=1)),
            "classification",
            "outputs|fitted",
        ),
    ],
)
def test_what_is_no_model_for_the_task_is_said(held, task, words):
    with pytest.raises(Unassessable, match=words) as caught:
        loaded(held, task=task)
    assert caught.value.reason == "model-output"


def test_it_works_alone():
    estimator = pipeline.make_pipeline(ensemble.RandomForestClassifier(3, n_jobs=-1)).fit(X, TWO)
    model = loaded(estimator)
    assert model._estimator[-1].n_jobs == 1


@pytest.mark.parametrize("compress", [0, 1, 3, 9, "gzip", "bz2", "xz", "lzma"])
def test_what_joblib_writes_is_claimed_and_read(compress):
    stream = io.BytesIO()
    estimator = tree.DecisionTreeClassifier().fit(X, TWO)
    joblib.dump(estimator, stream, compress=compress if isinstance(compress, int) else (compress, 3))
    model = fidelity.loaded(loader, stream.getvalue(), accept_code=True)
    np.testing.assert_allclose(fidelity.answers(model, X), estimator.predict_proba(X))


def test_it_tells_its_features():
    estimator = tree.DecisionTreeClassifier().fit(X, TWO)
    estimator.feature_names_in_ = np.array(list("abcdef"), dtype=object)
    assert loaded(estimator).signature.names == tuple("abcdef")


def test_nothing_is_read_that_the_policy_does_not_accept(tmp_path):
    marker = tmp_path / "ran"
    payload = b"\x80\x04cos\nmkdir\n(V" + str(marker).encode() + b"\ntR.sklearn"
    with pytest.raises(Unassessable, match="does not accept"):
        fidelity.loaded(loader, payload)
    assert not marker.exists()


@pytest.mark.parametrize(
    "data", [b"\x80\x04sklearn", b"\x80\x04csklearn.nothing\nHere\n.", b"\x78\x9cno zlib"]
)
def test_what_cannot_be_unpickled_is_said(data):
    with pytest.raises(Unassessable, match="cannot be unpickled") as caught:
        fidelity.loaded(loader, data, accept_code=True)
    assert caught.value.reason == "model-load"


def test_a_model_that_fails_on_the_data_is_said():
    model = loaded(
        pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()).fit(X, TWO)
    )
    with pytest.raises(Unassessable, match="ValueError") as caught:
        model.predict(np.zeros((2, 9)))
    assert caught.value.reason == "model-run"


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (b"\x80\x04\x95\x8c\x18sklearn.ensemble._forest", True),
        (b"\x80\x02cxgboost.sklearn\nXGBClassifier\n", True),
        (b"\x80\x02\x8a\x0aBBBB torch", False),
        (b"\x1f\x8b\x08", True),
        (b"PK\x03\x04 sklearn", False),
        (b"\x80", False),
        (b"", False),
    ],
)
def test_a_file_is_claimed_by_how_it_begins(data, claimed):
    assert loader.claims(data) is claimed


def test_nothing_heavy_is_imported_before_a_worker_prepares():
    script = (
        "import sys; import mlgate.checks.assessment.loaders.sklearn_pickle; print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nodes_that_no_root_leads_to_are_left_out():
    forest = Forest("softmax", inclusive=False, single=False)
    forest.add(
        Tree(
            feature=[0, -1, -1, -1], threshold=[0.5, 0, 0, 0], left=[3, -1, -1, -1], right=[1, -1, -1, -1],
            missing=[False] * 4, value=np.array([[0.0], [1.0], [9.0], [2.0]]), column=1,
        )
    )  # fmt: skip
    held = forest.arrays([0.0, 0.0])
    assert held["feature"].tolist() == [0, -1, -1]
    assert (held["left"].tolist(), held["right"].tolist()) == ([1, -1, -1], [2, -1, -1])
    assert held["value"][:, 0].tolist() == [0.0, 2.0, 1.0]


@pytest.mark.parametrize("left", [[0, -1, -1], [1, 0, -1]])
def test_a_circle_is_no_tree(left):
    forest = Forest("softmax", inclusive=False, single=False)
    forest.add(
        Tree(
            feature=[0, 0, -1], threshold=[0.5] * 3, left=left, right=[2, 2, -1], missing=[False] * 3,
            value=np.zeros((3, 1)), column=1,
        )
    )  # fmt: skip
    with pytest.raises(NoTrees, match="do not make trees"):
        forest.arrays([0.0, 0.0])


def test_no_trees_are_no_forest():
    with pytest.raises(NoTrees, match="no tree"):
        Forest("softmax", inclusive=False, single=False).arrays([0.0, 0.0])


@pytest.mark.trees
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_estimators_of_other_libraries_are_opened_too(library, y):
    if library == "xgboost":
        from xgboost import XGBClassifier

        estimator = XGBClassifier(n_estimators=5, max_depth=3)
    elif library == "lightgbm":
        from lightgbm import LGBMClassifier

        estimator = LGBMClassifier(n_estimators=5, num_leaves=5, verbosity=-1)
    else:
        from catboost import CatBoostClassifier

        estimator = CatBoostClassifier(iterations=5, depth=3, verbose=0, allow_writing_files=False)
    estimator.fit(X.astype(np.float32), y)
    model = loaded(estimator)
    trees = fidelity.opened(model, X, len(set(y)))
    edges = fidelity.near_thresholds(trees, np.random.default_rng(1))
    np.testing.assert_allclose(trees.answers(edges), fidelity.answers(model, edges), atol=1e-5)
