"""Expected calibration error: how far confidence lies from accuracy, over 15 bins of confidence.

Chance makes every bin miss a little, so that few samples score too high, and so does their
bootstrap: a perfectly calibrated model of two classes scores about 0.08 on 100 samples, 0.05 on
300 and 0.025 on 1,000. A bound must leave room for that.

Source: Guo et al. (2017), arXiv:1706.04599.
"""

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _probabilities

_BINS = 15

TASKS = ("classification",)
BETTER = "lower"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean distance over the samples; see :class:`mlgate.checks.assessment.metric.Metric`.

    Raises:
        Unassessable: The scores are no probabilities.
    """
    found = _probabilities.of(predictions)
    confidence = found.max(axis=1)
    bins = np.clip(np.ceil(confidence * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    surplus = np.bincount(bins, confidence - predictions.right, _BINS)
    return float(np.abs(surplus).sum() / len(found))
