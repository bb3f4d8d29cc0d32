"""Accuracy: the share of samples whose top score is the label's."""

from mlgate.checks.assessment.metric import Predictions

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = True


def value(predictions: Predictions) -> float:
    """Return the share; see :class:`mlgate.checks.assessment.metric.Metric`."""
    return float(predictions.right.mean())
