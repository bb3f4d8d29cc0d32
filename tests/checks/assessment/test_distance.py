"""In the L2 ball: distances are those of the nearest points, and the priced bound holds."""

import numpy as np
import pytest
from tests.checks.assessment.ensembles import forest

from mlgate.checks.assessment.ball import around
from mlgate.checks.assessment.cells import puzzles
from mlgate.checks.assessment.distance import Distance
from mlgate.checks.assessment.margins import margin

RADIUS = 0.4


def made(seed, features=4, trees=12):
    rng = np.random.default_rng(seed)
    ensemble = forest(rng, trees=trees, depth=4, features=features)
    x = rng.random((1, features)).astype(np.float32)
    ball = around(x, RADIUS, "l2")
    (cells,) = puzzles(ensemble, ball)
    held = margin(ensemble, cells, 0, 1)
    return ensemble, ball, cells, held, Distance(cells, held, RADIUS), rng


@pytest.mark.parametrize("seed", range(10))
def test_the_priced_bound_is_below_every_point_and_above_the_plain_one(seed):
    features = 4 if seed % 2 else 20
    trees, ball, _, held, distance, rng = made(seed, features, 3 * features)
    step = rng.normal(size=(4000, features))
    step *= RADIUS * rng.random((4000, 1)) ** (1 / features) / np.linalg.norm(step, axis=1, keepdims=True)
    raw = trees.raw((ball.x + step).astype(np.float32))
    alive = (distance.leaves <= distance.most)[None]
    bound = distance.least(alive)[0]
    assert bound <= (raw[:, 0] - raw[:, 1]).min() + 1e-9
    assert bound >= held.least(alive)[0]


@pytest.mark.parametrize("seed", range(3))
def test_among_many_features_the_price_is_worth_it(seed):
    *_, held, distance, _ = made(seed, 30, 100)
    alive = (distance.leaves <= distance.most)[None]
    assert distance.least(alive)[0] > held.least(alive)[0] + 1


@pytest.mark.parametrize("seed", range(5))
def test_one_feature_s_parts_add_up_to_a_leaf_s_distance(seed):
    *_, cells, _, distance, _ = made(seed)
    low, high = np.zeros((1, len(cells.active)), np.int64), (cells.count - 1)[None]
    parts = [distance.alone(np.array([feature]), low, high)[0] for feature in range(len(cells.active))]
    np.testing.assert_allclose(np.sum(parts, axis=0), distance.leaves)


def test_a_box_is_within_reach_where_its_nearest_point_is():
    _, ball, cells, _, distance, rng = made(0)
    seen = set()
    for _ in range(200):
        chosen = rng.integers(cells.count)[None]
        step = cells.sample(ball.x[0], chosen[0]).astype(float) - ball.x[0]
        inside = bool(np.linalg.norm(step) <= RADIUS)
        assert distance.within(chosen, chosen)[0] == inside
        seen.add(inside)
    assert seen == {True, False}
