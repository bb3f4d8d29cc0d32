"""Square in the L2 ball: it uses the whole radius, agrees with the reference and repeats itself."""

import types

import numpy as np
import pytest
from tests.checks.assessment.networks import Linear, Network, digits, unit_ball, weights

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import square
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.attacks._square_l2 import Windows, pattern
from mlgate.checks.assessment.ball import Features, around

RNG = np.random.default_rng(0)
SHAPES = [(12,), (1, 6, 6), (3, 5, 4), (5, 4, 3), (6, 6), (2, 5), (2, 2, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_proposal_uses_the_whole_radius(shape):
    ball = around(RNG.normal(size=(30, *shape)), 0.7, "l2")
    windows, stream, everyone = Windows(ball), Stream(0, np.arange(30)), np.arange(30)
    x = windows.begin(stream)
    for step, part in enumerate((0.8, 0.4, 0.1, 0.01), start=1):
        assert ball.holds(x).all()
        lengths = np.linalg.norm(ball.steps(x).reshape(30, -1), axis=1)
        np.testing.assert_allclose(lengths, 0.7, rtol=1e-6)
        after = windows.propose(x, everyone, stream, step, part)
        assert (after != x).any(axis=tuple(range(1, x.ndim))).all()
        x = after


@pytest.mark.parametrize("shape", SHAPES)
def test_on_a_linear_model_it_comes_close_to_the_exact_distance(shape):
    x = RNG.normal(size=(60, *shape))
    model = Linear(RNG.normal(size=int(np.prod(shape))))
    attempt = square.run(model, around(x, 0.3, "l2"), model.labels(x), Effort(600, 0, np.arange(60)))
    distance = model.distance(x, "l2")
    assert not attempt.broken[distance > 0.3].any()
    assert attempt.broken[distance < 0.3 * 0.5].all()


@pytest.mark.parametrize(
    ("example", "norm", "reference", "least"),
    [
        ("blocked", "linf", 0.57, 0.415),
        ("passing", "linf", 0.85, 0.80),
        ("blocked", "l2", 0.735, 0.48),
        ("passing", "l2", 0.815, 0.705),
    ],
)
def test_it_breaks_what_the_reference_breaks_and_less_than_gradients_do(example, norm, reference, least):
    """The reference is `SquareAttack` of pyautoattack 0.2.0: 1,000 queries, rescaled schedule, seed 0.

    It never puts a square against the lower or the right edge, so on 8 by 8 pixels it breaks
    less. The least is what APGD-T leaves.
    """
    x, labels = digits()
    model = Network(weights(example), x)
    right = model.clean.argmax(axis=1) == labels
    ball = unit_ball(x[right], {"linf": 0.1, "l2": 0.5}[norm], norm)
    attempt = square.run(model, ball, labels[right], Effort(1000, 0, np.flatnonzero(right)))
    assert least <= (~attempt.broken).sum() / 200 <= reference + 0.02


def test_whole_numbers_fixed_features_and_units_are_respected():
    x = RNG.integers(-3, 4, (50, 6)).astype(np.float64)
    known = Features(
        fixed=np.array([True] + [False] * 5),
        integer=np.array([True] * 4 + [False] * 2),
        scale=np.array([1.0, 2, 1, 1, 0.5, 1]),
    )
    ball = around(x, 2.5, "l2", known)
    model = Linear([5.0, 1.0, -1.0, 1.0, 0.5, 0.5])
    attempt = square.run(model, ball, model.labels(x), Effort(200, 0, np.arange(50)))
    assert ball.holds(attempt.x).all()
    assert attempt.broken.any()


def test_company_and_order_change_nothing():
    x, labels = digits(30)
    model = Network(weights("passing"), x)
    whole = square.run(model, unit_ball(x, 0.5, "l2"), labels, Effort(60, 0, np.arange(30)))
    some = RNG.permutation(30)[:9]
    part = square.run(model, unit_ball(x[some], 0.5, "l2"), labels[some], Effort(60, 0, some))
    np.testing.assert_array_equal(part.queries, whole.queries[some])
    np.testing.assert_array_equal(part.x, whole.x[some])


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8])
def test_the_pattern_is_of_length_one(side):
    assert np.linalg.norm(pattern(side)) == pytest.approx(1)


def test_a_constant_model_is_never_broken():
    victim = types.SimpleNamespace(predict=lambda x: np.tile([1.0, 0.0], (len(x), 1)))
    x = RNG.uniform(size=(5, 4, 4))
    attempt = square.run(victim, around(x, 0.5, "l2"), np.zeros(5, int), Effort(30, 0, np.arange(5)))
    assert not attempt.broken.any()
    assert (attempt.queries == 30).all()
