"""From a tree ensemble's raw scores to a model's answers, in float64.

The libraries do the same in float32, where a sure probability is rounded to 1 and an
attack finds nothing to follow. The order of the classes is the same.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats


def softmax(raw: "Floats") -> "Floats":
    """Return probabilities [n, k] for raw scores [n, k]."""
    weights = np.exp(raw.astype(np.float64) - raw.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def logistic(raw: "Floats") -> "Floats":
    """Return the probabilities [n, 2] of two classes for the second one's log odds [n]."""
    flat = raw.astype(np.float64).reshape(-1, 1)
    return softmax(np.concatenate([np.zeros_like(flat), flat], axis=1))


def sigmoid(raw: "Floats") -> "Floats":
    """Return each class's own probability [n, k], one against all others."""
    return np.asarray(1 / (1 + np.exp(-raw.astype(np.float64))))
