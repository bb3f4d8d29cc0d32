"""A sandboxed model as a classifier: batches, and one meaning for its scores.

What the scores mean is settled once, from the model's answers on the clean data, and
holds for the whole assessment:

- ``probabilities``: no number below 0, and every row adds up to 1. They are compared by
  their logarithms: the order stays, and differences do not drown where one is close to 1.
- ``probability``: a single column, 0 to 1. It is the second class's probability.
- ``logit``: a single column of other numbers. Above 0, the second class wins.
- ``scores``: anything else, compared as it stands.
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.model import Scores
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.sandbox.worker import Worker

_MOST_ROWS = 256
_MOST_VALUES = 1 << 20
_MOST_SCORES = 1 << 27
_SUM_TOLERANCE = 1e-3
_FLOOR = 1e-300


class BudgetSpent(Exception):  # noqa: N818 - an answer, not an error
    """The wall time of an assessment is used up."""


class Classifier:
    """A model that answers with at least two columns of comparable scores.

    Batches depend on the sample's size alone, so that a second run computes the same.

    Args:
        worker: With its model loaded.
        x: [n, ...] The clean data, on which the model is asked at once.

    Attributes:
        clean: Its answers on ``x``, comparable: [n, k], k at least 2.
        first: The model's own answer on the first batch, for its classes' names.
        meaning: How the scores are read.
        deadline: Monotonic time after which :class:`BudgetSpent` is raised, or None.

    Raises:
        Unassessable: The model fails, or answers the same samples differently.
    """

    def __init__(self, worker: "Worker", x: "Floats") -> None:
        self._worker = worker
        self.deadline: float | None = None
        self._clean = x
        parts: list[Scores] = []
        for part in self._ask(x):
            if len(x) * part.values.shape[1] > _MOST_SCORES:
                raise Unassessable(
                    "limit",
                    f"the model gives {part.values.shape[1]} scores for each of {len(x)} samples, more than "
                    "fit into memory; set data.limit",
                    "data.limit",
                )
            parts.append(part)
        self.first = parts[0]
        if len({part.values.shape[1] for part in parts}) != 1 or len({part.classes for part in parts}) != 1:
            raise Unassessable("model-output", "the model's classes change from batch to batch")
        self.repeat()
        raw = np.concatenate([part.values for part in parts])
        self.meaning = _meaning(raw)
        self.clean = self._comparable(raw)

    @property
    def columns(self) -> int:
        """Classes."""
        return int(self.clean.shape[1])

    @property
    def passes(self) -> int:
        """Samples scored so far."""
        return self._worker.passes

    def repeat(self) -> None:
        """Ask for the first batch again.

        Raises:
            Unassessable: The answer is another one.
        """
        if not np.array_equal(next(self._ask(self._clean)).values, self.first.values):
            raise not_repeatable()

    def predict(self, x: "Floats") -> "Floats":
        """Score samples, comparably: [n, k].

        Raises:
            BudgetSpent: The deadline has passed.
            Unassessable: The model fails.
        """
        answers = [part.values for part in self._ask(x)]
        if any(part.shape[1] != self.first.values.shape[1] for part in answers):
            raise Unassessable("model-output", "the model's classes change from batch to batch")
        return self._comparable(np.concatenate(answers))

    def _ask(self, x: "Floats") -> Iterator[Scores]:
        rows = max(1, min(_MOST_ROWS, _MOST_VALUES // max(1, x[0].size)))
        for start in range(0, len(x), rows):
            left = None if self.deadline is None else self.deadline - time.monotonic()
            if left is not None and left <= 0:
                raise BudgetSpent
            try:
                yield self._worker.predict(x[start : start + rows], left)
            except Unassessable as problem:
                if problem.reason == "worker-timeout" and self.deadline and time.monotonic() >= self.deadline:
                    raise BudgetSpent from None
                raise

    def _comparable(self, raw: "Floats") -> "Floats":
        if self.meaning == "scores":
            return raw
        if self.meaning == "logit":
            return np.concatenate([np.zeros_like(raw), raw], axis=1)
        if self.meaning == "probability":
            raw = np.concatenate([1 - raw, raw], axis=1)
        return np.log(np.maximum(raw, _FLOOR))


def not_repeatable() -> Unassessable:
    """Say that a model's answers change."""
    return Unassessable(
        "not-repeatable",
        "the model answers the same samples differently when asked again; export it for inference, "
        "without dropout or other random operators",
        "model.path",
    )


def _meaning(raw: "Floats") -> str:
    inside = bool((raw >= 0).all() and (raw <= 1 + _SUM_TOLERANCE).all())
    if raw.shape[1] == 1:
        return "probability" if inside else "logit"
    if inside and np.allclose(raw.sum(axis=1), 1, atol=_SUM_TOLERANCE):
        return "probabilities"
    return "scores"
