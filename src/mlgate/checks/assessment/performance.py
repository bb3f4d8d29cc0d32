"""How well a model does on clean data.

A threshold compares the point estimate, as its reader expects: ``min: 0.95`` is met by
0.951. The exact interval stands beside it and says how much more data could move it.
"""

from typing import TYPE_CHECKING, Any

from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.core.facts import Measurement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CONFIDENCE = 0.95


def accuracy(
    name: str,
    right: "NDArray[np.bool_]",
    threshold: float | None,
    confidence: float | None,
    detail: dict[str, Any],
) -> Measurement:
    """Measure the share of samples whose top score is the label's.

    Args:
        name: The assessment's.
        right: [n] True where it is.
        threshold: Smallest acceptable share; None makes the figure one to know.
        confidence: Of the interval.
        detail: What else a second run needs.
    """
    n, successes = len(right), int(right.sum())
    confidence = confidence or _CONFIDENCE
    low, high = clopper_pearson(successes, n, confidence)
    value = successes / n
    outcome = "info" if threshold is None else "pass" if value >= threshold else "fail"
    evidence = {
        "successes": successes,
        "confidence": confidence,
        "interval": "exact (Clopper-Pearson)",
        "decided_by": "point estimate",
        **detail,
    }
    return Measurement(name, "accuracy", value, low, high, n, threshold, outcome, evidence)
