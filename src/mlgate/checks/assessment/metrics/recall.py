"""Recall, macro: the mean, over the classes, of the share of samples that is found."""

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _confusion

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean share; see :class:`mlgate.checks.assessment.metric.Metric`."""
    counts = _confusion.counts(predictions)
    return _confusion.macro(np.diag(counts), counts.sum(axis=1), counts)
