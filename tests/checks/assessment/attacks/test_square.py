"""Square: it finds what is there, claims nothing that is not, and repeats itself."""

import types

import numpy as np
import pytest

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import square
from mlgate.checks.assessment.ball import Features, around

RNG = np.random.default_rng(0)


def linear(weights):
    """A two-class linear model and, for each sample, its exact Linf radius."""
    scores = lambda x: np.stack([x.reshape(len(x), -1) @ weights, np.zeros(len(x))], axis=1)  # noqa: E731
    radius = lambda x: np.abs(x.reshape(len(x), -1) @ weights) / np.abs(weights).sum()  # noqa: E731
    return scores, radius


def attack(predict, x, labels, epsilon, *, limits=None, queries=400, seed=0, ids=None):
    ids = np.arange(len(x)) if ids is None else ids
    known = Features() if limits is None else Features(*(np.full(x.shape[1:], limit) for limit in limits))
    ball = around(x, epsilon, "linf", known)
    return square.run(types.SimpleNamespace(predict=predict), ball, labels, Effort(queries, seed, ids)), ball


@pytest.mark.parametrize("shape", [(12,), (1, 6, 6), (3, 5, 4), (5, 4, 3), (6, 6), (1, 1, 12), (2, 2, 2, 2)])
def test_on_a_linear_model_the_answer_is_known(shape):
    x = RNG.uniform(-1, 1, (60, *shape))
    predict, radius = linear(RNG.normal(size=int(np.prod(shape))))
    labels = predict(x).argmax(axis=1)
    epsilon = 0.1
    attempt, around = attack(predict, x, labels, epsilon)
    fooled = predict(attempt.x).argmax(axis=1) != labels
    np.testing.assert_array_equal(attempt.broken, fooled)
    assert not attempt.broken[radius(x) > epsilon].any()
    # A square moves all its pixels one way, so only a part of the exact radius is in its reach.
    assert attempt.broken[radius(x) < 0.5 * epsilon].all()
    assert ((attempt.x >= around.low) & (attempt.x <= around.high)).all()


def test_features_without_neighbours_reach_the_exact_radius():
    x = RNG.uniform(-1, 1, (200, 10))
    predict, radius = linear(RNG.normal(size=10))
    labels = predict(x).argmax(axis=1)
    attempt, _ = attack(predict, x, labels, 0.2, queries=1000)
    np.testing.assert_array_equal(attempt.broken, radius(x) < 0.2)


def test_a_constant_model_is_never_broken_and_costs_every_query():
    x = RNG.uniform(size=(5, 8))
    attempt, _ = attack(lambda x: np.tile([1.0, 0.0], (len(x), 1)), x, np.zeros(5, int), 0.5, queries=50)
    assert not attempt.broken.any()
    assert (attempt.queries == 50).all()


def test_a_broken_sample_costs_no_more():
    x = RNG.uniform(size=(5, 8))
    attempt, _ = attack(lambda x: np.tile([0.0, 1.0], (len(x), 1)), x, np.zeros(5, int), 0.5, queries=50)
    assert attempt.broken.all()
    assert (attempt.queries == 1).all()


@pytest.mark.parametrize("shape", [(12,), (1, 5, 5), (5, 5, 3)])
def test_company_and_order_change_nothing(shape):
    x = RNG.uniform(-1, 1, (40, *shape))
    predict, _ = linear(RNG.normal(size=int(np.prod(shape))))
    labels = predict(x).argmax(axis=1)
    whole, _ = attack(predict, x, labels, 0.1)
    order = RNG.permutation(40)[:17]
    part, _ = attack(predict, x[order], labels[order], 0.1, ids=order)
    np.testing.assert_array_equal(part.broken, whole.broken[order])
    np.testing.assert_array_equal(part.queries, whole.queries[order])
    np.testing.assert_array_equal(part.x, whole.x[order])


def test_the_seed_changes_the_search():
    x = RNG.uniform(-1, 1, (40, 12))
    predict, _ = linear(RNG.normal(size=12))
    labels = predict(x).argmax(axis=1)
    first, _ = attack(predict, x, labels, 0.1, seed=0)
    second, _ = attack(predict, x, labels, 0.1, seed=1)
    assert (first.queries != second.queries).any()


def test_the_range_holds():
    x = RNG.uniform(0, 1, (20, 1, 6, 6)).astype(np.float32)
    attempt, _ = attack(
        lambda x: np.tile([1.0, 0.0], (len(x), 1)), x, np.zeros(20, int), 0.3, limits=(0, 1), queries=30
    )
    assert attempt.x.min() >= 0
    assert attempt.x.max() <= 1
    assert attempt.x.dtype == np.float32


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.8), (10, 0.8), (11, 0.4), (51, 0.2), (201, 0.1), (501, 0.05), (8001, 0.8 / 512)],
)
def test_the_share_follows_the_papers_schedule(step, expected):
    assert square.share(step, 10_000) == pytest.approx(expected)
    assert square.share(step // 10, 1000) == pytest.approx(square.share(step // 10 * 10, 10_000))
