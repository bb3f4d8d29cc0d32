"""Two sets of answers to the same samples: how much worse one is, with an interval for the difference.

The samples are the same, so what is easy or hard about them cancels out: a paired
difference is known far better than two figures are apart.
"""

from typing import Any

from mlgate.checks.assessment import bootstrap
from mlgate.checks.assessment.figures import Estimate
from mlgate.checks.assessment.metric import Predictions


def worse(measured: Any, before: Predictions, after: Predictions, confidence: float, seed: int) -> Estimate:
    """Return by how much a metric is worse after than before: positive where it is.

    Args:
        measured: The metric.
        before: Answers of the better, or of the undisturbed.
        after: Answers to the same samples.
        confidence: Of the interval, which comes from a bootstrap over the samples.
        seed: Of the bootstrap.

    Raises:
        Unassessable: The metric has no value on these answers.
    """
    sign = 1.0 if measured.BETTER == "higher" else -1.0

    def drop(first: Predictions, second: Predictions) -> float:
        return float(sign * (measured.value(first) - measured.value(second)))

    n = len(before.labels)
    found = bootstrap.percentile(lambda rows: drop(before.part(rows), after.part(rows)), n, confidence, seed)
    detail = {
        "interval": f"paired {found.method}",
        "before": float(measured.value(before)),
        "after": float(measured.value(after)),
    }
    return Estimate(drop(before, after), found.low, found.high, n, detail)
