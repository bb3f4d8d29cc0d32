"""A puzzle says of every point what the ensemble does there, and its points are allowed."""

import numpy as np
import pytest
from tests.checks.assessment.ensembles import forest

from mlgate.checks.assessment import cells as module
from mlgate.checks.assessment.ball import Features, around
from mlgate.checks.assessment.cells import puzzles

GRID = np.arange(-8, 9) / 4


def made(seed, norm="linf", **known):
    rng = np.random.default_rng(seed)
    trees = forest(rng, trees=6, depth=4, grid=GRID if seed % 2 else None)
    x = np.round(rng.uniform(-1, 1, (5, 3)) * 4).astype(np.float32) / 4
    return trees, around(x, 0.9, norm, Features(**known)), rng


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("integer", [False, True])
def test_a_point_reaches_the_leaves_whose_ranges_hold_it(seed, integer):
    known = {"integer": np.array([True, False, True])} if integer else {}
    trees, ball, rng = made(seed, **known)
    for row, cells in enumerate(puzzles(trees, ball)):
        for _ in range(20):
            chosen = rng.integers(cells.count)
            x = cells.sample(ball.x[row], chosen)[None]
            assert ball.part(np.array([row])).holds(x).all()
            held = ((cells.low <= chosen) & (chosen <= cells.high)).all(axis=1)
            np.testing.assert_array_equal(cells.leaves[held], trees.leaves(x)[0])


@pytest.mark.parametrize("seed", range(8))
def test_the_sample_is_in_the_middle(seed):
    trees, ball, _ = made(seed)
    for row, cells in enumerate(puzzles(trees, ball)):
        np.testing.assert_array_equal(cells.sample(ball.x[row], cells.center), ball.x[row])
        assert (cells.cost[cells.offset + cells.center] == 0).all()
        assert ((cells.center >= 0) & (cells.center < cells.count)).all()


def test_costs_are_counted_in_the_unit_of_epsilon():
    trees, ball, _ = made(3)
    plain = list(puzzles(trees, ball))
    scaled = list(puzzles(trees, around(ball.x, 0.45, "linf", Features(scale=np.full(3, 2.0)))))
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(one.cost, 4 * other.cost)


def test_a_box_without_a_threshold_is_one_cell():
    trees, ball, _ = made(0)
    (cells,) = puzzles(trees, around(ball.x[:1], 1e-9))
    assert len(cells.active) == 0
    assert len(cells.leaves) == len(trees.roots)


def test_a_puzzle_that_would_not_fit_is_none(monkeypatch):
    trees, ball, _ = made(1)
    monkeypatch.setattr(module, "_MOST_RANGES", 1)
    assert None in list(puzzles(trees, ball))


def test_many_samples_are_taken_in_parts(monkeypatch):
    trees, ball, _ = made(1)
    whole = [cells.leaves.tolist() for cells in puzzles(trees, ball)]
    monkeypatch.setattr(module, "_MOST_REACH", 1)
    assert [cells.leaves.tolist() for cells in puzzles(trees, ball)] == whole
