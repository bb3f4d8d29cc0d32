"""Area under the ROC curve; for more than two classes the mean of each class against the rest.

A class's own score ranks its samples. Ties count one half. Source: Hand and Till (2001)
compare it with other means over classes.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

TASKS = ("classification",)
BETTER = "higher"
OVER = "answers"
BINOMIAL = False


def value(predictions: Predictions) -> float:
    """Return the area; see :class:`mlgate.checks.assessment.metric.Metric`.

    Raises:
        Unassessable: Only one class occurs.
    """
    scores, labels = predictions.scores, predictions.labels
    if scores.shape[1] == 2:
        # The second column alone says it all, but where both are free; a difference breaks ties.
        ranking = scores[:, 1] - scores[:, 0] if predictions.meaning == "scores" else scores[:, 1]
        areas = [_area(ranking, labels == 1)]
    else:
        areas = [_area(scores[:, column], labels == column) for column in np.unique(labels)]
    defined = [area for area in areas if area is not None]
    if not defined:
        raise Unassessable("one-class", "there is no area under the ROC curve where only one class occurs")
    return float(np.mean(defined))


def _area(scores: "Floats", positive: "NDArray[np.bool_]") -> float | None:
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[places][positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))
