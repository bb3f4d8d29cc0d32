"""Bootstrap intervals: seeded, honest about what is undefined, and about right."""

import numpy as np
import pytest

from mlgate.checks.assessment import bootstrap
from mlgate.checks.assessment.problems import Unassessable


def test_the_interval_of_a_mean_is_the_normal_one():
    sample = np.random.default_rng(1).normal(size=400)
    found = bootstrap.percentile(lambda rows: sample[rows].mean(), 400, 0.95, 0)
    half = 1.96 * sample.std() / 20
    assert found.low == pytest.approx(sample.mean() - half, abs=0.012)
    assert found.high == pytest.approx(sample.mean() + half, abs=0.012)
    assert found.method == "percentile bootstrap, 1000 resamples"


def test_it_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(60):
        sample = rng.normal(size=100)
        found = bootstrap.percentile(lambda rows, held=sample: held[rows].mean(), 100, 0.9, 0)
        hits += found.low <= 0 <= found.high
    assert 47 <= hits <= 60


def test_a_seed_settles_it():
    sample = np.random.default_rng(3).normal(size=50)
    first, second, other = (
        bootstrap.percentile(lambda rows: np.median(sample[rows]), 50, 0.95, seed) for seed in (7, 7, 8)
    )
    assert first == second
    assert first != other


def test_large_data_needs_fewer_resamples():
    assert bootstrap.resamples(100) == 1000
    assert bootstrap.resamples(10_000, width=10) == 500
    assert bootstrap.resamples(50_000, width=1000) == 100


def undefined(*values):
    def value(rows):
        if rows[0] in values:
            raise Unassessable("one-class", "no")
        return float(rows[0])

    return value


def test_resamples_without_a_value_are_counted():
    found = bootstrap.percentile(undefined(3), 10, 0.95, 0)
    assert "left out: undefined there" in found.method
    assert found.low is not None
    found = bootstrap.percentile(undefined(*range(8)), 10, 0.95, 0)
    assert (found.low, found.high) == (None, None)
    assert found.method.startswith("none: undefined in ")


def test_an_interval_without_width_says_so():
    assert "all alike" in bootstrap.percentile(lambda _: 1.0, 30, 0.95, 0).method
