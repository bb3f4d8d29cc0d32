"""A sandboxed model that is asked in batches, and held to its answers.

Batches depend on the sample's size alone, so that a second run computes the same.
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
_MOST_SCORES = 1 << 26
# How far an answer may lie from the one in other company, relative to its size, and the share that may.
_CLOSE, _MOST_CHANGED = 0.01, 0.02


class BudgetSpent(Exception):  # noqa: N818 - an answer, not an error
    """The wall time or the forward passes of an assessment are used up."""


class Predictor:
    """A model and its answers on the clean data.

    Args:
        worker: With its model loaded.
        x: [n, ...] The clean data, on which the model is asked at once.

    Attributes:
        raw: Its answers on ``x`` as they stand: [n, k].
        first: The model's own answer on the first batch, for its classes' names.
        sha256: Of the model's file, where another one than the assessed model was loaded.
        deadline: Monotonic time after which :class:`BudgetSpent` is raised, or None.
        most_passes: Forward passes after which it is, or None.

    Raises:
        Unassessable: The model fails, or answers the same samples differently: when it is
            asked again, or in other company.
    """

    def __init__(self, worker: "Worker", x: "Floats") -> None:
        self.worker = worker
        self.sha256 = ""
        self.deadline: float | None = None
        self.most_passes: int | None = None
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
        self._see_alone()
        self.raw = np.concatenate([part.values for part in parts])

    @property
    def passes(self) -> int:
        """Samples scored so far."""
        return self.worker.passes

    def repeat(self) -> None:
        """Ask for the first batch again.

        Raises:
            Unassessable: The answer is another one.
        """
        if not np.array_equal(next(self._ask(self._clean)).values, self.first.values):
            raise not_repeatable()

    def _see_alone(self) -> None:
        """Ask for half of the first batch, backwards: neither place nor company changes an answer.

        A sample here and there may: sums of floats depend on the batch's size, and where a
        model rounds, a last digit is a whole step.
        """
        half = -(-len(self.first.values) // 2)
        before = self.first.values[::-1][:half]
        rows = next(batches(self._clean))
        after = self._one(self.worker, self._clean[rows][::-1][:half]).values
        if after.shape == before.shape:
            size = np.abs(before).max(axis=1)
            far = np.abs(after - before).max(axis=1) > _CLOSE * np.maximum(size, np.median(size))
            changed = far | (after.argmax(axis=1) != before.argmax(axis=1))
        if after.shape != before.shape or changed.mean() > _MOST_CHANGED:
            raise Unassessable(
                "batch-dependent",
                "the model's answer to a sample depends on the samples beside it, so no figure holds for "
                "one alone; export it for inference, with batch normalisation in evaluation mode",
                "model.path",
            )

    def answer(self, x: "Floats") -> "Floats":
        """Return the model's answers as they stand: [n, k].

        Raises:
            BudgetSpent: The deadline has passed.
            Unassessable: The model fails.
        """
        answers = [part.values for part in self._ask(x)]
        if any(part.shape[1] != self.first.values.shape[1] for part in answers):
            raise Unassessable("model-output", "the model's classes change from batch to batch")
        return np.concatenate(answers)

    def on_time(self) -> None:
        """See that the budget is not spent.

        Raises:
            BudgetSpent: It is.
        """
        self._left()

    def _ask(self, x: "Floats") -> Iterator[Scores]:
        for rows in batches(x):
            yield self._one(self.worker, x[rows])

    def _one(self, worker: "Worker", x: "Floats", *, follow: bool = False) -> Scores:
        left = self._left()
        try:
            return worker.predict(x, left, follow=follow)
        except Unassessable as problem:
            raise self._spent(problem) from None

    def _left(self) -> float | None:
        """Return the seconds that are left.

        Raises:
            BudgetSpent: None are.
        """
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise BudgetSpent
        if self.most_passes is not None and self.passes >= self.most_passes:
            raise BudgetSpent
        return left

    def _spent(self, problem: Unassessable) -> Exception:
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return BudgetSpent() if late and problem.reason == "worker-timeout" else problem


def batches(x: "Floats") -> Iterator[slice]:
    """Cut samples into batches of one size."""
    rows = max(1, min(_MOST_ROWS, _MOST_VALUES // max(1, x[:1].size)))
    for start in range(0, len(x), rows):
        yield slice(start, min(start + rows, len(x)))


def not_repeatable() -> Unassessable:
    """Say that a model's answers change."""
    return Unassessable(
        "not-repeatable",
        "the model answers the same samples differently when asked again; export it for inference, "
        "without dropout or other random operators",
        "model.path",
    )
