"""Paired differences: what cancels out does, and the interval is about right."""

import numpy as np
import pytest

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import accuracy, f1, rmse
from mlgate.checks.assessment.paired import worse

N = 400
LABELS = np.arange(N) % 2


def answers(wrong):
    columns = (LABELS + np.isin(np.arange(N), wrong)) % 2
    return Predictions(LABELS, np.eye(2)[columns], "scores")


def test_the_drop_is_the_difference():
    known = worse(accuracy, answers(range(10)), answers(range(50)), 0.95, 0)
    assert known.value == pytest.approx(0.1)
    # By the normal approximation: the variance of (1, 0) with 40 ones among 400, over 400.
    half = 1.96 * np.sqrt(0.1 * 0.9 / N)
    assert known.low == pytest.approx(0.1 - half, abs=0.008)
    assert known.high == pytest.approx(0.1 + half, abs=0.008)
    assert (known.detail["before"], known.detail["after"]) == (0.975, 0.875)


def test_a_gain_is_a_negative_drop():
    assert worse(accuracy, answers(range(50)), answers(range(10)), 0.95, 0).value == pytest.approx(-0.1)


def test_what_both_get_wrong_widens_nothing():
    alone = worse(accuracy, answers([]), answers(range(10)), 0.95, 0)
    beside = worse(accuracy, answers(range(100, 250)), answers([*range(10), *range(100, 250)]), 0.95, 0)
    assert (alone.low, alone.high) == (beside.low, beside.high)


def test_a_metric_that_is_no_share_is_resampled():
    known = worse(f1, answers([]), answers(range(40)), 0.95, 0)
    assert known.low < known.value < known.high
    assert known.detail["interval"].startswith("paired percentile bootstrap")


def test_an_error_is_worse_when_it_is_larger():
    truth = np.arange(30.0)
    first, second = (Predictions(truth, (truth + by)[:, None], "values") for by in (1, 3))
    assert worse(rmse, first, second, 0.95, 0).value == pytest.approx(2)
