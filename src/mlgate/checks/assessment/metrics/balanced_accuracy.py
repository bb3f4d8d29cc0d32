"""Balanced accuracy: the mean, over the classes that occur, of the share that is recognised."""

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _counts

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean share; see :class:`mlgate.checks.assessment.metric.Metric`."""
    known = _counts.by_class(predictions)
    occurs = known.wanted > 0
    return float((known.found[occurs] / known.wanted[occurs]).mean())
