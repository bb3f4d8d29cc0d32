"""Drift: the worst feature is named, and chance is not called drift without a word."""

import numpy as np
import pytest
from tests.checks.assessment.measures.small import one_hot, subject

from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measures.drift import measure
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Ceiling, DataFile, Drift

RNG = np.random.default_rng(0)
TRAIN = RNG.normal(size=(1000, 3))
LIKE = RNG.normal(size=(500, 3))
DRIFTED = LIKE + [0, 1.5, 0]


def compared(x, reference=TRAIN, names=("age", "income", "size"), **bounds):
    held = Dataset(
        reference, np.zeros(len(reference)), np.arange(len(reference)), "train.csv", sha256="b" * 64
    )
    labels = np.arange(len(x)) % 2
    made = subject(
        lambda rows: one_hot([0] * len(rows), 2), x, labels, names=names, files={"train.csv": held}
    )
    bounds = bounds or {"psi": Ceiling(0.25), "ks": Ceiling(0.3)}
    return list(measure(made, Drift(DataFile("train.csv"), **bounds)))


def test_drift_fails_and_names_the_feature():
    psi, ks = compared(DRIFTED)
    for figure in (psi, ks):
        assert figure.measurement.outcome == "fail"
        assert figure.measurement.detail["worst_feature"] == "income"
        assert figure.measurement.detail["reference_sha256"] == "b" * 64
        assert figure.measurement.value > 5 * figure.measurement.detail["without_drift"]
    assert psi.key == "drift.psi.max"
    assert list(psi.measurement.detail["features"])[0] == "income"


def test_more_of_the_same_passes():
    assert [figure.measurement.outcome for figure in compared(LIKE)] == ["pass", "pass"]


def test_another_precision_is_no_drift():
    codes = np.tile([0.1, 0.2, 0.3], 100)[:, None]
    for one, other in ((codes.astype(np.float32), codes), (codes, codes.astype(np.float32))):
        assert [figure.measurement.value for figure in compared(one, other, names=())] == [0, 0]


def test_what_is_not_asked_for_is_only_shown():
    outcomes = {
        figure.measurement.name: figure.measurement.outcome for figure in compared(DRIFTED, ks=Ceiling(0.1))
    }
    assert outcomes == {"psi": "info", "ks": "fail"}


@pytest.mark.parametrize("features", [1, 12])
def test_without_drift_the_worst_figure_stays_below_what_is_said(features):
    below = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        first, second = rng.normal(size=(2, 300, features))
        figures = compared(first, second, names=())
        below += all(one.measurement.value <= one.measurement.detail["without_drift"] for one in figures)
    assert below >= 50


def test_features_without_names_are_numbered():
    assert compared(DRIFTED, names=())[0].measurement.detail["worst_feature"] == "1"


def test_other_features_cannot_be_compared():
    with pytest.raises(Unassessable, match="2 features a sample and d.npz 3"):
        compared(LIKE, reference=TRAIN[:, :2])


def test_a_second_run_gives_the_same():
    assert compared(DRIFTED) == compared(DRIFTED)
