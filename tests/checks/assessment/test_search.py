"""The search says what trying every point says, in every kind of ball and for every kind of feature."""

import numpy as np
import pytest
from tests.checks.assessment.ensembles import brute_force, forest

from mlgate.checks.assessment.ball import Features, around
from mlgate.checks.assessment.cells import puzzles
from mlgate.checks.assessment.margins import bounds, margin
from mlgate.checks.assessment.search import search

GRID = np.arange(-8, 9) / 4


def verified(trees, ball, labels, most=10_000):
    """What the searches of all rivals say together, and that each witness is one."""
    states = []
    radius = ball.epsilon if ball.norm == "l2" else None
    for row, cells in enumerate(puzzles(trees, ball)):
        label, state = labels[row], "proven"
        for rival in range(len(trees.base)):
            if rival == label:
                continue
            found = search(cells, margin(trees, cells, label, rival), radius, most, lambda: None)
            if found.state == "witness":
                x = cells.sample(ball.x[row].reshape(-1), found.chosen)[None]
                assert ball.part(np.array([row])).holds(x).all()
                assert trees.raw(x)[0, rival] > trees.raw(x)[0, label]
                state = "witness"
                break
            state = found.state if found.state != "proven" else state
        states.append(state)
    return np.array(states)


def features(kind, rng, count, dtype):
    """What is known about features, and samples that fit it."""
    x = rng.uniform(-1.5, 1.5, (12, count)).astype(dtype)
    flag = rng.random(count) < 0.5
    known = {
        "free": Features(),
        "ranged": Features(low=np.full(count, -1.5, dtype), high=np.full(count, 1.5, dtype)),
        "fixed": Features(fixed=flag),
        "rising": Features(rising=flag),
        "falling": Features(falling=flag),
        "integer": Features(integer=flag),
        "scaled": Features(scale=rng.choice([0.0, 0.5, 1.0, 2.0], count)),
        "all": Features(
            low=np.full(count, -1.5, dtype), high=np.full(count, 1.5, dtype), fixed=np.arange(count) == 0,
            rising=np.arange(count) == 1, integer=np.arange(count) == 2,
        ),
    }[kind]  # fmt: skip
    if known.integer is not None:
        # Some samples are whole, and some are not, as data is.
        x[::2] = np.where(known.integer, np.round(x[::2]), x[::2])
    return known, x


KINDS = ["free", "ranged", "fixed", "rising", "falling", "integer", "scaled", "all"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("shared", [False, True])
def test_it_agrees_with_trying_every_point(kind, norm, shared):
    seen = set()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        dtype = np.float64 if seed % 2 else np.float32
        trees = forest(
            rng, dtype=dtype, columns=2 + seed % 3, shared=shared, inclusive=bool(seed % 2),
            grid=GRID if seed % 3 else None,
        )  # fmt: skip
        known, x = features(kind, rng, 3, dtype)
        labels = trees.raw(x).argmax(axis=1)
        ball = around(x, rng.choice([0.1, 0.4, 1.0]), norm, known)
        states = verified(trees, ball, labels)
        assert "unknown" not in states
        np.testing.assert_array_equal(states == "witness", brute_force(trees, ball, labels))
        seen |= set(states)
    assert seen == {"proven", "witness"}


def test_thresholds_that_whole_numbers_do_not_tell_apart_are_one():
    rng = np.random.default_rng(3)
    trees = forest(rng, trees=6, depth=4, grid=np.arange(-20, 21) / 8)
    known = Features(integer=np.ones(3, bool))
    x = np.zeros((1, 3), np.float32)
    (cells,) = puzzles(trees, around(x, 2.0, "linf", known))
    # At most the five numbers from -2 to 2 in each feature, where the thresholds alone make 32 cells.
    assert (cells.count <= 5).all()
    assert (cells.value == np.round(cells.value)).all()


def test_what_is_missing_stays_missing():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        trees = forest(rng)
        x = rng.uniform(0, 1, (6, 3)).astype(np.float32)
        x[:, seed % 3] = np.nan
        labels = trees.raw(x).argmax(axis=1)
        ball = around(x, 0.5)
        expected = []
        for row in range(len(x)):
            free = [feature for feature in range(3) if feature != seed % 3]
            steps = np.linspace(-0.5, 0.5, 101)
            points = np.repeat(x[row][None], 101**2, axis=0)
            points[:, free] = np.array(np.meshgrid(steps, steps)).reshape(2, -1).T + x[row, free]
            expected.append((trees.raw(points).argmax(axis=1) != labels[row]).any())
        states = []
        for row, cells in enumerate(puzzles(trees, ball)):
            found = search(
                cells, margin(trees, cells, labels[row], 1 - labels[row]), None, 10_000, lambda: None
            )
            states.append(found.state == "witness")
        # The fine grid may miss a sliver; what it finds is there.
        assert not (np.array(expected) & ~np.array(states)).any()
        assert np.mean(np.array(expected) == np.array(states)) > 0.8


def test_a_bound_is_never_above_the_smallest_margin():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        shared = bool(seed % 2)
        trees = forest(rng, columns=3, shared=shared)
        x = rng.uniform(-1, 1, (4, 3)).astype(np.float32)
        ball = around(x, 0.5)
        near = np.clip(
            x[:, None] + rng.uniform(-0.5, 0.5, (4, 500, 3)), ball.low[:, None], ball.high[:, None]
        )
        for row, cells in enumerate(puzzles(trees, ball)):
            raw = trees.raw(near[row].astype(np.float32))
            lowest = (raw[:, :1] - raw).min(axis=0)
            assert (bounds(trees, cells, 0) <= lowest + 1e-9).all()


def test_a_search_that_is_cut_short_knows_nothing():
    rng = np.random.default_rng(0)
    trees = forest(rng, trees=40, depth=5, features=6)
    x = rng.uniform(0, 1, (20, 6)).astype(np.float32)
    labels = trees.raw(x).argmax(axis=1)
    ball = around(x, 0.1)
    whole, short = verified(trees, ball, labels), verified(trees, ball, labels, most=0)
    assert set(short) <= {"proven", "unknown", "witness"}
    assert "unknown" in short
    np.testing.assert_array_equal(short[short != "unknown"], whole[short != "unknown"])


def test_the_time_is_asked_for():
    class Late(Exception):
        pass

    def late():
        raise Late

    rng = np.random.default_rng(0)
    trees = forest(rng, trees=40, depth=5, features=6)
    x = rng.uniform(0, 1, (1, 6)).astype(np.float32)
    (cells,) = puzzles(trees, around(x, 0.5))
    with pytest.raises(Late):
        search(cells, margin(trees, cells, 0, 1), None, 10_000, late)


def test_a_margin_that_rounding_could_turn_is_neither_proven_nor_a_witness():
    trees = forest(np.random.default_rng(0), trees=2, depth=1)
    value = np.zeros_like(trees.value)
    level = type(trees)(**{**{name: getattr(trees, name) for name in trees.__struct_fields__}, "value": value,
                           "base": np.zeros(2)})  # fmt: skip
    (cells,) = puzzles(level, around(np.full((1, 3), 0.5, np.float32), 1.0))
    found = search(cells, margin(level, cells, 0, 1), None, 10_000, lambda: None)
    assert found.state != "proven"
