"""What gradient attacks share: losses, where they begin, and which samples still stand.

Losses grow as the model errs. Their derivatives are by the model's scores; the rest of
the way back to the samples is the model's own.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attacks._random import Stream, normals, uniforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Objective
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

_TINY = 1e-12


def cross_entropy(labels: "NDArray[np.int64]") -> "Objective":
    """Return the cross-entropy of the softmax of scores, against labels [n]."""

    def objective(scores: "Floats", rows: "slice | NDArray[np.int64]") -> "tuple[Floats, Floats]":
        own = (np.arange(len(scores)), labels[rows])
        others = scores.copy()
        others[own] = -np.inf
        most = others.max(axis=1, keepdims=True)
        slope = np.exp(others - most)
        total = slope.sum(axis=1, keepdims=True)
        # What the others weigh against the label: exact even where it is next to nothing.
        odds = (most + np.log(total))[:, 0] - scores[own]
        loss: Floats = np.logaddexp(0.0, odds)
        slope *= np.exp(odds - loss)[:, None] / total
        slope[own] = -np.exp(odds - loss)
        return loss, slope

    return objective


def targeted_ratio(labels: "NDArray[np.int64]", targets: "NDArray[np.int64]") -> "Objective":
    """Return the targeted difference of logits ratio, for labels and targets [n].

    Source: Croce and Hein 2020, arXiv:2003.01690, equation 7. It does not change where
    scores are scaled. With three classes the ratio is by the largest less the smallest
    score; with two, where every ratio is constant, it is the difference itself.
    """

    def objective(scores: "Floats", rows: "slice | NDArray[np.int64]") -> "tuple[Floats, Floats]":
        at = np.arange(len(scores))
        own, other = labels[rows], targets[rows]
        gap = scores[at, other] - scores[at, own]
        slope = np.zeros_like(scores)
        slope[at, other] += 1
        slope[at, own] -= 1
        if scores.shape[1] == 2:
            return gap, slope
        order = scores.argsort(axis=1)
        below = order[:, -4:-2] if scores.shape[1] > 3 else order[:, :1]
        lowest = scores[at[:, None], below].mean(axis=1)
        width = scores[at, order[:, -1]] - lowest + _TINY
        loss: Floats = gap / width
        slope[at, order[:, -1]] -= loss
        for column in below.T:
            slope[at, column] += loss / below.shape[1]
        return loss, slope / width[:, None]

    return objective


def beginning(ball: "Ball", stream: Stream, samples: "NDArray[np.int64]", step: int) -> "Floats":
    """Return a random point [n, ...] of each sample's relaxed ball to begin at.

    Linf: uniform, stretched until one feature is at the end of the ball. L2: a uniform
    direction, as far as the ball goes. So do the authors of APGD.

    Args:
        ball: Of the samples at these positions alone.
        stream: Of random numbers.
        samples: [n] Positions of the samples in the stream.
        step: Number of the draw.
    """
    size = int(np.prod(ball.x.shape[1:]))
    words = stream.bits(samples, step, size)
    if ball.norm == "linf":
        drawn = 2 * uniforms(words) - 1
        drawn /= np.maximum(np.abs(drawn).max(axis=1, keepdims=True), _TINY)
        center = ball.x.reshape(len(samples), size).astype(np.float64)
        ends = np.where(drawn > 0, ball.high.reshape(center.shape), ball.low.reshape(center.shape))
        return ball.relaxed.project((center + np.abs(drawn) * (ends - center)).reshape(ball.x.shape))
    direction = normals(words).reshape(ball.x.shape)
    return ball.relaxed.project(ball.x + ball.step(direction, ball.epsilon))


def wrong(scores: "Floats", labels: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Say where the top score is not the label's: [n]."""
    found: NDArray[np.bool_] = scores.argmax(axis=1) != labels
    return found


def margin(scores: "Floats", labels: "NDArray[np.int64]") -> "Floats":
    """Label's score minus the best other score: [n], negative where the model is wrong.

    A tie is broken as ``argmax`` breaks it, towards the first column, so zero counts as
    wrong only where an earlier column holds the other score.
    """
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, labels] = -np.inf
    gap: Floats = scores[rows, labels] - others.max(axis=1)
    lost_tie = (gap == 0) & (scores.argmax(axis=1) != labels)
    return np.where(lost_tie, -np.finfo(gap.dtype).tiny, gap)
