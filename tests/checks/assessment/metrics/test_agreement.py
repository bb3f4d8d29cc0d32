"""Every metric agrees with scikit-learn, and says where it has no value."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import module, names

METRICS = "mlgate.checks.assessment.metrics"
SOME = settings(max_examples=60, deadline=None, database=None, derandomize=True)

ORACLES = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "precision": lambda y, p: sk.precision_score(y, p.argmax(1), average="macro", zero_division=0),
    "recall": lambda y, p: sk.recall_score(y, p.argmax(1), average="macro", zero_division=0),
    "f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro", zero_division=0),
    "log_loss": lambda y, p: sk.log_loss(y, p, labels=range(p.shape[1])),
    "brier": lambda y, p: (
        sk.brier_score_loss(y, p[:, 1], labels=[0, 1])
        if p.shape[1] == 2
        else sk.brier_score_loss(y, p, labels=range(p.shape[1]))
    ),
    "roc_auc": lambda y, p: (
        sk.roc_auc_score(y, p[:, 1])
        if p.shape[1] == 2
        else sk.roc_auc_score(y, p, multi_class="ovr", labels=range(p.shape[1]))
    ),
    "rmse": lambda y, p: sk.root_mean_squared_error(y, p[:, 0]),
    "mae": lambda y, p: sk.mean_absolute_error(y, p[:, 0]),
    "r2": lambda y, p: sk.r2_score(y, p[:, 0]),
}


def answers(classes, n, seed):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n)])
    chances = rng.dirichlet(np.ones(classes), len(labels)).round(3)
    chances[np.arange(len(labels)), labels] += rng.uniform(0, 1, len(labels)).round(2)
    return labels, chances / chances.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", names(METRICS))
def test_every_metric_has_an_oracle_or_a_test_of_its_own(name):
    assert name in ORACLES or (Path(__file__).parent / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", [name for name in ORACLES if name not in ("rmse", "mae", "r2")])
@SOME
@given(st.integers(2, 5), st.integers(5, 200), st.integers(0, 2**32 - 1))
def test_it_agrees_with_scikit_learn(name, classes, n, seed):
    labels, chances = answers(classes, n, seed)
    with np.errstate(divide="ignore"):
        given_ = Predictions(labels, np.log(np.maximum(chances, 1e-300)), "probabilities")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert module(METRICS, name).value(given_) == pytest.approx(ORACLES[name](labels, chances), rel=1e-9)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
@SOME
@given(st.integers(2, 200), st.integers(0, 2**32 - 1))
def test_a_regression_metric_agrees_with_scikit_learn(name, n, seed):
    labels, values = np.random.default_rng(seed).normal(size=(2, n))
    given_ = Predictions(labels, values[:, None], "values")
    assert module(METRICS, name).value(given_) == pytest.approx(ORACLES[name](labels, values[:, None]))


@pytest.mark.parametrize("name", ["log_loss", "brier", "expected_calibration_error"])
@pytest.mark.parametrize("meaning", ["scores", "logit"])
def test_scores_are_no_probabilities(name, meaning):
    given_ = Predictions(np.array([0, 1]), np.array([[1.0, 2.0], [0.0, 3.0]]), meaning)
    with pytest.raises(Unassessable, match="softmax"):
        module(METRICS, name).value(given_)


def test_one_class_has_no_area_and_no_r2():
    with pytest.raises(Unassessable, match="one class"):
        module(METRICS, "roc_auc").value(Predictions(np.array([1, 1]), np.zeros((2, 2)), "scores"))
    with pytest.raises(Unassessable, match="same"):
        module(METRICS, "r2").value(Predictions(np.array([1.0, 1.0]), np.zeros((2, 1)), "values"))


@pytest.mark.parametrize("name", names(METRICS))
def test_a_metric_says_what_it_is(name):
    found = module(METRICS, name)
    assert set(found.TASKS) <= {"classification", "regression"}
    assert found.BETTER in ("higher", "lower")
    assert found.OVER in ("answers", "timings")
    assert isinstance(found.BINOMIAL, bool)
