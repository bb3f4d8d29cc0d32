"""How well a model does on clean data.

A threshold compares the point estimate, as its reader expects: ``min: 0.95`` is met by
0.951. The exact interval stands beside it and says how much more data could move it.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Predictions
from mlgate.core.discovery import module
from mlgate.core.facts import Measurement
from mlgate.policy._open import asked
from mlgate.policy.assessment import Bound

ORDER = 10
TASKS = ("classification", "regression")
INPUTS = ("numbers", "text")


def measure(subject: Subject, settings: Any) -> Iterator[Figure]:
    """Measure every metric asked for; see :class:`mlgate.checks.assessment.measure.Measure`."""
    model: Any = subject.model
    predictions = Predictions(subject.labels, model.clean, model.meaning)
    for name, bound in asked(settings, Bound).items():
        metric: Any = module("mlgate.checks.assessment.metrics", name)
        value = metric.value(predictions)
        n = len(predictions.labels)
        low, high = clopper_pearson(round(value * n), n, subject.entry.confidence)
        detail = {
            "successes": round(value * n),
            "confidence": subject.entry.confidence,
            "interval": "exact (Clopper-Pearson)",
            "decided_by": "point estimate",
            **subject.detail,
        }
        threshold = bound.min if bound.min is not UNSET else bound.max
        side = "min" if bound.min is not UNSET else "max"
        assert isinstance(threshold, float | int)  # noqa: S101 - the policy's loader saw to it
        kept = value >= threshold if side == "min" else value <= threshold
        yield Figure(
            Measurement(
                subject.name,
                name,
                value,
                low,
                high,
                n,
                float(threshold),
                "pass" if kept else "fail",
                detail,
                family="performance",
                bound=side,
            ),
            f"performance.{name}.{side}",
        )
