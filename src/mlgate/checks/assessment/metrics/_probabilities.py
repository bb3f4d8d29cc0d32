"""Probabilities, where a model gives them."""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats


def of(predictions: Predictions) -> "Floats":
    """Return each sample's probabilities of the classes, [n, k].

    Raises:
        Unassessable: The scores are no probabilities.
    """
    if predictions.meaning not in ("probabilities", "probability"):
        raise Unassessable(
            "no-probabilities",
            f"the model gives {predictions.meaning}, and this figure needs probabilities; export the model "
            "with its softmax or sigmoid",
            "model.path",
        )
    return np.exp(predictions.scores)
