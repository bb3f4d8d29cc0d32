"""How often each class is right, wanted and answered: what precision, recall and their kin are made of."""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.metric import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Counts(Struct, frozen=True):
    """Samples by class, each [k].

    Attributes:
        found: Of the class and answered so.
        wanted: Of the class.
        answered: Answered so.
    """

    found: "NDArray[np.int64]"
    wanted: "NDArray[np.int64]"
    answered: "NDArray[np.int64]"


def by_class(predictions: Predictions) -> Counts:
    """Count the samples of each class."""
    classes = predictions.scores.shape[1]
    labels, answers = predictions.labels, predictions.scores.argmax(axis=1)
    found, wanted, answered = (
        np.bincount(each, minlength=classes) for each in (labels[labels == answers], labels, answers)
    )
    return Counts(found, wanted, answered)


def macro(above: "NDArray[Any]", below: "NDArray[Any]", known: Counts) -> float:
    """Return the mean of quotients over the classes that occur as labels or answers.

    A quotient without samples counts as 0, as in scikit-learn.
    """
    occurs = (known.wanted + known.answered) > 0
    return float((above[occurs] / np.maximum(below[occurs], 1)).mean())
