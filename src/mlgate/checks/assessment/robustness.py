"""How well a model withstands an attacker, decided with a confidence.

The attacks run one after the other, each on the samples that the ones before left
standing, so the figure is the minimum over the attacks, sample by sample. A sample that
the model gets wrong unattacked counts as broken. An attack's claim counts only after
the changed sample was checked here: inside the ball, inside the data's range, and wrong
when the model is asked again.

Attacks that see scores only give an *upper bound* of the robust accuracy: a stronger
attacker may leave less. The report says so.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment import sequential
from mlgate.checks.assessment.attack import Ball, Effort
from mlgate.checks.assessment.classifier import BudgetSpent, Classifier, not_repeatable
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import modules
from mlgate.core.facts import Measurement
from mlgate.policy.assessment import Robustness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

_MOST_VALUES = 1 << 23


class Samples(Struct, frozen=True):
    """The data as an attack needs it.

    Attributes:
        x: [n, ...] In the model's shape and dtype.
        labels: [n] Right columns.
        ids: [n] Each sample's number in the file.
        limits: Smallest and largest value of a feature, in the same dtype, or None.
    """

    x: "Floats"
    labels: "NDArray[np.int64]"
    ids: "NDArray[np.int64]"
    limits: tuple[Any, Any] | None


def ball(x: "Floats", epsilon: float, limits: tuple[Any, Any] | None) -> Ball:
    """Return the Linf ball around samples, cut to the range.

    The edge is computed in float64 and rounded inwards to the samples' dtype, so that no
    number of that dtype between the bounds is outside.
    """
    center = x.astype(np.float64)
    most = np.finfo(x.dtype).max
    edges = []
    for sign in (-1, 1):
        exact = np.clip(center + sign * epsilon, -most, most)
        edge = exact.astype(x.dtype)
        edges.append(np.where(sign * (edge.astype(np.float64) - exact) > 0, np.nextafter(edge, x), edge))
    low, high = edges
    if limits is not None:
        low, high = np.maximum(low, limits[0]), np.minimum(high, limits[1])
    for bound in (low, high):
        bound.flags.writeable = False
    return Ball(x, low, high)


def attacks(wanted: tuple[str, ...], norm: str) -> tuple[Any, ...]:
    """Return the attacks of a policy, in its order.

    Raises:
        Unassessable: There is none of that name, or it cannot search that ball.
    """
    known: dict[str, Any] = {module.NAME: module for module in modules("mlgate.checks.assessment.attacks")}
    for name in wanted:
        if name not in known or norm not in known[name].NORMS:
            fitting = ", ".join(sorted(each for each in known if norm in known[each].NORMS))
            raise Unassessable(
                "unknown-attack",
                f"there is no attack {name!r} for the norm {norm}; there is {fitting}",
                "robustness.attacks",
            )
    return tuple(known[name] for name in wanted)


class Cascade:
    """The attacks, and a tally of what they did.

    Args:
        model: Under attack.
        samples: The data.
        settings: The policy's ``robustness``.

    Attributes:
        tally: By attack: samples attacked, broken and left standing, claims that did
            not hold, queries.
    """

    def __init__(self, model: Classifier, samples: Samples, settings: Robustness) -> None:
        self._model = model
        self._samples = samples
        self._settings = settings
        self._attacks = attacks(settings.attacks, settings.norm)
        self.tally: dict[str, dict[str, int]] = {
            attack.NAME: {"attacked": 0, "broken": 0, "survived": 0, "unconfirmed": 0, "queries": 0}
            for attack in self._attacks
        }
        self.black_box = all(attack.BLACK_BOX for attack in self._attacks)

    def survivors(self, chosen: "NDArray[np.int64]") -> int:
        """Attack the samples at these positions and count those that stand.

        Raises:
            BudgetSpent: The time is up; what was being attacked is not in the tally.
            Unassessable: The model fails.
        """
        right = self._model.clean[chosen].argmax(axis=1) == self._samples.labels[chosen]
        standing = chosen[right]
        size = max(1, _MOST_VALUES // max(1, self._samples.x[0].size))
        count = 0
        for start in range(0, len(standing), size):
            part = standing[start : start + size]
            for attack in self._attacks:
                if len(part):
                    part = self._survive(attack, part)
            count += len(part)
        return count

    def _survive(self, attack: Any, chosen: "NDArray[np.int64]") -> "NDArray[np.int64]":
        samples, settings = self._samples, self._settings
        labels = samples.labels[chosen]
        around = ball(samples.x[chosen], settings.epsilon, samples.limits)
        effort = Effort(settings.queries, settings.seed, samples.ids[chosen])
        attempt = attack.run(self._model.predict, around, labels, effort)
        broken = np.zeros(len(chosen), np.bool_)
        if attempt.broken.any():
            broken[attempt.broken] = self._confirmed(attempt.x, around, labels, attempt.broken)
        tally = self.tally[attack.NAME]
        tally["attacked"] += len(chosen)
        tally["broken"] += int(broken.sum())
        tally["survived"] += int((~broken).sum())
        tally["unconfirmed"] += int((attempt.broken & ~broken).sum())
        tally["queries"] += int(attempt.queries.sum())
        return chosen[~broken]

    def _confirmed(
        self, x: "Floats", around: Ball, labels: "NDArray[np.int64]", claimed: "NDArray[np.bool_]"
    ) -> "NDArray[np.bool_]":
        x = x[claimed]
        inside = ((x >= around.low[claimed]) & (x <= around.high[claimed])).all(axis=tuple(range(1, x.ndim)))
        scores = self._model.predict(x)
        fooled: NDArray[np.bool_] = scores.argmax(axis=1) != labels[claimed]
        # Either the attack errs, or the model turned random and would pass for a robust one.
        if (inside & ~fooled).any() and not np.array_equal(self._model.predict(x), scores):
            raise not_repeatable()
        return inside & fooled


def measure(
    name: str,
    model: Classifier,
    samples: Samples,
    settings: Robustness,
    *,
    detail: dict[str, Any],
    progress: Callable[[str], None],
) -> Measurement:
    """Measure the share of samples that no attack breaks, until the threshold is decided.

    Args:
        name: The assessment's.
        model: Under attack.
        samples: The data.
        settings: The policy's ``robustness``.
        detail: What else a second run needs.
        progress: Told what is being attacked.

    Raises:
        Unassessable: The model fails, or the policy names an unknown attack.
    """
    cascade = Cascade(model, samples, settings)
    total = len(samples.x)
    order = np.random.default_rng(settings.seed).permutation(total)
    started, passes = time.monotonic(), model.passes
    model.deadline = started + settings.budget_seconds

    def draw(start: int, stop: int) -> int | None:
        progress(f"{name}: attacking samples {start + 1} to {stop} of {total}")
        try:
            return cascade.survivors(order[start:stop])
        except BudgetSpent:
            return None

    try:
        answer = sequential.decide(total, settings.min_accuracy, settings.confidence, draw)
    finally:
        model.deadline = None
    last = answer.looks[-1] if answer.looks else None
    evidence = {
        "confidence": settings.confidence,
        "interval": "confidence sequence (Clopper-Pearson at geometric looks, error split over the looks)",
        "decided_by": "interval",
        "bound": "upper bound (black-box)" if cascade.black_box else "upper bound",
        "norm": settings.norm,
        "epsilon": settings.epsilon,
        "clipped_to": None if samples.limits is None else [float(limit) for limit in samples.limits],
        "seed": settings.seed,
        "queries_per_sample": settings.queries,
        "budget_seconds": settings.budget_seconds,
        "samples": total,
        "successes": last.successes if last else 0,
        "stop": answer.stop,
        "attacks": cascade.tally,
        "forward_passes": model.passes - passes,
        "looks": [_shown(look) for look in answer.looks],
        **detail,
    }
    return Measurement(
        name,
        "robust_accuracy",
        last.value if last else None,
        last.low if last else None,
        last.high if last else None,
        last.n if last else 0,
        settings.min_accuracy,
        answer.outcome,
        evidence,
        family="robustness",
    )


def _shown(look: sequential.Look) -> dict[str, Any]:
    return {"n": look.n, "value": look.value, "low": look.low, "high": look.high}


def undecided(figure: Measurement, settings: Robustness) -> str:
    """Say why a measurement is inconclusive and what would help."""
    if figure.value is None:
        return (
            f"robustness of {figure.assessment}: no look was finished within "
            f"{settings.budget_seconds:g} seconds; raise budget_seconds or lower queries"
        )
    interval = f"{figure.value:.3f}, interval {figure.low:.3f} to {figure.high:.3f} on {figure.n} samples"
    said = f"robustness of {figure.assessment}: {interval}, still holds the minimum {settings.min_accuracy:g}"
    if figure.detail["stop"] == "budget":
        return f"{said} when the budget of {settings.budget_seconds:g} seconds ended; raise budget_seconds"
    if settings.min_accuracy == 1:
        return f"{said}; no number of samples can show that nothing breaks a model: ask for less than 1"
    needed = sequential.samples_needed(figure.value, settings.min_accuracy, settings.confidence)
    if needed is None:
        return f"{said}; the figure is too close to the minimum for any amount of data to decide"
    return f"{said}; more data (about {needed} samples at this rate) would decide, or a minimum further away"
