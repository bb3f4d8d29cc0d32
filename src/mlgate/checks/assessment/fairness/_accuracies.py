"""Every group's accuracy, as fairlearn has it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlgate.checks.assessment.metric import Outcomes


def frame(outcomes: "Outcomes") -> Any:
    """Return fairlearn's frame of the groups' accuracies."""
    from fairlearn import metrics  # noqa: PLC0415 - slow to import, and only fairness needs it

    return metrics.MetricFrame(
        metrics=lambda truth, answers: float((truth == answers).mean()),
        y_true=outcomes.truth,
        y_pred=outcomes.answers,
        sensitive_features=outcomes.groups,
    )
