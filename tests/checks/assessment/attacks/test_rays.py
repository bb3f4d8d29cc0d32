"""RayS: labels are enough, and the ball is respected."""

import numpy as np
import pytest
from tests.checks.assessment.networks import Linear, Network, digits, unit_ball, weights

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import rays
from mlgate.checks.assessment.ball import Features, around

RNG = np.random.default_rng(0)


class LabelsAlone:
    """A model that tells the winning class and nothing else."""

    def __init__(self, model):
        self._model = model
        self.queries = 0

    def predict(self, x):
        self.queries += len(x)
        scores = self._model.predict(x)
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]


def attack(model, ball, labels, queries=1000):
    return rays.run(model, ball, labels, Effort(queries, 0, np.arange(len(labels))))


def test_a_linear_model_is_broken_up_to_the_exact_distance():
    x = RNG.uniform(-1, 1, (100, 12))
    model = Linear(RNG.normal(size=12))
    attempt = attack(LabelsAlone(model), around(x, 0.2), model.labels(x))
    distance = model.distance(x)
    assert not attempt.broken[distance > 0.2].any()
    assert attempt.broken[distance < 0.2 * 0.98].all()


def test_labels_tell_as_much_as_scores():
    x, labels = digits(40)
    model = Network(weights("blocked"), x)
    with_scores = attack(model, unit_ball(x, 0.1), labels, 300)
    alone = attack(LabelsAlone(model), unit_ball(x, 0.1), labels, 300)
    np.testing.assert_array_equal(alone.x, with_scores.x)


@pytest.mark.parametrize(("example", "most"), [("blocked", 0.5), ("passing", 0.9)])
def test_it_comes_close_to_attacks_that_see_more(example, most):
    x, labels = digits(100)
    model = Network(weights(example), x)
    right = model.clean.argmax(axis=1) == labels
    attempt = attack(LabelsAlone(model), unit_ball(x[right], 0.1), labels[right])
    # APGD-T leaves 0.42 and 0.80 of these.
    assert (~attempt.broken).sum() / 100 <= most


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_it_claims_is_inside_and_wrong(norm):
    x, labels = digits(60)
    model = Network(weights("blocked"), x)
    right = model.clean.argmax(axis=1) == labels
    ball = unit_ball(x[right], {"linf": 0.1, "l2": 0.8}[norm], norm)
    attempt = attack(LabelsAlone(model), ball, labels[right], 400)
    assert attempt.broken.any()
    assert ball.holds(attempt.x).all()
    assert (model.predict(attempt.x).argmax(axis=1) != labels[right])[attempt.broken].all()


def test_whole_numbers_and_fixed_features_are_respected():
    x = RNG.integers(-3, 4, (50, 6)).astype(np.float64)
    known = Features(fixed=np.array([True] + [False] * 5), integer=np.array([True] * 4 + [False] * 2))
    ball = around(x, 2.0, "linf", known)
    model = Linear([5.0, 1.0, -1.0, 1.0, 0.5, 0.5])
    attempt = attack(model, ball, model.labels(x), 300)
    assert ball.holds(attempt.x).all()
    margin = np.abs(x @ [5.0, 1.0, -1.0, 1.0, 0.5, 0.5])
    np.testing.assert_array_equal(attempt.broken[margin != 8], (margin < 8)[margin != 8])


def test_the_queries_are_counted_and_bounded():
    x, labels = digits(20)
    model = LabelsAlone(Network(weights("passing"), x))
    attempt = attack(model, unit_ball(x, 0.02), labels, 50)
    assert attempt.queries.sum() == model.queries
    assert attempt.queries.max() <= 50


def test_a_constant_model_costs_every_query_and_no_more():
    constant = LabelsAlone(Linear(np.zeros(8)))
    attempt = attack(constant, around(RNG.uniform(size=(5, 8)), 0.1), np.zeros(5, int), 40)
    assert not attempt.broken.any()
    assert (attempt.queries == 40).all()


def test_in_l2_features_that_cannot_change_take_no_part_of_the_distance():
    x = np.array([[0.5, 0.5] + [3.0] * 14])
    known = Features(fixed=np.array([False] * 2 + [True] * 14))
    # The nearest error is sqrt(0.5) = 0.71 away; over sixteen features a ray of 0.8 goes 0.2 in each.
    model = Linear([1.0, 1.0] + [0.0] * 14)
    ball = around(x, 0.8, "l2", known)
    attempt = attack(model, ball, model.labels(x), 100)
    assert attempt.broken.all()
    assert ball.holds(attempt.x).all()
