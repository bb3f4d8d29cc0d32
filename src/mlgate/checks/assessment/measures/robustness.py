"""How well a model withstands an attacker, decided with a confidence.

Attacks give an *upper bound* of the robust accuracy: a stronger attacker may leave less.
Where they see scores only, the report says so. Where signs say that they were misled, the
figure shows nothing, and passes nothing.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from msgspec.structs import replace

from mlgate.checks.assessment import sequential
from mlgate.checks.assessment.cascade import follows
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.trial import Trial
from mlgate.core.facts import Measurement
from mlgate.policy.assessment import Robustness

ORDER = 90
TASKS = ("classification",)
INPUTS = ("numbers",)
ALWAYS = False


def measure(subject: Subject, settings: Robustness) -> Iterator[Figure]:
    """Attack until the threshold is decided; see :class:`mlgate.checks.assessment.measure.Measure`."""
    with ExitStack() as stack:
        detail = dict(subject.detail)
        model: Any = subject.model
        if model.trees is None and "trees" in model.worker.signature.offers:
            detail["trees"] = model.open()
        # What is verified needs no gradients, and trees have none.
        plain = model.guide is None and model.trees is None
        if subject.twin is not None and plain and follows(settings):
            detail["gradients"] = stack.enter_context(subject.twin())
        trial = Trial(subject, model, settings, detail)
        figure = trial.decide()
        yield Figure(figure, "robustness.min_accuracy", gap(figure, settings, trial.confidence))
        if "certificate" in figure.detail:
            yield Figure(certified(figure), "robustness.min_accuracy")
        for point in trial.curve():
            yield Figure(point, "robustness.curve")


def gap(figure: Measurement, settings: Robustness, confidence: float) -> tuple[str, str] | None:
    """Return why a figure decides nothing, where that makes the run undecided."""
    if figure.outcome == "inconclusive":
        return "inconclusive", undecided(figure, settings, confidence)
    if figure.outcome == "masked" and settings.masked == "undecided":
        signs = ", ".join(sign["signal"] for sign in figure.detail["masking"] if sign["raised"])
        message = (
            f"robustness of {figure.assessment}: the attacks were misled ({signs}), so the figure shows "
            "nothing; assess the model without what hides its gradients (`mlgate explain MLG-ASM-004`)"
        )
        return "masked", message
    return None


def certified(figure: Measurement) -> Measurement:
    """Return the lower bound beside an upper bound: the share of samples that are proven to stand."""
    held = figure.detail["certificate"]
    return replace(
        figure,
        name="certified_accuracy",
        value=held["value"],
        low=held["low"],
        high=held["high"],
        outcome="info",
        detail={**figure.detail, "bound": held["bound"], "successes": held["proven"]},
    )


def undecided(figure: Measurement, settings: Robustness, confidence: float) -> str:
    """Say why a measurement is inconclusive and what would help."""
    if figure.value is None:
        return (
            f"robustness of {figure.assessment}: no look was finished when {figure.detail['stop']}; raise "
            f"budget_{figure.detail['stopped_by']} or lower queries"
        )
    interval = f"{figure.value:.3f}, interval {figure.low:.3f} to {figure.high:.3f} on {figure.n} samples"
    said = f"robustness of {figure.assessment}: {interval}, still holds the minimum {settings.min_accuracy:g}"
    if figure.detail["stopped_by"] in ("seconds", "queries"):
        return f"{said} when {figure.detail['stop']}; raise budget_{figure.detail['stopped_by']}"
    if settings.min_accuracy == 1:
        return f"{said}; no number of samples can show that nothing breaks a model: ask for less than 1"
    needed = sequential.samples_needed(figure.value, settings.min_accuracy, confidence)
    if needed is None:
        return f"{said}; the figure is too close to the minimum for any amount of data to decide"
    return f"{said}; more data (about {needed} samples at this rate) would decide, or a minimum further away"
