"""A model under attack until its threshold is decided, and what a report needs to know of it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from mlgate.checks.assessment import curve, masking, sequential
from mlgate.checks.assessment.cascade import Cascade, Samples
from mlgate.checks.assessment.certificate import bound, certificate
from mlgate.checks.assessment.constraints import features, moves, told
from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.predictor import BudgetSpent
from mlgate.core.facts import Measurement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.classifier import Classifier
    from mlgate.checks.assessment.measure import Subject
    from mlgate.policy.assessment import Robustness

_INTERVAL = "confidence sequence (Clopper-Pearson at geometric looks, error split over the looks)"


class Trial:
    """One model, its data and the attacks on it.

    Args:
        subject: What is measured.
        model: Under attack.
        settings: The policy's ``robustness``.
        detail: What else a second run needs.

    Raises:
        Unassessable: The policy names an attack that does not suit the model, or lets an
            attacker change nothing.
    """

    def __init__(
        self, subject: "Subject", model: "Classifier", settings: "Robustness", detail: Mapping[str, Any]
    ) -> None:
        self._subject, self._model, self._settings, self._detail = subject, model, settings, detail
        own = settings.confidence
        self.confidence = own if isinstance(own, float) else subject.entry.confidence
        self._seed = settings.seed if isinstance(settings.seed, int) else subject.entry.seed
        known = features(subject, settings.scale)
        self._samples = Samples(subject.x, subject.labels, subject.dataset.ids, known)
        self._cascade = Cascade(model, self._samples, settings, self._seed)
        moves(subject.x, self._cascade.ball, settings.epsilon)
        self._order = np.random.default_rng(self._seed).permutation(len(subject.x))
        self._seen = self._order[:0]
        self._misled = False
        self._passes = model.passes
        self._deadline = time.monotonic() + settings.budget_seconds

    def decide(self) -> Measurement:
        """Attack until the threshold is decided, and see whether the attacks were misled.

        Raises:
            Unassessable: The model fails.
        """
        total, least = len(self._order), self._settings.min_accuracy
        signs: tuple[masking.Signal, ...] = ()
        with self._budget():
            answer = sequential.decide(total, least, self.confidence, self._draw, self._settle)
            last = answer.looks[-1] if answer.looks else None
            self._seen = self._order[: last.n if last else 0]
            try:
                # Whatever misleads an attack, no robustness is less than none.
                if answer.outcome != "fail" and least > 0:
                    self._subject.progress(f"{self._subject.name}: looking for masked gradients")
                    signs = masking.inspect(self._model, self._cascade, self._standing()[: masking.SAMPLES])
            except BudgetSpent:
                answer = replace(answer, outcome="inconclusive", stop="budget")
        self._model.repeat()  # a model that changed its answers meanwhile has no figure
        self._misled = answer.outcome != "fail" and any(sign.raised for sign in signs)
        return self._figure(
            "masked" if self._misled else answer.outcome,
            last,
            self._evidence(answer, last, signs),
            threshold=least,
        )

    def curve(self) -> Iterator[Measurement]:
        """Yield what the policy's further epsilons leave standing, of the samples that were attacked.

        What the budget leaves no room for has no value.
        """
        wanted = sorted({epsilon for epsilon in self._settings.curve if epsilon != self._settings.epsilon})
        right = self._model.clean.argmax(axis=1) == self._subject.labels
        broken = self._seen[right[self._seen] & ~self._cascade.standing[self._seen]]
        done, before = set(), self._model.passes
        try:
            with self._budget():
                for point in curve.follow(
                    wanted, self._settings.epsilon, self._standing(), broken, self._withstood
                ):
                    done.add(point.epsilon)
                    yield self._point(point.epsilon, point.successes, self._model.passes - before)
                    before = self._model.passes
        except BudgetSpent:
            for epsilon in wanted:
                if epsilon not in done:
                    yield self._point(epsilon, None, 0)

    def _draw(self, start: int, stop: int, bounds: sequential.Bounds) -> int | sequential.Count | None:
        """Attack more samples: with everything only where that could make the look pass."""
        self._subject.progress(
            f"{self._subject.name}: attacking samples {start + 1} to {stop} of {len(self._order)}"
        )
        try:
            self._cascade.begin(self._order[start:stop])
        except BudgetSpent:
            return None
        standing = self._cascade.standing.sum()
        if self._cascade.proves or standing >= bounds.passes:
            return self._settle(bounds)
        return int(standing)

    def _settle(self, bounds: sequential.Bounds) -> int | sequential.Count | None:
        """Attack with everything what was not yet."""
        try:
            self._cascade.finish(bounds.fails)
        except BudgetSpent:
            return None
        standing = int(self._cascade.standing.sum())
        return sequential.Count(standing, self._cascade.proven) if self._cascade.proves else standing

    def _withstood(self, epsilon: float, chosen: "NDArray[np.int64]") -> "NDArray[np.int64]":
        self._subject.progress(
            f"{self._subject.name}: attacking {len(chosen)} samples at epsilon {epsilon:g}"
        )
        cascade = Cascade(self._model, self._samples, replace(self._settings, epsilon=epsilon), self._seed)
        cascade.survivors(chosen)
        return chosen[cascade.standing[chosen]]

    def _standing(self) -> "NDArray[np.int64]":
        """Return the positions of the samples that were looked at and withstood, in order."""
        return self._seen[self._cascade.standing[self._seen]]

    @contextmanager
    def _budget(self) -> Iterator[None]:
        most = self._settings.budget_queries
        self._model.deadline = self._deadline
        self._model.most_passes = None if most is UNSET else self._passes + int(most)
        try:
            yield
        finally:
            self._model.deadline = self._model.most_passes = None

    def _spent(self) -> str:
        """Say which budget was spent: ``queries`` or ``seconds``."""
        most = self._settings.budget_queries
        return "queries" if most is not UNSET and self._model.passes - self._passes >= most else "seconds"

    def _evidence(
        self, answer: sequential.Answer, last: sequential.Look | None, signs: tuple[masking.Signal, ...]
    ) -> dict[str, Any]:
        slug = self._spent() if answer.stop == "budget" else answer.stop
        return {
            "confidence": self.confidence,
            "interval": _INTERVAL,
            "decided_by": "interval",
            "successes": last.successes if last else 0,
            "stop": self._why(slug),
            "stopped_by": slug,
            "attacks": self._cascade.tally,
            "forward_passes": self._model.passes - self._passes,
            "backward_passes": sum(tally["backward"] for tally in self._cascade.tally.values()),
            "masking": [msgspec.to_builtins(sign) for sign in signs],
            "if_masked": self._settings.masked,
            "looks": [
                {"n": each.n, "value": each.value, "low": each.low, "high": each.high}
                for each in answer.looks
            ],
            "budget_seconds": self._settings.budget_seconds,
            "budget_queries": None
            if self._settings.budget_queries is UNSET
            else self._settings.budget_queries,
            **certificate(self._cascade, last),
            **self._common(bound(self._cascade, last), self._settings.epsilon),
        }

    def _common(self, bound: str, epsilon: float) -> dict[str, Any]:
        limits, settings = self._subject.entry.data.range, self._settings
        return {
            "bound": bound,
            "norm": settings.norm,
            "epsilon": epsilon,
            "scale": settings.scale,
            "clipped_to": list(limits) if isinstance(limits, tuple) else None,
            "constraints": told(self._samples.features),
            "seed": self._seed,
            "queries_per_sample": settings.queries,
            "samples": len(self._order),
            **self._detail,
        }

    def _why(self, slug: str) -> str:
        return {
            "decided": "the interval decided",
            "samples": "all samples were used",
            "undecidable": "the samples that are left could not decide",
            "seconds": f"the budget of {self._settings.budget_seconds:g} seconds was spent",
            "queries": f"the budget of {self._settings.budget_queries} forward passes was spent",
        }[slug]

    def _point(self, epsilon: float, successes: int | None, passes: int) -> Measurement:
        n = len(self._seen)
        side = "upper bound"
        if self._misled:
            side = "upper bound (misled attacks)"
        elif self._cascade.black_box and not self._cascade.proves:
            side = "upper bound (black-box)"
        detail = {
            "confidence": self.confidence,
            "interval": "exact (Clopper-Pearson), for this epsilon alone",
            "decided_by": "nothing",
            "forward_passes": passes,
            **self._common(side, epsilon),
        }
        look = None
        if successes is None or n == 0:
            detail["stop"] = self._why(self._spent())
        else:
            low, high = clopper_pearson(successes, n, self.confidence)
            look = sequential.Look(n, successes, low, high, successes)
            detail["successes"] = successes
        return self._figure("info", look, detail, part=f"epsilon={epsilon:g}")

    def _figure(
        self,
        outcome: str,
        look: sequential.Look | None,
        detail: dict[str, Any],
        *,
        threshold: float | None = None,
        part: str = "",
    ) -> Measurement:
        return Measurement(
            self._subject.name,
            "robust_accuracy",
            look.value if look else None,
            look.low if look else None,
            look.high if look else None,
            look.n if look else 0,
            threshold,
            outcome,
            detail,
            family="robustness",
            part=part,
        )
