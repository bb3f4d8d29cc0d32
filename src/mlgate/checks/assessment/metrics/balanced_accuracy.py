"""Balanced accuracy: the mean, over the classes that occur, of the share that is recognised."""

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
    occurs = counts.sum(axis=1) > 0
    return float((np.diag(counts)[occurs] / counts.sum(axis=1)[occurs]).mean())
