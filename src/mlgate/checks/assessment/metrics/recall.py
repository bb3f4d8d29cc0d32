"""Recall, macro: the mean, over the classes, of the share of samples that is found."""

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _counts

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean share; see :class:`mlgate.checks.assessment.metric.Metric`."""
    known = _counts.by_class(predictions)
    return _counts.macro(known.found, known.wanted, known)
