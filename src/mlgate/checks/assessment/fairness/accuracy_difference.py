"""The largest difference between groups in accuracy."""

from mlgate.checks.assessment.fairness import _accuracies
from mlgate.checks.assessment.metric import Outcomes

BETTER = "lower"
RATES = ("accuracy",)
SPREAD = "difference"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    return float(_accuracies.frame(outcomes).difference())
