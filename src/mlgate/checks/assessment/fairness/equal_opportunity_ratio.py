"""Equal opportunity: the smallest true positive rate of a group over the largest.

Source: Hardt et al. (2016), arXiv:1610.02413.
"""

from mlgate.checks.assessment.metric import Outcomes

BETTER = "higher"
RATES = ("true_positive",)
SPREAD = "ratio"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    return float(
        metrics.equal_opportunity_ratio(outcomes.truth, outcomes.answers, sensitive_features=outcomes.groups)
    )
