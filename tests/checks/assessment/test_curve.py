"""Each epsilon asks only about what its neighbours leave open."""

import numpy as np

from mlgate.checks.assessment.curve import Point, follow

# Each sample's own radius: attacks below it fail.
RADIUS = np.array([0.05, 0.1, 0.15, 0.25, 0.35, 0.6])


def run(epsilons, known):
    asked = []

    def attacks(epsilon, chosen):
        asked.append((epsilon, chosen.tolist()))
        return chosen[RADIUS[chosen] >= epsilon]

    stands = known <= RADIUS
    points = list(follow(epsilons, known, np.flatnonzero(stands), np.flatnonzero(~stands), attacks))
    return points, asked


def test_the_figures_are_those_of_attacks_on_everyone():
    points, _ = run((0.5, 0.1, 0.3, 0.02, 0.2), 0.2)
    assert {(point.epsilon, point.successes) for point in points} == {
        (epsilon, int((epsilon <= RADIUS).sum())) for epsilon in (0.02, 0.1, 0.3, 0.5)
    }


def test_nothing_is_attacked_that_is_known():
    _, asked = run((0.5, 0.1, 0.3, 0.02), 0.2)
    assert asked == [(0.3, [3, 4, 5]), (0.5, [4, 5]), (0.1, [0, 1, 2]), (0.02, [0])]


def test_nothing_is_attacked_where_nothing_is_open():
    points, asked = run((0.9, 0.95), 0.7)
    assert points == [Point(0.9, 0), Point(0.95, 0)]
    assert asked == []
