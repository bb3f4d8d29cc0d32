"""Uniform points of the ball: a blind search, with the winning class alone.

Square and RayS go to corners and along rays. Where few features decide and a model's answers
are patchy, as those of nearest neighbours and of forests are, errors also lie in between:
there a blind search finds more. Carlini et al. 2019, arXiv:1902.06705, section 5.3, ask for
one beside every attack that is led. On a sample that stands it spends half of the queries.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attack import Attempt, Effort
from mlgate.checks.assessment.attacks._random import Stream, normals, uniforms
from mlgate.checks.assessment.attacks._search import wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

NAME = "uniform"
NORMS = ("linf", "l2")
NEEDS = "labels"
ORDER = 85

# Which draws of a sample's random numbers are this attack's.
_DRAW = 1 << 32
# The rest is better spent by attacks that learn from the answers.
_SHARE = 2


def run(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
    """Search the ball; see :class:`mlgate.checks.assessment.attack.Attack`."""
    stream, n = Stream(effort.seed, effort.ids), len(labels)
    found, broken, queries = ball.x.copy(), np.zeros(n, np.bool_), np.zeros(n, np.int64)
    for step in range(-(-effort.queries // _SHARE)):
        alive = np.flatnonzero(~broken)
        if not len(alive):
            break
        x = point(ball.part(alive), stream, alive, step)
        fooled = wrong(victim.predict(x), labels[alive])
        queries[alive] += 1
        broken[alive[fooled]] = True
        found[alive[fooled]] = x[fooled]
    return Attempt(found, broken, queries)


def point(ball: "Ball", stream: Stream, samples: "NDArray[np.int64]", step: int) -> "Floats":
    """Return a random point [n, ...] of each sample's ball.

    In Linf every feature is uniform between its bounds; L2 has a uniform direction and, before
    the bounds cut it, uniform volume. Whole numbers are rounded.

    Args:
        ball: Of the samples at these positions alone.
        stream: Of random numbers.
        samples: [n] Positions of the samples in the stream.
        step: Number of the draw.
    """
    size = int(np.prod(ball.x.shape[1:]))
    words = stream.bits(samples, _DRAW + step, size + 1)
    if ball.norm == "linf":
        share = uniforms(words[:, :size]).reshape(ball.x.shape)
        low = ball.low.astype(np.float64)
        return ball.project(low + share * (ball.high.astype(np.float64) - low))
    free = ball.movable.reshape(len(samples), size).sum(axis=1)
    length = ball.epsilon * uniforms(words[:, size]) ** (1 / np.maximum(free, 1))
    direction = normals(words[:, :size]).reshape(ball.x.shape)
    return ball.project(ball.x.astype(np.float64) + ball.step(direction, length))
