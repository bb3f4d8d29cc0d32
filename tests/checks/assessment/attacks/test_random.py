"""Random numbers that depend on seed, sample and step alone."""

import numpy as np
import pytest

from mlgate.checks.assessment.attacks._random import Stream, below, coins

IDS = np.array([4, 17, 99, 1000])


def test_a_samples_numbers_do_not_depend_on_its_company():
    together = Stream(7, IDS).bits(np.array([0, 1, 2, 3]), 5, 16)
    reordered = Stream(7, IDS[[2, 0]]).bits(np.array([0, 1]), 5, 16)
    np.testing.assert_array_equal(reordered, together[[2, 0]])


def test_seed_sample_and_step_each_change_them():
    def first(seed, sample, step):
        return tuple(Stream(seed, np.array([sample])).bits(np.array([0]), step, 4)[0])

    assert len({first(seed, sample, step) for seed in (0, 1) for sample in (0, 1) for step in (0, 1)}) == 8


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_numbers_below_a_limit_are_even(limit):
    drawn = below(Stream(0, np.arange(200)).bits(np.arange(200), 0, 500).ravel(), limit)
    assert drawn.min() == 0
    assert drawn.max() == limit - 1
    counts = np.bincount(drawn, minlength=limit)
    expected = drawn.size / limit
    assert (np.abs(counts - expected) < 6 * expected**0.5 + 1).all()


def test_coins_are_fair():
    assert abs(coins(Stream(0, np.arange(100)).bits(np.arange(100), 3, 1000)).mean() - 0.5) < 0.01
