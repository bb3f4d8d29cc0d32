"""Blind search: it finds what lies between the corners, and keeps to the ball."""

import numpy as np
import pytest
from tests.checks.assessment.networks import Linear

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import rays, square, uniform
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.ball import Features, around

RNG = np.random.default_rng(0)


class Patch:
    """A model that errs in a small patch beside each sample, and nowhere else.

    The patch lies off every diagonal and away from the ball's edge.
    """

    def predict(self, x):
        inside = (np.abs(x[:, 0] - 0.05) < 0.02) & (np.abs(x[:, 1] + 0.02) < 0.01)
        return np.eye(2)[inside.astype(int)]


def attack(model, ball, labels, queries=400, module=uniform, ids=None):
    ids = np.arange(len(labels)) if ids is None else ids
    return module.run(model, ball, labels, Effort(queries, 0, ids))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_patch_between_the_corners_is_found_where_led_attacks_pass_by(norm):
    ball, labels = around(np.zeros((50, 2)), 0.1, norm), np.zeros(50, int)
    attempt = attack(Patch(), ball, labels)
    assert attempt.broken.mean() > 0.9
    assert ball.holds(attempt.x).all()
    assert Patch().predict(attempt.x)[attempt.broken, 1].all()
    for led in (square, rays):
        assert not attack(Patch(), ball, labels, module=led).broken.any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_points_are_spread_over_the_whole_ball(norm):
    n = 4000
    ball = around(np.zeros((n, 3)), 1.0, norm)
    x = uniform.point(ball, Stream(0, np.arange(n)), np.arange(n), 0)
    inner = np.abs(x).max(axis=1) if norm == "linf" else np.linalg.norm(x, axis=1)
    # Half of the radius holds an eighth of the volume.
    assert (inner < 0.5).mean() == pytest.approx(1 / 8, abs=0.02)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=0.05)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_features_allow_is_kept(norm):
    x = RNG.integers(-3, 4, (50, 4)).astype(np.float32)
    known = Features(
        fixed=np.array([True, False, False, False]),
        rising=np.array([False, True, False, False]),
        integer=np.array([False, False, True, False]),
    )
    ball = around(x, 2.5, norm, known)
    moved = uniform.point(ball, Stream(1, np.arange(50)), np.arange(50), 7)
    assert ball.holds(moved).all()
    assert (moved[:, 0] == x[:, 0]).all()
    assert (moved[:, 1] >= x[:, 1]).all()
    assert (moved != x).any(axis=0).tolist() == [False, True, True, True]


def test_neither_order_nor_company_changes_a_result():
    x = RNG.normal(0, 0.3, (40, 3))
    model = Linear([1.0, -2.0, 0.5])
    labels = model.labels(x)
    every = attack(model, around(x, 0.2), labels, 20)
    back = np.arange(40)[::-3]
    part = attack(model, around(x[back], 0.2), labels[back], 20, ids=back)
    assert 0 < every.broken.sum() < 40
    np.testing.assert_array_equal(part.x, every.x[back])
    np.testing.assert_array_equal(part.queries, every.queries[back])


def test_a_sample_that_stands_costs_half_of_the_queries():
    attempt = attack(Linear(np.zeros(8)), around(RNG.uniform(size=(5, 8)), 0.1), np.zeros(5, int), 41)
    assert not attempt.broken.any()
    assert (attempt.queries == 21).all()
