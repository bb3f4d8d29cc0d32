"""Brier score: the mean squared distance of the probabilities from the truth.

For two classes it is that of the second class's probability, 0 to 1; for more the sum
over the classes, 0 to 2. Source: Brier (1950).
"""

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _probabilities

TASKS = ("classification",)
BETTER = "lower"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean distance; see :class:`mlgate.checks.assessment.metric.Metric`.

    Raises:
        Unassessable: The scores are no probabilities.
    """
    found = _probabilities.of(predictions)
    truth = np.eye(found.shape[1])[predictions.labels]
    squares = ((found - truth) ** 2).sum(axis=1)
    return float(squares.mean() / (2 if found.shape[1] == 2 else 1))
