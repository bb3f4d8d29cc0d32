"""Exact intervals against a statistics library, and against their definition."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from mlgate.checks.assessment.intervals import clopper_pearson, incomplete_beta, mcnemar

FUZZ = settings(max_examples=150, deadline=None, database=None, derandomize=True)


@FUZZ
@given(st.integers(1, 100_000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999, 0.999999]))
def test_the_interval_is_scipys(n, share, confidence):
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="exact")
    low, high = clopper_pearson(successes, n, confidence)
    assert low == pytest.approx(expected.low, rel=1e-8, abs=1e-12)
    assert high == pytest.approx(expected.high, rel=1e-8, abs=1e-12)


@FUZZ
@given(st.floats(0, 1), st.floats(0.5, 1e5), st.floats(0.5, 1e5))
def test_the_incomplete_beta_function_is_scipys(x, a, b):
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (0, 1), (1, 1)])
def test_the_ends_are_reached(successes, n):
    low, high = clopper_pearson(successes, n, 0.95)
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == n)


def test_a_hand_computed_case():
    # With 0 of n the upper end solves (1 - p)**n = tail.
    assert clopper_pearson(0, 20, 0.95)[1] == pytest.approx(1 - 0.025 ** (1 / 20))


def test_nothing_seen_says_nothing():
    assert clopper_pearson(0, 0, 0.95) == (0.0, 1.0)


def test_the_interval_covers_as_often_as_it_says():
    n, p, confidence = 40, 0.83, 0.9
    covered = sum(
        math.comb(n, k) * p**k * (1 - p) ** (n - k)
        for k in range(n + 1)
        if clopper_pearson(k, n, confidence)[0] <= p <= clopper_pearson(k, n, confidence)[1]
    )
    assert covered >= confidence


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (5, 5), (9, 1), (1, 9), (30, 12), (200, 150), (1, 0)])
def test_mcnemar_is_the_exact_binomial_test(lost, won):
    from scipy import stats

    expected = stats.binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert mcnemar(lost, won) == pytest.approx(expected)
