"""Performance: the point estimate decides, the interval stands beside it."""

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace
from tests.checks.assessment.measures.test_robustness import Linear, subject

from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.measures.performance import measure
from mlgate.policy.assessment import Bound, Performance

X = np.random.default_rng(0).normal(size=(100, 3))


def figures(settings, labels=None, **entry):
    model = Linear(np.array([1.0, -1.0, 0.0]), X)
    model.meaning = "scores"
    asked = subject(model, X, model.clean.argmax(axis=1) if labels is None else labels)
    return list(measure(replace(asked, entry=replace(asked.entry, **entry)), settings))


def measured(bound, **entry):
    model = Linear(np.array([1.0, -1.0, 0.0]), X)
    model.meaning = "scores"
    labels = model.clean.argmax(axis=1)
    labels[:5] = 1 - labels[:5]
    asked = subject(model, X, labels)
    asked = replace(asked, entry=replace(asked.entry, **entry))
    return next(iter(measure(asked, Performance(accuracy=bound))))


@pytest.mark.parametrize(
    ("bound", "outcome"),
    [
        (Bound(0.95), "pass"),
        (Bound(0.951), "fail"),
    ],
)
def test_the_point_estimate_decides(bound, outcome):
    figure = measured(bound)
    assert (figure.measurement.outcome, figure.measurement.value, figure.measurement.n) == (
        outcome,
        0.95,
        100,
    )
    assert figure.key == f"performance.accuracy.{figure.measurement.bound}"


def test_the_interval_is_exact():
    figure = measured(Bound(0.9), confidence=0.99).measurement
    assert (figure.low, figure.high) == clopper_pearson(95, 100, 0.99)
    assert figure.detail["confidence"] == 0.99
    assert figure.detail["successes"] == 95


def test_it_is_shown_where_nobody_asks():
    (figure,) = figures(UNSET)
    assert (figure.measurement.name, figure.measurement.outcome) == ("accuracy", "info")
    assert figure.measurement.threshold is None


def test_other_intervals_come_from_a_bootstrap_with_the_seed():
    asked = Performance(f1=Bound(0.9))
    labels = np.arange(100) % 2
    first, same, other = (figures(asked, labels, seed=seed)[1].measurement for seed in (0, 0, 1))
    assert first == same
    assert (first.low, first.high) != (other.low, other.high)
    assert first.detail["interval"].startswith("percentile bootstrap")
    assert first.low < first.value < first.high


def test_a_bound_on_the_good_side_is_a_slip_and_no_pass():
    (figure,) = figures(Performance(accuracy=Bound(UNSET, 0.99)))
    assert figure.gap[0] == "wrong-bound"
    assert "bound it by `min`" in figure.gap[1]
    assert figure.measurement.outcome == "inconclusive"


def test_a_metric_that_has_no_value_leaves_the_others():
    found = figures(Performance(brier=Bound(UNSET, 0.5), balanced_accuracy=Bound(0.9)))
    assert {one.measurement.name: one.measurement.outcome for one in found} == {
        "accuracy": "info",
        "balanced_accuracy": "pass",
        "brier": "inconclusive",
    }


def test_latency_is_of_single_samples():
    asked = []

    class Counted(Linear):
        meaning = "scores"

        def answer(self, x):
            asked.append(len(x))
            return self.predict(x)

    model = Counted(np.ones(3), X)
    found = list(
        measure(subject(model, X, model.clean.argmax(axis=1)), Performance(latency_ms=Bound(UNSET, 1e9)))
    )
    assert set(asked) == {1}
    latency = found[-1].measurement
    assert (latency.name, latency.n, latency.outcome) == ("latency_ms", 200, "pass")
    assert 0 < latency.detail["p50_ms"] <= latency.value
    assert "differs from run to run" in latency.detail["method"]
