"""Whether a model falls behind another one, on the same samples.

The samples are the same, so the difference is paired: a bootstrap over the samples gives
its interval, and for classifiers McNemar's exact test says how easily chance makes it. The
point estimate of the drop is held against `baseline.max_drop`.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from mlgate.checks.assessment.figures import estimate, figure, metric
from mlgate.checks.assessment.intervals import mcnemar
from mlgate.checks.assessment.labels import label_columns, regression_values
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Predictions, predictions
from mlgate.checks.assessment.paired import worse
from mlgate.policy.assessment import Baseline, Bound

ORDER = 50
TASKS = ("classification", "regression")
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "baseline"
_METRICS = {"classification": ("accuracy", "accuracy_drop"), "regression": ("rmse", "rmse_increase")}


def measure(subject: Subject, settings: Baseline) -> Iterator[Figure]:
    """Compare the two models; see :class:`mlgate.checks.assessment.measure.Measure`."""
    entry = subject.entry
    name, drop = _METRICS[entry.task]
    measured = metric(name, entry.task, _FAMILY)
    with subject.load(settings.model, f"{_FAMILY}.model") as loaded:
        other: Any = loaded
        before = _predictions(subject, other)
    after = predictions(subject)
    lost = worse(measured, before, after, entry.confidence, entry.seed)
    said = {
        "baseline": settings.model.path,
        "baseline_sha256": other.sha256,
        **(_chance(before, after) if entry.task == "classification" else {}),
    }
    known = estimate(measured, before, entry.confidence, entry.seed)
    yield figure(subject, name, known, None, family=_FAMILY, key=_FAMILY, part="baseline", **said)
    bound = Bound(UNSET, settings.max_drop)
    yield figure(subject, drop, lost, bound, family=_FAMILY, key=_FAMILY, at="max_drop", **said)


def _predictions(subject: Subject, other: Any) -> Predictions:
    """Return the other model's answers; it may name and order its classes in its own way."""
    if subject.entry.task == "regression":
        labels: Any = regression_values(subject.dataset, other.clean.shape[1])
    else:
        labels = label_columns(subject.dataset, other.first, other.columns)
    return Predictions(labels, other.clean, other.meaning)


def _chance(before: Predictions, after: Predictions) -> dict[str, Any]:
    lost = int((before.right & ~after.right).sum())
    won = int((~before.right & after.right).sum())
    return {
        "only_the_baseline_is_right": lost,
        "only_this_model_is_right": won,
        "mcnemar_p": mcnemar(lost, won),
    }
