"""Equal opportunity: the largest difference between groups in the true positive rate.

Source: Hardt et al. (2016), arXiv:1610.02413.
"""

from mlgate.checks.assessment.metric import Outcomes

BETTER = "lower"
RATES = ("true_positive",)
SPREAD = "difference"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    return float(
        metrics.equal_opportunity_difference(
            outcomes.truth, outcomes.answers, sensitive_features=outcomes.groups
        )
    )
