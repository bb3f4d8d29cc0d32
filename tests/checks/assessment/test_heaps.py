"""Heaps and outliers among points."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from mlgate.checks.assessment import heaps

RNG = np.random.default_rng(0)


def test_two_heaps_are_told_apart_and_the_silhouette_is_scikit_learns():
    points = np.concatenate([RNG.normal(size=(180, 4)), RNG.normal(size=(20, 4)) + 12])
    share, apart = heaps.halves(points)
    assert share == pytest.approx(0.1)
    assert apart == pytest.approx(silhouette_score(points, [0] * 180 + [1] * 20))


def test_one_heap_is_cut_in_the_middle():
    share, apart = heaps.halves(RNG.normal(size=(400, 5)))
    assert share > 0.4
    assert apart < 0.5


def test_points_that_are_all_alike_are_no_heaps():
    assert heaps.halves(np.ones((30, 2))) == (0.0, 0.0)
    assert not heaps.outliers(np.ones((30, 2))).any()


def test_outliers_are_those_far_out():
    points = RNG.normal(size=(500, 3)) * [3, 1, 1]
    points[:5] += [60, 0, 0]
    far = heaps.outliers(points)
    assert far[:5].all()
    assert far[5:].mean() < 0.01


def test_many_points_are_compared_at_even_steps():
    points = np.concatenate([RNG.normal(size=(2000, 2)), RNG.normal(size=(2000, 2)) + 20])
    assert heaps.halves(points)[1] > 0.9
