"""PSI by hand and KS against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlgate.checks.assessment.divergence import kolmogorov_smirnov, population_stability

SOME = settings(max_examples=100, deadline=None, database=None, derandomize=True)
NUMBERS = st.lists(st.floats(-100, 100), min_size=2, max_size=60)


@SOME
@given(NUMBERS, NUMBERS)
def test_ks_is_scipys(first, second):
    expected = stats.ks_2samp(first, second, method="asymp").statistic
    assert kolmogorov_smirnov(np.array(first), np.array(second)) == pytest.approx(expected)


def test_psi_of_two_values_by_hand():
    before, after = np.repeat([0.0, 1.0], [50, 50]), np.repeat([0.0, 1.0], [80, 20])
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert population_stability(before, after) == (pytest.approx(expected), 2)


def test_psi_of_deciles_by_hand():
    before = np.arange(1000.0)
    after = np.where(before < 500, before, before % 500)
    share = 0.2 * np.log(2) * 5 / 2
    expected = share + sum((0.0005 - 0.1) * np.log(0.0005 / 0.1) for _ in range(5)) - 0.0
    found, bins = population_stability(before, after)
    assert bins == 10
    assert found == pytest.approx(expected, rel=0.02)


def test_a_value_that_the_reference_has_not_counts():
    before, after = np.repeat([0.0, 2.0], 50), np.repeat([0.0, 1.0, 2.0], [40, 20, 40])
    assert population_stability(before, after)[0] > 0.5


def test_a_short_reference_is_no_list_of_categories():
    rng = np.random.default_rng(0)
    found, bins = population_stability(rng.normal(size=20), rng.normal(size=400))
    assert bins == 10
    assert found < 1


def test_missing_values_count():
    before = np.arange(100.0)
    after = np.where(np.arange(100) < 30, np.nan, before)
    assert population_stability(before, after)[0] > 0.3
    assert kolmogorov_smirnov(before, np.full(5, np.nan)) == 1
    assert kolmogorov_smirnov(np.full(5, np.nan), np.full(5, np.nan)) == 0


@SOME
@given(NUMBERS, NUMBERS)
def test_psi_is_never_negative_and_nothing_for_the_same(first, second):
    assert population_stability(np.array(first), np.array(second))[0] >= 0
    assert population_stability(np.array(first), np.array(first))[0] == pytest.approx(0)
