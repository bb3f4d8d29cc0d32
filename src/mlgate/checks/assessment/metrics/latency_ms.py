"""Latency: the 95th percentile of the milliseconds that one sample takes.

The only figure that differs from run to run: it depends on the machine and its load.
"""

import numpy as np

from mlgate.checks.assessment.metric import Predictions

TASKS = ("classification", "regression")
BETTER = "lower"
OVER = "timings"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the percentile; see :class:`mlgate.checks.assessment.metric.Metric`."""
    return float(np.percentile(predictions.labels, 95))
