"""Verification: each sample broken by a real witness or proven, where black-box attacks flatter."""

import numpy as np
import pytest
from tests.checks.assessment.ensembles import brute_force, forest

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.attacks import square, verification
from mlgate.checks.assessment.ball import Features, around
from mlgate.checks.assessment.structure import read


class Victim:
    """An ensemble that answers for itself, and counts how often it is asked for the time."""

    def __init__(self, trees):
        self.trees = trees
        self.asked = 0

    def predict(self, x):
        return self.trees.raw(x.reshape(len(x), -1))

    def on_time(self):
        self.asked += 1


def run(trees, x, epsilon, norm="linf", known=Features(), victim=None):  # noqa: B008
    labels = trees.raw(x.reshape(len(x), -1)).argmax(axis=1)
    ball = around(x, epsilon, norm, known)
    victim = victim or Victim(trees)
    return verification.run(victim, ball, labels, Effort(100, 0, np.arange(len(x)))), ball, labels


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("shared", [False, True])
def test_every_sample_is_broken_or_proven(norm, shared):
    rng = np.random.default_rng(0)
    trees = forest(rng, trees=6, columns=3, shared=shared)
    x = rng.random((40, 3)).astype(np.float32)
    attempt, ball, labels = run(trees, x, 0.15, norm)
    assert (attempt.broken ^ attempt.proven).all()
    assert attempt.broken.any()
    assert attempt.proven.any()
    assert ball.holds(attempt.x).all()
    assert (trees.raw(attempt.x).argmax(axis=1) != labels)[attempt.broken].all()
    np.testing.assert_array_equal(attempt.x[attempt.proven], x[attempt.proven])
    np.testing.assert_array_equal(attempt.broken, brute_force(trees, ball, labels))
    assert not attempt.queries.any()


def test_samples_of_any_shape():
    rng = np.random.default_rng(0)
    trees = forest(rng, trees=6, features=4)
    x = rng.random((20, 2, 2)).astype(np.float32)
    attempt, ball, labels = run(trees, x, 0.2)
    assert attempt.x.shape == x.shape
    assert ball.holds(attempt.x).all()
    assert (trees.raw(attempt.x.reshape(20, -1)).argmax(axis=1) != labels)[attempt.broken].all()


def test_a_witness_leaves_what_is_missing_missing():
    rng = np.random.default_rng(5)
    trees = forest(rng, trees=8)
    x = rng.random((30, 3)).astype(np.float32)
    x[:, 1] = np.nan
    attempt, ball, _ = run(trees, x, 0.3)
    assert attempt.broken.any()
    assert np.isnan(attempt.x[:, 1]).all()
    assert ball.holds(attempt.x).all()


def test_a_search_cut_short_is_neither_broken_nor_proven(monkeypatch):
    rng = np.random.default_rng(0)
    trees = forest(rng, trees=60, depth=5, features=6)
    x = rng.random((30, 6)).astype(np.float32)
    whole, _, _ = run(trees, x, 0.08)
    monkeypatch.setattr(verification, "MOST_BOXES", 0)
    short, _, _ = run(trees, x, 0.08)
    assert (~short.broken & ~short.proven).any()
    assert not (short.proven & ~whole.proven).any()
    assert not (short.broken & ~whole.broken).any()


def test_a_model_without_trees_proves_nothing():
    trees = forest(np.random.default_rng(0))
    victim = Victim(trees)
    victim.trees = None
    attempt, _, _ = run(trees, np.zeros((3, 3), np.float32), 0.1, victim=victim)
    assert not attempt.broken.any()
    assert not attempt.proven.any()


def test_the_time_is_asked_for_at_every_sample():
    trees = forest(np.random.default_rng(0))
    victim = Victim(trees)
    run(trees, np.zeros((7, 3), np.float32), 0.1, victim=victim)
    assert victim.asked >= 7


def needle(features=12):
    """The second class wins in one cell as wide as a hundredth in every feature, off every corner of a ball."""
    depth = 2 * features
    nodes = 2 * depth + 1
    feature, threshold = np.full(nodes, -1), np.zeros(nodes)
    left, right = np.full(nodes, -1), np.full(nodes, -1)
    value = np.full((nodes, 1), -1.0)
    # A chain: each inner node has a leaf on its wrong side.
    for step in range(depth):
        inner, edge = 2 * step, step % 2
        feature[inner] = step // 2
        threshold[inner] = 0.53 if edge == 0 else 0.54
        wrong, onwards = inner + 1, inner + 2
        left[inner], right[inner] = (wrong, onwards) if edge == 0 else (onwards, wrong)
    value[-1] = 1.0
    return read(
        {
            "roots": np.array([0]), "feature": feature, "threshold": threshold, "left": left, "right": right,
            "missing": np.zeros(nodes, bool), "value": value, "column": np.array([1]), "base": np.zeros(2),
            "inclusive": np.array([False]), "single": np.array([False]), "link": np.array(["softmax"], dtype=object),
        },
        features, 2, np.dtype(np.float32),
    )  # fmt: skip


def test_where_a_black_box_attack_flatters_verification_finds_the_needle():
    trees = needle()
    x = np.full((5, 12), 0.5, np.float32)
    ball = around(x, 0.1)
    labels = np.zeros(5, int)
    flattering = square.run(Victim(trees), ball, labels, Effort(1000, 0, np.arange(5)))
    assert not flattering.broken.any()
    attempt, _, _ = run(trees, x, 0.1)
    assert attempt.broken.all()
    proof, _, _ = run(trees, x, 0.02)
    assert proof.proven.all()
