"""Accuracy: the point estimate decides, the interval stands beside it."""

import numpy as np
import pytest

from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.performance import accuracy

RIGHT = np.arange(100) < 95


@pytest.mark.parametrize(
    ("threshold", "outcome"), [(0.95, "pass"), (0.94, "pass"), (0.951, "fail"), (None, "info"), (0.0, "pass")]
)
def test_the_point_estimate_decides(threshold, outcome):
    figure = accuracy("m", RIGHT, threshold, 0.95, {})
    assert (figure.outcome, figure.value, figure.n, figure.threshold) == (outcome, 0.95, 100, threshold)


def test_the_interval_is_exact():
    figure = accuracy("m", RIGHT, 0.9, 0.99, {"seed": 1})
    assert (figure.low, figure.high) == clopper_pearson(95, 100, 0.99)
    assert figure.detail["confidence"] == 0.99
    assert figure.detail["successes"] == 95
    assert figure.detail["seed"] == 1
