"""Demographic parity: the smallest share of favourable answers over the largest.

At least 0.8 is the four-fifths rule of 29 CFR 1607.4(D).
"""

from mlgate.checks.assessment.metric import Outcomes

BETTER = "higher"
RATES = ("selection",)
SPREAD = "ratio"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    return float(
        metrics.demographic_parity_ratio(outcomes.truth, outcomes.answers, sensitive_features=outcomes.groups)
    )
