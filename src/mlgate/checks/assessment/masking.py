"""Whether attacks were misled: signs that a model hides its gradients and is not robust.

A model whose gradients are zero, rough or wrong looks robust to whoever follows them. The
signs are those of Athalye, Carlini and Wagner 2018 (arXiv:1802.00420) and Carlini et al.
2019 (arXiv:1902.06705), each measured on samples that the attacks left standing:

- ``zero_gradients``: share of samples whose gradient is exactly zero at every step of PGD.
- ``loss_not_raised``: share of samples whose loss no step of PGD raised above where it
  began, at random, though there was a gradient.
- ``slope_disagrees``: share of samples along whose gradient the model's scores do not move
  as the gradient says.
- ``unlimited_attack_fails``: share of samples that withstand even an attacker who may give
  every feature any value of its range.
- ``black_box_beats_white_box``: share of the samples which gradient attacks left standing
  that a search without gradients broke. Such an attacker knows less; it should not do
  better.

A sign is raised where the lower end of the share's interval exceeds the limit, so that a few
samples raise nothing: dead units, say, make narrow models flat at some samples.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.attacks import pgd
from mlgate.checks.assessment.attacks._search import targeted_ratio
from mlgate.checks.assessment.ball import around
from mlgate.checks.assessment.cascade import Cascade
from mlgate.checks.assessment.constraints import spread
from mlgate.checks.assessment.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.attack import Effort, Victim
    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.classifier import Classifier

SAMPLES = 32
_LIMITS = {
    "zero_gradients": 0.3,
    "loss_not_raised": 0.2,
    "slope_disagrees": 0.3,
    "unlimited_attack_fails": 0.2,
    "black_box_beats_white_box": 0.05,
}
_MEANINGS = {
    "zero_gradients": "the model gives no gradient at these samples, so attacks that follow it went nowhere",
    "loss_not_raised": "no step along the gradient did better than a random point",
    "slope_disagrees": "the scores do not move as the gradient says",
    "unlimited_attack_fails": "no model withstands changes without limit, so the attack does not work on it",
    "black_box_beats_white_box": "a search that sees less found more, so the gradients mislead",
}
# Share of epsilon over which a slope is measured, and share of the promised rise that is enough.
_STRIDE = 0.25
_ENOUGH = 0.25
_CONFIDENCE = 0.95


class Signal(Struct, frozen=True):
    """One sign of masked gradients.

    Attributes:
        signal: Its name.
        value: 0 to 1; what it is a share of stands in the module's docstring.
        limit: Honest models stay at or below.
        raised: True where the lower end of the share's interval is above the limit.
        n: Samples that it rests on.
        meaning: For a person.
    """

    signal: str
    value: float
    limit: float
    raised: bool
    n: int
    meaning: str


def signal(name: str, hits: int, n: int) -> Signal:
    """Judge the share of ``hits`` among ``n`` samples."""
    least = clopper_pearson(hits, n, _CONFIDENCE)[0] if n else 0.0
    return Signal(name, hits / max(n, 1), _LIMITS[name], least > _LIMITS[name], n, _MEANINGS[name])


def inspect(model: "Classifier", cascade: Cascade, chosen: "NDArray[np.int64]") -> tuple[Signal, ...]:
    """Look for signs of masked gradients where attacks followed gradients.

    Args:
        model: That was attacked.
        cascade: That attacked it.
        chosen: Positions of samples that it left standing: a few tell as much as all. With
            none, and without attacks that follow gradients, there are no signs.

    Raises:
        BudgetSpent: The budget ended first.
        Unassessable: The model fails.
    """
    if not cascade.white_box or not len(chosen):
        return ()
    samples = cascade.samples
    labels, effort = samples.labels[chosen], cascade.effort(chosen)
    attacked, broken = cascade.witnessed()
    found = [signal("black_box_beats_white_box", broken, attacked)]
    found += gradients(model, cascade.ball(chosen), labels, effort)
    if samples.features.free:
        whole = around(samples.x[chosen], 1.0, "linf", spread(samples.x, samples.features))
        found.append(unlimited(model, whole, labels, effort))
    return tuple(found)


def gradients(
    victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]", effort: "Effort"
) -> Iterator[Signal]:
    """Yield what the gradients at standing samples tell.

    Args:
        victim: The model.
        ball: Of the standing samples: n of them, at least 1.
        labels: [n] Right columns.
        effort: Seeds.
    """
    n = len(labels)
    attempt = pgd.run(victim, ball, labels, effort)
    for name in ("zero_gradients", "loss_not_raised"):
        yield signal(name, round(attempt.signals[name] * n), n)
    yield signal("slope_disagrees", *_disagreement(victim, ball, labels))


def unlimited(victim: "Victim", whole: "Ball", labels: "NDArray[np.int64]", effort: "Effort") -> Signal:
    """Return how many standing samples withstand PGD in the whole range of their features."""
    attempt = pgd.run(victim, whole, labels, effort)
    return signal("unlimited_attack_fails", int((~attempt.broken).sum()), len(labels))


def _disagreement(victim: "Victim", ball: "Ball", labels: "NDArray[np.int64]") -> tuple[int, int]:
    """Return how many samples' scores rise by less than the gradient promises, and of how many."""
    n = len(labels)
    scores = victim.predict(ball.x).copy()
    scores[np.arange(n), labels] = -np.inf
    objective = targeted_ratio(labels, scores.argmax(axis=1))
    _, before, slope = victim.gradient(ball.x, objective)
    moved = ball.project(ball.x + ball.step(slope, _STRIDE * ball.epsilon))
    promised = (slope * (moved.astype(np.float64) - ball.x)).reshape(n, -1).sum(axis=1)
    after, _ = objective(victim.predict(moved), slice(0, n))
    sloped = promised > 0
    short = (after - before < _ENOUGH * promised) & sloped
    return int(short.sum()), int(sloped.sum())
