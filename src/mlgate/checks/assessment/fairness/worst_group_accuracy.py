"""The accuracy in the group where it is lowest."""

from mlgate.checks.assessment.metric import Outcomes

BETTER = "higher"
RATES = ("accuracy",)
SPREAD = "smallest"


def value(outcomes: Outcomes) -> float:
    """Return it by fairlearn; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    found = metrics.MetricFrame(
        metrics=lambda truth, answers: float((truth == answers).mean()),
        y_true=outcomes.truth,
        y_pred=outcomes.answers,
        sensitive_features=outcomes.groups,
    )
    return float(found.group_min())
