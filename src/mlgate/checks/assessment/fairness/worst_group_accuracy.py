"""The accuracy in the group where it is lowest."""

from mlgate.checks.assessment.fairness import _accuracies
from mlgate.checks.assessment.metric import Outcomes

BETTER = "higher"
RATES = ("accuracy",)
SPREAD = "smallest"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    return float(_accuracies.frame(outcomes).group_min())
