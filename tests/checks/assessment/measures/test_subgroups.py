"""Subgroups: every group is held to the bound, and the small ones are said to be."""

import numpy as np
import pytest
from msgspec import UNSET
from tests.checks.assessment.measures.small import one_hot, subject

from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.measures.subgroups import measure
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Bound, Subgroups

N = 120
X = np.arange(N, dtype=float)[:, None]
LABELS = np.arange(N) % 3
SEX = np.where(np.arange(N) < 80, "f", "m")


def right_but(wrong):
    """A model that is wrong about these samples."""
    return lambda x: one_hot((x[:, 0].astype(int) + np.isin(x[:, 0], wrong)) % 3, 3)


def measured(wrong=(), groups=None, **settings):
    asked = subject(right_but(wrong), X, LABELS, groups=groups or {"sex": SEX})
    settings = {"by": "sex", "accuracy": Bound(0.9), **settings}
    return list(measure(asked, Subgroups(**settings)))


def test_each_group_has_its_figure():
    female, male = (figure.measurement for figure in measured(wrong=range(80, 90)))
    assert (female.part, female.value, female.n, female.outcome) == ("sex=f", 1.0, 80, "pass")
    assert (male.part, male.value, male.n, male.outcome) == ("sex=m", 0.75, 40, "fail")
    assert (male.low, male.high) == clopper_pearson(30, 40, 0.95)
    assert male.family == "subgroups"
    assert male.detail["comparisons"] == 2
    assert male.detail["chance_that_an_interval_misses"] == pytest.approx(1 - 0.95**2)
    assert male.detail["model_sha256"] == "a" * 64


def test_the_key_names_the_bound():
    assert {figure.key for figure in measured()} == {"subgroups.accuracy.min"}


def test_several_columns_and_metrics():
    groups = {"sex": SEX, "age": np.where(np.arange(N) % 2, "old", "young")}
    figures = measured(groups=groups, by=("sex", "age"), f1=Bound(0.5))
    assert [(figure.measurement.name, figure.measurement.part) for figure in figures] == [
        (name, part) for name in ("accuracy", "f1") for part in ("sex=f", "sex=m", "age=old", "age=young")
    ]
    assert "bootstrap" in figures[-1].measurement.detail["interval"]


def test_a_small_group_is_not_checked_and_the_others_are():
    small = np.where(np.arange(N) < 5, "x", SEX)
    figures = measured(groups={"sex": small})
    gaps = [figure for figure in figures if figure.gap]
    assert [figure.measurement.part for figure in gaps] == ["sex=x"]
    assert gaps[0].gap[0] == "small-group"
    assert "5 samples" in gaps[0].gap[1]
    assert gaps[0].measurement.outcome == "inconclusive"
    assert sum(figure.measurement.outcome == "pass" for figure in figures) == 2


def test_min_samples_is_the_policys():
    assert not [figure for figure in measured(groups={"sex": np.where(X[:, 0] < 5, "x", SEX)}, min_samples=5)
                if figure.gap]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason"), [(np.full(N, "f"), "one-group"), (np.arange(N), "too-many-groups")]
)
def test_what_cannot_be_compared_is_said(values, reason):
    with pytest.raises(Unassessable) as caught:
        measured(groups={"sex": values})
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"log_loss": Bound(UNSET, 1.0)}, "no-probabilities"), ({"rmse": Bound(UNSET, 1.0)}, "wrong-task"),
     ({"f1": Bound(UNSET, 0.9)}, "wrong-bound")],
)  # fmt: skip
def test_a_metric_that_does_not_suit_leaves_the_others(settings, reason):
    figures = measured(**settings)
    assert {figure.gap[0] for figure in figures if figure.gap} == {reason}
    assert sum(figure.measurement.outcome == "pass" for figure in figures) == 2


def test_a_second_run_gives_the_same():
    assert measured(wrong=(1, 99), f1=Bound(0.1)) == measured(wrong=(1, 99), f1=Bound(0.1))
