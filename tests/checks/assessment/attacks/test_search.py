"""Losses and their derivatives, and where searches begin."""

import numpy as np
import pytest

from mlgate.checks.assessment.attacks._apgd import checkpoints
from mlgate.checks.assessment.attacks._random import Stream
from mlgate.checks.assessment.attacks._search import beginning, cross_entropy, margin, targeted_ratio
from mlgate.checks.assessment.ball import Features, around

RNG = np.random.default_rng(0)


def numeric(objective, scores, step=1e-6):
    """The derivative by differences."""
    rows = slice(0, len(scores))
    found = np.zeros_like(scores)
    for column in range(scores.shape[1]):
        up, down = scores.copy(), scores.copy()
        up[:, column] += step
        down[:, column] -= step
        found[:, column] = (objective(up, rows)[0] - objective(down, rows)[0]) / (2 * step)
    return found


@pytest.mark.parametrize("classes", [2, 3, 4, 10])
@pytest.mark.parametrize("loss", ["cross entropy", "ratio"])
def test_the_derivative_is_the_losses_own(loss, classes):
    scores = RNG.normal(size=(50, classes)) * 3
    labels = RNG.integers(0, classes, 50)
    targets = (labels + RNG.integers(1, classes, 50)) % classes
    objective = cross_entropy(labels) if loss == "cross entropy" else targeted_ratio(labels, targets)
    _, slope = objective(scores, slice(0, 50))
    np.testing.assert_allclose(slope, numeric(objective, scores), atol=1e-5)


def test_cross_entropy_is_exact_where_the_model_is_sure():
    losses, slope = cross_entropy(np.array([0, 0]))(np.array([[200.0, 0.0], [500.0, 0.0]]), slice(0, 2))
    np.testing.assert_allclose(losses, [np.exp(-200.0), np.exp(-500.0)])
    np.testing.assert_allclose(slope[:, 1], [np.exp(-200.0), np.exp(-500.0)])
    np.testing.assert_allclose(slope[:, 0], -slope[:, 1])


def test_the_ratio_does_not_change_with_the_scores_scale():
    scores = RNG.normal(size=(20, 5))
    objective = targeted_ratio(np.zeros(20, int), np.ones(20, int))
    np.testing.assert_allclose(objective(scores, slice(0, 20))[0], objective(scores * 1000, slice(0, 20))[0])


def test_an_objective_may_see_some_rows():
    objective = cross_entropy(np.array([0, 1, 2]))
    scores = RNG.normal(size=(2, 3))
    whole = objective(np.r_[scores[:1], scores], slice(0, 3))[0]
    np.testing.assert_array_equal(objective(scores, np.array([1, 2]))[0], whole[1:])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_searches_begin_at_the_balls_edge(norm):
    x = RNG.uniform(size=(50, 3, 4))
    ball = around(x, 0.2, norm)
    begin = beginning(ball, Stream(0, np.arange(50)), np.arange(50), 0)
    assert ball.holds(begin).all()
    step = np.abs(ball.steps(begin)).reshape(50, -1)
    reach = step.max(axis=1) if norm == "linf" else np.linalg.norm(step, axis=1)
    np.testing.assert_allclose(reach, 0.2)


def test_another_draw_is_another_beginning():
    ball, stream = around(np.zeros((5, 4)), 1.0), Stream(0, np.arange(5))
    first, second = (beginning(ball, stream, np.arange(5), draw) for draw in (0, 1))
    assert (first != second).all()


def test_what_cannot_move_does_not_begin_elsewhere():
    ball = around(np.zeros((5, 4)), 1.0, "l2", Features(fixed=np.array([True, False, False, True])))
    begin = beginning(ball, Stream(0, np.arange(5)), np.arange(5), 0)
    assert (begin[:, [0, 3]] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(begin, axis=1), 1)


def test_the_checkpoints_are_those_of_the_paper():
    assert [step for step, _ in checkpoints(100)] == [22, 41, 57, 70, 80, 87, 93, 99]


def test_a_tie_is_broken_as_the_model_breaks_it():
    scores = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    found = margin(scores, np.array([0, 1, 1]))
    assert found[0] == 0
    assert found[1] < 0
    assert found[2] == -1
