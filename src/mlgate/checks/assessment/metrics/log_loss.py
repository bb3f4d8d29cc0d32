"""Log loss: the mean negative logarithm of the right class's probability, in nats."""

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _probabilities

# As scikit-learn clips.
_FLOOR = float(np.finfo(np.float64).eps)

TASKS = ("classification",)
BETTER = "lower"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean loss; see :class:`mlgate.checks.assessment.metric.Metric`.

    Raises:
        Unassessable: The scores are no probabilities.
    """
    found = _probabilities.of(predictions)
    right = found[np.arange(len(found)), predictions.labels]
    return float(-np.log(np.maximum(right, _FLOOR)).mean())
