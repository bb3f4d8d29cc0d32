"""A sandboxed model as a classifier: one meaning for its scores.

What the scores mean is settled once, from the model's answers on the clean data, and
holds for the whole assessment:

- ``probabilities``: no number below 0, and every row adds up to 1, but for rounding (random
  forests in ONNX go a little below 0). They are compared by
  their logarithms: the order stays, and differences do not drown where one is close to 1.
- ``probability``: a single column, 0 to 1. It is the second class's probability.
- ``logit``: a single column of other numbers. Above 0, the second class wins.
- ``scores``: anything else, compared as it stands.
"""

from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.predictor import Predictor, batches
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read
from mlgate.checks.assessment.trees import Trees, agrees, moved

if TYPE_CHECKING:
    from mlgate.checks.assessment.attack import Objective
    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.sandbox.worker import Worker

# What float32 makes of a probability, or of a row of them, where large numbers cancel out.
_ROUNDING = 1e-2
_FLOOR = 1e-300
# What float32 cannot tell from zero: its reciprocal would be no number of float32.
_NOTHING = 1e-37
# How far a twin's scores may lie from the model's own: float32 sums in another order.
_TWIN_TOLERANCE = 1e-3


class Classifier(Predictor):
    """A model that answers with at least two columns of comparable scores.

    Args:
        worker: With its model loaded.
        x: [n, ...] The clean data, on which the model is asked at once.

    Attributes:
        clean: Its answers on ``x``, comparable: [n, k], k at least 2.
        meaning: How the scores are read.
        guide: The worker that gives gradients: the model's own, its twin's, or None.
        trees: Its structure, once it was opened and found to do what the model does.

    Raises:
        Unassessable: The model fails, or answers the same samples differently.
    """

    def __init__(self, worker: "Worker", x: "Floats") -> None:
        super().__init__(worker, x)
        self.meaning = _meaning(self.raw)
        self.clean = self._comparable(self.raw)
        self.guide: Worker | None = worker if "gradients" in worker.signature.offers else None
        self.trees: Trees | None = None

    @property
    def columns(self) -> int:
        """Classes."""
        return int(self.clean.shape[1])

    @property
    def passes(self) -> int:
        """Samples scored so far, by a twin too."""
        twin = 0 if self.guide in (None, self.worker) else self.guide.passes
        return self.worker.passes + twin

    def predict(self, x: "Floats") -> "Floats":
        """Score samples, comparably: [n, k].

        Raises:
            BudgetSpent: The deadline has passed.
            Unassessable: The model fails.
        """
        return self._comparable(self.answer(x))

    def follow(self, twin: "Worker") -> float:
        """Take gradients from a twin, if it answers the clean data as the model does.

        Args:
            twin: A worker with the same model in a form that offers gradients.

        Returns:
            The largest difference of a comparable score, relative to the scores' spread.

        Raises:
            Unassessable: The twin fails, or answers otherwise.
        """
        answers = [self._one(twin, self._clean[rows]).values for rows in batches(self._clean)]
        if any(part.shape[1] != self.raw.shape[1] for part in answers):
            raise Unassessable("twin-differs", "the converted model has other classes")
        raw = np.concatenate(answers)
        spread = max(float(np.abs(self.raw).max()), 1e-12)
        far = float(np.abs(raw - self.raw).max()) / spread
        same = bool((self._comparable(raw).argmax(axis=1) == self.clean.argmax(axis=1)).all())
        if far > _TWIN_TOLERANCE or not same:
            raise Unassessable(
                "twin-differs", f"the converted model's scores differ by up to {far:.2g} of their spread"
            )
        self.guide = twin
        return far

    def open(self) -> str:
        """Take the trees from the worker, if it offers any, and say what came of it.

        They count only where they are a forest and reproduce the model's answers, to the
        clean data and beside it.
        """
        if "trees" not in self.worker.signature.offers:
            return "none"
        flat = self._clean.reshape(len(self._clean), -1)
        try:
            trees = read(self.worker.trees(), flat.shape[1], self.raw.shape[1], flat.dtype)
            beside = moved(trees, flat)
            answers = self.answer(beside.reshape(-1, *self._clean.shape[1:]))
            far = max(agrees(trees, flat, self.raw), agrees(trees, beside, answers))
        except Unassessable as problem:
            if problem.reason.startswith("worker-"):
                raise
            return f"none: {problem.message}"
        self.trees = trees
        return (
            f"{len(trees.roots)} trees, {len(trees.owner)} leaves, which reproduce the model's answers "
            f"to {far:.1g}"
        )

    def gradient(self, x: "Floats", objective: "Objective") -> "tuple[Floats, Floats, Floats]":
        """Return scores, losses and gradients; see :class:`mlgate.checks.assessment.attack.Victim`.

        Raises:
            BudgetSpent: The deadline has passed.
            Unassessable: The model fails, or offers no gradients.
        """
        if self.guide is None:
            raise Unassessable("no-gradients", "the model offers no gradients")
        scores, losses, gradients = [], [], []
        for rows in batches(x):
            raw = self._one(self.guide, x[rows], follow=True).values
            comparable = self._comparable(raw)
            loss, slope = objective(comparable, rows)
            try:
                found = self._pull(self.guide, x[rows], self._raw_slope(slope, raw))
            except Unassessable as problem:
                raise self._spent(problem) from None
            scores.append(comparable)
            losses.append(loss)
            gradients.append(np.where(np.isfinite(found), found, 0.0))
        return np.concatenate(scores), np.concatenate(losses), np.concatenate(gradients)

    def _pull(self, guide: "Worker", x: "Floats", slope: "Floats") -> "Floats":
        """Ask for a gradient with weights of at least 1: tiny ones would vanish in the model's dtype."""
        most = np.minimum(np.abs(slope).max(axis=1, keepdims=True), 1.0)
        weights = np.divide(slope, most, out=np.zeros_like(slope), where=most > 0)
        found = guide.pull(x, weights, self._left())
        grown: Floats = found * most.reshape(-1, *[1] * (found.ndim - 1))
        return grown

    def _comparable(self, raw: "Floats") -> "Floats":
        if self.meaning == "scores":
            return raw
        if self.meaning == "logit":
            return np.concatenate([np.zeros_like(raw), raw], axis=1)
        if self.meaning == "probability":
            raw = np.concatenate([1 - raw, raw], axis=1)
        # What a model calls a probability on the data may be anything elsewhere: the order stays.
        found: Floats = np.log(np.maximum(raw, _FLOOR)) + np.minimum(raw, 0.0)
        return found

    def _raw_slope(self, slope: "Floats", raw: "Floats") -> "Floats":
        """Bring a derivative by comparable scores to one by the model's own: the chain rule."""
        if self.meaning == "scores":
            return slope
        if self.meaning == "logit":
            return slope[:, 1:]
        if self.meaning == "probability":
            return _by_logarithm(slope[:, 1:], raw) - _by_logarithm(slope[:, :1], 1 - raw)
        return _by_logarithm(slope, raw)


def _by_logarithm(slope: "Floats", value: "Floats") -> "Floats":
    """Bring a derivative by a logarithm to one by the value; none where it is as good as zero."""
    found: Floats = np.divide(slope, value, out=np.zeros_like(slope), where=value > _NOTHING)
    return found


def _meaning(raw: "Floats") -> str:
    inside = bool((raw >= -_ROUNDING).all() and (raw <= 1 + _ROUNDING).all())
    if raw.shape[1] == 1:
        return "probability" if inside else "logit"
    if inside and np.allclose(raw.sum(axis=1), 1, atol=_ROUNDING):
        return "probabilities"
    return "scores"
