"""How well a model withstands an attacker, decided with a confidence.

Attacks give an *upper bound* of the robust accuracy: a stronger attacker may leave less.
Where they see scores only, the report says so.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from mlgate.checks.assessment import sequential
from mlgate.checks.assessment.ball import Features
from mlgate.checks.assessment.cascade import Cascade, Samples
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.predictor import BudgetSpent
from mlgate.core.facts import Measurement
from mlgate.policy.assessment import Robustness

ORDER = 90
TASKS = ("classification",)
INPUTS = ("numbers",)
ALWAYS = False


def measure(subject: Subject, settings: Robustness) -> Iterator[Figure]:
    """Attack until the threshold is decided; see :class:`mlgate.checks.assessment.measure.Measure`."""
    with ExitStack() as stack:
        detail = dict(subject.detail)
        model: Any = subject.model
        if subject.twin is not None and model.guide is None:
            detail["gradients"] = stack.enter_context(subject.twin())
        if model.trees is None and model.worker.signature.offers:
            detail["trees"] = model.open()
        figure = attacked(subject, model, settings, detail)
    gap = None
    if figure.outcome == "inconclusive":
        gap = ("inconclusive", undecided(figure, settings, _confidence(subject, settings)))
    yield Figure(figure, "robustness.min_accuracy", gap)
    if "certificate" in figure.detail:
        yield Figure(certified(figure), "robustness.min_accuracy")


def certified(figure: Measurement) -> Measurement:
    """Return the lower bound beside an upper bound: the share of samples that are proven to stand."""
    held = figure.detail["certificate"]
    return replace(
        figure,
        name="certified_accuracy",
        value=held["value"],
        low=held["low"],
        high=held["high"],
        outcome="info",
        detail={**figure.detail, "bound": held["bound"], "successes": held["proven"]},
    )


def attacked(
    subject: Subject, model: Classifier, settings: Robustness, detail: dict[str, Any]
) -> Measurement:
    """Measure the share of samples that no attack breaks, until the threshold is decided.

    Args:
        subject: What is measured.
        model: Under attack.
        settings: The policy's ``robustness``.
        detail: What else a second run needs.

    Raises:
        Unassessable: The model fails, or the policy names an attack that does not suit it.
    """
    confidence = _confidence(subject, settings)
    seed = settings.seed if isinstance(settings.seed, int) else subject.entry.seed
    samples = Samples(subject.x, subject.labels, subject.dataset.ids, _features(subject))
    cascade = Cascade(model, samples, settings, seed)
    total = len(samples.x)
    order = np.random.default_rng(seed).permutation(total)
    started, passes = time.monotonic(), model.passes
    model.deadline = started + settings.budget_seconds
    model.most_passes = None if settings.budget_queries is UNSET else passes + int(settings.budget_queries)

    def draw(start: int, stop: int) -> int | sequential.Count | None:
        subject.progress(f"{subject.name}: attacking samples {start + 1} to {stop} of {total}")
        try:
            before = cascade.proven
            standing = cascade.survivors(order[start:stop])
            return sequential.Count(standing, cascade.proven - before) if cascade.proves else standing
        except BudgetSpent:
            return None

    try:
        answer = sequential.decide(total, settings.min_accuracy, confidence, draw)
    finally:
        model.deadline = model.most_passes = None
    model.repeat()  # a model that changed its answers meanwhile has no figure
    last = answer.looks[-1] if answer.looks else None
    limits = subject.entry.data.range
    evidence = {
        "confidence": confidence,
        "interval": "confidence sequence (Clopper-Pearson at geometric looks, error split over the looks)",
        "decided_by": "interval",
        "bound": _bound(cascade, last),
        "norm": settings.norm,
        "epsilon": settings.epsilon,
        "scale": settings.scale,
        "clipped_to": list(limits) if isinstance(limits, tuple) else None,
        "seed": seed,
        "queries_per_sample": settings.queries,
        "budget_seconds": settings.budget_seconds,
        "samples": total,
        "successes": last.successes if last else 0,
        "stop": answer.stop,
        "attacks": cascade.tally,
        "forward_passes": model.passes - passes,
        "looks": [_shown(look) for look in answer.looks],
        **detail,
        **_certificate(cascade, last),
    }
    blank = Measurement(
        subject.name, "robust_accuracy", None, None, None, 0, settings.min_accuracy, answer.outcome
    )
    figure = replace(blank, detail=evidence, family="robustness", part="")
    return (
        figure if last is None else replace(figure, value=last.value, low=last.low, high=last.high, n=last.n)
    )


def _confidence(subject: Subject, settings: Robustness) -> float:
    return settings.confidence if isinstance(settings.confidence, float) else subject.entry.confidence


def _features(subject: Subject) -> Features:
    limits = subject.entry.data.range
    if not isinstance(limits, tuple):
        return Features()
    low, high = (np.full(subject.x.shape[1:], limit, subject.x.dtype) for limit in limits)
    return Features(low=low, high=high)


def _bound(cascade: Cascade, last: sequential.Look | None) -> str:
    if not cascade.proves:
        return "upper bound (black-box)" if cascade.black_box else "upper bound"
    unknown = 0 if last is None else last.successes - last.proven
    return f"upper bound ({unknown} samples neither proven nor broken)" if unknown else "exact (verified)"


def _certificate(cascade: Cascade, last: sequential.Look | None) -> dict[str, Any]:
    if not cascade.proves or last is None:
        return {}
    exact = last.proven == last.successes
    return {
        "certificate": {
            "value": last.proven / last.n,
            "low": last.low,
            # The samples that are neither proven nor broken say nothing of what is proven of others.
            "high": last.high if exact else None,
            "proven": last.proven,
            "unknown": last.successes - last.proven,
            "bound": "exact (verified)" if exact else "lower bound (certificate)",
        }
    }


def _shown(look: sequential.Look) -> dict[str, Any]:
    return {"n": look.n, "value": look.value, "low": look.low, "high": look.high}


def undecided(figure: Measurement, settings: Robustness, confidence: float) -> str:
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
    needed = sequential.samples_needed(figure.value, settings.min_accuracy, confidence)
    if needed is None:
        return f"{said}; the figure is too close to the minimum for any amount of data to decide"
    return f"{said}; more data (about {needed} samples at this rate) would decide, or a minimum further away"
