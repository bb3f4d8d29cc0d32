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
        (Bound(UNSET, 0.95), "pass"),
        (Bound(UNSET, 0.9), "fail"),
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
