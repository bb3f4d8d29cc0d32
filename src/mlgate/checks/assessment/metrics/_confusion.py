"""How often each class is taken for each: what precision, recall and their kin are made of."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.metric import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def counts(predictions: Predictions) -> "NDArray[np.int64]":
    """Return [k, k]: samples by right class (rows) and answered class (columns)."""
    classes = predictions.scores.shape[1]
    pairs = predictions.labels * classes + predictions.scores.argmax(axis=1)
    found: NDArray[np.int64] = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return found


def macro(above: "NDArray[Any]", below: "NDArray[Any]", confusion: "NDArray[np.int64]") -> float:
    """Return the mean of quotients over the classes that occur as labels or answers.

    A quotient without samples counts as 0, as in scikit-learn.
    """
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    quotients = above[occurs] / np.maximum(below[occurs], 1)
    return float(quotients.mean())
