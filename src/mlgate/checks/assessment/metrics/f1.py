"""F1, macro: the mean, over the classes, of the harmonic mean of precision and recall."""

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics import _counts

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the mean; see :class:`mlgate.checks.assessment.metric.Metric`."""
    known = _counts.by_class(predictions)
    return _counts.macro(2 * known.found, known.wanted + known.answered, known)
