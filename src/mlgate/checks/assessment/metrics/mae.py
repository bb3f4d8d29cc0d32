"""Mean absolute error, in the label's unit."""

import numpy as np

from mlgate.checks.assessment.metric import Predictions

TASKS = ("regression",)
BETTER = "lower"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the error; see :class:`mlgate.checks.assessment.metric.Metric`."""
    return float(np.abs(predictions.scores[:, 0] - predictions.labels).mean())
