"""Demographic parity: the largest difference between groups in how often the favourable answer is given."""

from mlgate.checks.assessment.metric import Outcomes

BETTER = "lower"
RATES = ("selection",)
SPREAD = "difference"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    return float(
        metrics.demographic_parity_difference(
            outcomes.truth, outcomes.answers, sensitive_features=outcomes.groups
        )
    )
