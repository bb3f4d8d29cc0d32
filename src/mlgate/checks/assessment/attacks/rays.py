"""RayS: a search for the nearest error along rays, with the winning class alone.

Source: Chen and Gu, "RayS: a ray searching method for hard-label adversarial attack", KDD
2020, arXiv:2006.12792. A ray points to a corner: every feature up or down. The search
keeps the ray on which the model errs soonest. It tries the ray with one block of features
turned round, block after block, first halves of the sample, then quarters, and so on. One
query tells whether a ray beats the best one; only then is its distance found, by bisection.
A sample is done once an error lies within the ball.

In L2 a ray goes as far in every feature that can change, so that it is the sum of squares
that bounds it.
"""

import itertools
from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks._search import wrong
from mlgate.checks.assessment.ball import around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

NAME = "rays"
NORMS = ("linf", "l2")
NEEDS = "labels"
ORDER = 90

# The bisection of a distance ends at this share of epsilon.
_TOLERANCE = 0.02
_FURTHEST = 1 << 10


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    search = _Rays(victim, ball, labels, effort.queries)
    size = int(np.prod(ball.x.shape[1:]))
    search.first()
    blocks = 1
    while len(search.open()):
        blocks = min(blocks * 2, size)
        edges = np.linspace(0, size, blocks + 1).round().astype(np.int64)
        for start, stop in itertools.pairwise(edges):
            search.turn(slice(int(start), int(stop)))
            if not len(search.open()):
                break
    return Attempt(search.x, search.broken, search.queries)


class _Rays:
    """The best ray of each sample, and how far along it the model errs."""

    def __init__(self, victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", most: int) -> None:
        n, size = len(labels), int(np.prod(ball.x.shape[1:]))
        self._victim, self._ball, self._labels, self._most = victim, ball, labels, most
        # Rays leave the ball, never the features' ranges.
        self._wide = around(ball.x, ball.epsilon * _FURTHEST, "linf", ball.features)
        self._signs = np.ones((n, size))
        self._distance = np.full(n, np.inf)
        self.x = ball.x.copy()
        self.broken = np.zeros(n, np.bool_)
        self.queries = np.zeros(n, np.int64)

    def open(self) -> "NDArray[np.int64]":
        """Return the positions of the samples that stand and have queries left."""
        return np.flatnonzero(~self.broken & (self.queries < self._most))

    def first(self) -> None:
        """Find an error along the first rays, or else leave the distance infinite."""
        distance = self._ball.epsilon
        while distance <= self._ball.epsilon * _FURTHEST:
            at = self.open()
            at = at[np.isinf(self._distance[at])]
            fooled = self._ask(at, self._signs[at], np.full(len(at), distance))
            self._distance[at[fooled]] = distance
            distance *= 2
        self._shorten(np.flatnonzero(np.isfinite(self._distance)))

    def turn(self, block: slice) -> None:
        """Turn a block of every open sample's ray round, and keep what errs sooner."""
        at = self.open()
        signs = self._signs[at]
        signs[:, block] *= -1
        reach = np.minimum(self._distance[at], self._ball.epsilon * _FURTHEST)
        fooled = self._ask(at, signs, reach)
        better = at[fooled]
        self._signs[better], self._distance[better] = signs[fooled], reach[fooled]
        better = np.intersect1d(better, self.open())
        self._ask(better, self._signs[better], np.full(len(better), self._ball.epsilon))
        self._shorten(better)

    def _shorten(self, at: "NDArray[np.int64]") -> None:
        """Bisect the distances of samples that do not err at the ball's edge."""
        low = np.full(len(self.x), self._ball.epsilon)
        while True:
            at = np.intersect1d(at, self.open())
            at = at[self._distance[at] - low[at] > _TOLERANCE * self._ball.epsilon]
            if not len(at):
                return
            middle = (low[at] + self._distance[at]) / 2
            fooled = self._ask(at, self._signs[at], middle)
            self._distance[at[fooled]] = middle[fooled]
            low[at[~fooled]] = middle[~fooled]

    def _ask(self, at: "NDArray[np.int64]", signs: "Floats", distance: "Floats") -> "NDArray[np.bool_]":
        """Say which samples the model gets wrong so far along a ray; keep those inside the ball."""
        if not len(at):
            return np.zeros(0, np.bool_)
        ball, wide = self._ball.part(at), self._wide.part(at)
        step = signs.reshape(ball.x.shape) * ball.unit
        free = ball.movable.reshape(signs.shape).sum(axis=1)
        reach = distance if ball.norm == "linf" else distance / np.sqrt(np.maximum(free, 1))
        x = wide.project(ball.x + step * reach.reshape(-1, *[1] * (step.ndim - 1)))
        within = distance <= ball.epsilon
        x[within] = ball.part(within).project(x[within])
        fooled = wrong(self._victim.predict(x), self._labels[at])
        self.queries[at] += 1
        inside = fooled & ball.holds(x)
        self.broken[at[inside]] = True
        self.x[at[inside]] = x[inside]
        return fooled
