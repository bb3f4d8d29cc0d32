"""From a metric and answers to a figure with an interval, a bound and an outcome."""

import math
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct

from mlgate.checks.assessment import bootstrap
from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import module
from mlgate.core.facts import Measurement
from mlgate.policy.assessment import Bound

_METRICS = "mlgate.checks.assessment.metrics"
# A figure so close to its bound is on it: 0.95 - 0.94 is not above 0.01, whatever floats say.
_ROUNDING = 1e-9


class Estimate(Struct, frozen=True):
    """A value, its interval and what it rests on.

    Attributes:
        value: The point estimate.
        low: Lower end of the interval, or None.
        high: Upper end, or None.
        n: Samples.
        detail: Method and counts, for the report.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    detail: Mapping[str, Any] = {}


def metric(name: str, task: str, key: str, bound: Bound | None = None) -> Any:
    """Return a metric that suits the task and the side from which it is bounded.

    Raises:
        Unassessable: It is no metric of this task, or bounded from its good side.
    """
    found: Any = module(_METRICS, name)
    if task not in found.TASKS:
        raise Unassessable("wrong-task", f"{name} is no metric of a {task}", key)
    bounded_well(found, name, key, bound)
    return found


def bounded_well(found: Any, name: str, key: str, bound: Bound | None) -> None:
    """See to it that a bound keeps bad figures out, not good ones.

    Raises:
        Unassessable: It is on the wrong side.
    """
    good = "min" if found.BETTER == "higher" else "max"
    if bound is not None and getattr(bound, good) is UNSET:
        raise Unassessable(
            "wrong-bound", f"{name} is better the {found.BETTER} it is; bound it by `{good}`", key
        )


def estimate(measured: Any, predictions: Predictions, confidence: float, seed: int) -> Estimate:
    """Return a metric's value and interval: exact for shares, by bootstrap for the rest.

    Raises:
        Unassessable: The metric has no value on these answers.
    """
    value, n = measured.value(predictions), len(predictions.labels)
    if measured.BINOMIAL:
        low, high = clopper_pearson(round(value * n), n, confidence)
        return Estimate(
            value, low, high, n, {"successes": round(value * n), "interval": "exact (Clopper-Pearson)"}
        )
    found = bootstrap.percentile(
        lambda rows: measured.value(predictions.part(rows)),
        n,
        confidence,
        seed,
        width=predictions.scores.shape[1],
    )
    return Estimate(value, found.low, found.high, n, {"interval": found.method})


def figure(
    subject: Subject,
    name: str,
    known: Estimate,
    bound: Bound | None,
    *,
    family: str,
    key: str,
    at: str = "",
    part: str = "",
    **more: Any,
) -> Figure:
    """Return a figure; the point estimate is held against the bound, as its reader expects.

    Args:
        subject: What was measured.
        name: Of the figure.
        known: What it came to.
        bound: What the policy asks for, or None: then it is shown and decides nothing.
        family: The policy key that asked for it.
        key: Of the bound, without its side: ``performance.accuracy``.
        at: What follows the key, where it is not the side: ``max_drop``.
        part: What it is about, where it is not the whole.
        more: What else a second run needs to know.
    """
    threshold, side = limit(bound)
    outcome = "info"
    if threshold is not None:
        kept = known.value >= threshold if side == "min" else known.value <= threshold
        kept |= math.isclose(known.value, threshold, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
        outcome = "pass" if kept else "fail"
    detail = {
        **known.detail,
        **more,
        "confidence": subject.entry.confidence,
        "seed": subject.entry.seed,
        "decided_by": "nothing" if threshold is None else "point estimate",
        **subject.detail,
    }
    measured = Measurement(
        subject.name,
        name,
        known.value,
        known.low,
        known.high,
        known.n,
        threshold,
        outcome,
        detail,
        family=family,
        part=part,
        bound=side,
    )
    return Figure(measured, key if threshold is None else f"{key}.{at or side}")


def unmeasured(
    subject: Subject,
    name: str,
    problem: Unassessable,
    bound: Bound | None,
    *,
    family: str,
    key: str,
    part: str = "",
    **more: Any,
) -> Figure:
    """Return what stands in a figure's place where it cannot be measured; the others go on.

    Raises:
        Unassessable: The problem, where it is the worker's: then nothing else can be asked.
    """
    if problem.reason.startswith("worker-"):
        raise problem
    threshold, side = limit(bound)
    about = f"{name} of {part}" if part else name
    measured = Measurement(
        subject.name,
        name,
        None,
        None,
        None,
        0,
        threshold,
        "inconclusive",
        {"why": problem.message, **more, **subject.detail},
        family=family,
        part=part,
        bound=side,
    )
    return Figure(measured, problem.key or key, (problem.reason, f"{about}: {problem.message}"))


def limit(bound: Bound | None) -> tuple[float | None, str]:
    """Return a bound's threshold and its side; the policy's loader saw to it that it has one."""
    if bound is None:
        return None, "min"
    if isinstance(bound.min, float | int):
        return float(bound.min), "min"
    return (float(bound.max), "max") if isinstance(bound.max, float | int) else (None, "max")
