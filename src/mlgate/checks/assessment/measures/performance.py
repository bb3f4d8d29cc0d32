"""How well a model does on clean data.

A threshold compares the point estimate, as its reader expects: ``min: 0.95`` is met by
0.951. The interval stands beside it and says how much more data could move it. The
accuracy of a classifier and the error of a regression are shown even where nobody asks.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import UNSET

from mlgate.checks.assessment.figures import estimate, figure, metric, unmeasured
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Predictions, predictions
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy._open import asked
from mlgate.policy.assessment import Bound

ORDER = 10
TASKS = ("classification", "regression")
INPUTS = ("numbers", "text")
ALWAYS = True

_SHOWN = {"classification": "accuracy", "regression": "rmse"}
_WARM, _TIMED = 10, 200


def measure(subject: Subject, settings: Any) -> Iterator[Figure]:
    """Measure every metric asked for; see :class:`mlgate.checks.assessment.measure.Measure`."""
    task = subject.entry.task
    bounds: dict[str, Bound | None] = {_SHOWN[task]: None}
    bounds |= {} if settings is UNSET else asked(settings, Bound)
    for name, bound in bounds.items():
        key = f"performance.{name}"
        try:
            found = metric(name, task, key, bound)
            given = _timings(subject) if found.OVER == "timings" else predictions(subject)
            known = estimate(found, given, subject.entry.confidence, subject.entry.seed)
        except Unassessable as problem:
            yield unmeasured(subject, name, problem, bound, family="performance", key=key)
            continue
        yield figure(subject, name, known, bound, family="performance", key=key, **_said(found, given))


def _timings(subject: Subject) -> Predictions:
    """Ask for one sample at a time, and return the milliseconds that each took."""
    model: Any = subject.model
    for at in range(_WARM):
        model.answer(subject.x[at % len(subject.x)][None])
    taken = []
    for at in range(_TIMED):
        sample = subject.x[at % len(subject.x)][None]
        started = time.perf_counter()
        model.answer(sample)
        taken.append((time.perf_counter() - started) * 1000)
    milliseconds = np.array(taken)
    return Predictions(milliseconds, milliseconds[:, None], "milliseconds")


def _said(found: Any, given: Predictions) -> dict[str, Any]:
    if found.OVER != "timings":
        return {}
    return {
        "method": "one sample a request, with the way to the sandbox and back; differs from run to run",
        "p50_ms": float(np.median(given.labels)),
    }
