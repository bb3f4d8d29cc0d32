"""PGD and Auto-PGD: they reach what can be reached, agree with the authors' own code, and repeat themselves.

The reference figures are those of foolbox 3.3.4 (PGD: 40 steps of 2.5 epsilon / 40) and
pyautoattack 0.2.0 (`APGDAttack` with the cross-entropy and `APGDAttack_targeted`, one restart,
100 steps) with torch 2.13.0 on the same two networks and the first 200 images, seed 0.
"""

import numpy as np
import pytest
from tests.checks.assessment.networks import Linear, Network, digits, unit_ball, weights

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import apgd_ce, apgd_t, pgd
from mlgate.checks.assessment.ball import Features, around

ATTACKS = [pgd, apgd_ce, apgd_t]
RNG = np.random.default_rng(0)
X, Y = digits()
REFERENCE = {
    ("blocked", "linf"): (0.43, 0.43, 0.415),
    ("passing", "linf"): (0.81, 0.81, 0.80),
    ("blocked", "l2"): (0.50, 0.485, 0.48),
    ("passing", "l2"): (0.72, 0.71, 0.705),
}
EPSILON = {"linf": 0.1, "l2": 0.5}


def effort(n, seed=0, ids=None):
    return Effort(100, seed, np.arange(n) if ids is None else ids)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("example", ["blocked", "passing"])
def test_robust_accuracy_agrees_with_the_references(example, norm):
    model = Network(weights(example), X)
    right = model.clean.argmax(axis=1) == Y
    ball = unit_ball(X[right], EPSILON[norm], norm)
    for attack, expected in zip(ATTACKS, REFERENCE[example, norm], strict=True):
        attempt = attack.run(model, ball, Y[right], effort(right.sum()))
        found = (~attempt.broken).sum() / len(X)
        # Three of 200 samples; another order of random numbers moves the references by as much.
        assert found == pytest.approx(expected, abs=0.015), attack.NAME
        assert ball.holds(attempt.x).all()
        fooled = model.predict(attempt.x).argmax(axis=1) != Y[right]
        assert fooled[attempt.broken].all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_linear_model_is_broken_up_to_the_exact_distance(attack, norm):
    x = RNG.uniform(-1, 1, (200, 10))
    model = Linear(RNG.normal(size=10))
    attempt = attack.run(model, around(x, 0.2, norm), model.labels(x), effort(200))
    distance = model.distance(x, norm)
    np.testing.assert_array_equal(
        attempt.broken[np.abs(distance - 0.2) > 1e-3], (distance < 0.2)[np.abs(distance - 0.2) > 1e-3]
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_company_and_order_change_nothing(attack):
    model = Network(weights("passing"), X[:40])
    right = np.flatnonzero(model.clean.argmax(axis=1) == Y[:40])
    whole = attack.run(model, unit_ball(X[right], 0.1), Y[right], effort(len(right), ids=right))
    order = RNG.permutation(len(right))[:11]
    some = right[order]
    part = attack.run(model, unit_ball(X[some], 0.1), Y[some], effort(11, ids=some))
    np.testing.assert_array_equal(part.broken, whole.broken[order])
    np.testing.assert_array_equal(part.queries, whole.queries[order])


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_broken_sample_costs_no_more(attack):
    model = Network(weights("blocked"), X[:20])
    attempt = attack.run(model, unit_ball(X[:20], 0.1), 9 - Y[:20], effort(20))
    assert attempt.broken.all()
    assert attempt.queries.max() <= 2


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_queries_are_those_that_the_model_saw(attack):
    model = Network(weights("passing"), X[:10])
    before = model.passes
    attempt = attack.run(model, unit_ball(X[:10], 0.1), Y[:10], effort(10))
    assert attempt.queries.sum() == model.passes - before


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_whole_numbers_and_fixed_features_are_respected_and_still_attacked(attack, norm):
    x = RNG.integers(-3, 4, (100, 6)).astype(np.float64)
    fixed = np.array([True, False, False, False, False, False])
    integer = np.array([True, True, True, True, False, False])
    model = Linear([5.0, 1.0, -1.0, 1.0, 0.5, 0.5])
    ball = around(x, 2.0, norm, Features(fixed=fixed, integer=integer))
    attempt = attack.run(model, ball, model.labels(x), effort(100))
    assert ball.holds(attempt.x).all()
    np.testing.assert_array_equal(attempt.x[:, 0], x[:, 0])
    np.testing.assert_array_equal(attempt.x[:, :4], np.round(attempt.x[:, :4]))
    assert attempt.broken.any()
    if norm == "linf":
        margin = np.abs(x @ [5.0, 1.0, -1.0, 1.0, 0.5, 0.5])
        np.testing.assert_array_equal(attempt.broken[margin != 8], (margin < 8)[margin != 8])


def test_the_seed_changes_where_the_search_begins():
    model = Network(weights("passing"), X[:40])
    first, second = (pgd.run(model, unit_ball(X[:40], 0.1), Y[:40], effort(40, seed)) for seed in (0, 1))
    assert (first.x != second.x).any()


def test_a_model_without_gradients_is_seen_as_such():
    model = Network(weights("blocked"), X[:40], levels=15)
    attempt = pgd.run(model, unit_ball(X[:40], 0.02), Y[:40], effort(40))
    assert attempt.signals["zero_gradients"] == pytest.approx((~attempt.broken).mean())
    assert attempt.signals["loss_not_raised"] == 0
    honest = pgd.run(Network(weights("blocked"), X[:40]), unit_ball(X[:40], 0.02), Y[:40], effort(40))
    assert honest.signals == {"zero_gradients": 0.0, "loss_not_raised": 0.0}
