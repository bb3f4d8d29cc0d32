"""Coefficient of determination: 1 for a perfect regression, 0 for one that always gives the mean."""

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.problems import Unassessable

TASKS = ("regression",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the coefficient; see :class:`mlgate.checks.assessment.metric.Metric`.

    Raises:
        Unassessable: Every label is the same.
    """
    labels = predictions.labels
    spread = float(((labels - labels.mean()) ** 2).sum())
    if spread == 0:
        raise Unassessable("one-class", "r2 is undefined where every label is the same")
    return 1 - float(((predictions.scores[:, 0] - labels) ** 2).sum()) / spread
