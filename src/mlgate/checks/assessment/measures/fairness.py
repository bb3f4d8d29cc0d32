"""How differently a model treats groups: the figures are fairlearn's, with exact intervals."""

import importlib.metadata
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import UNSET

from mlgate.checks.assessment.fairness._rates import RATES, between, counts
from mlgate.checks.assessment.figures import Estimate, bounded_well, figure, unmeasured
from mlgate.checks.assessment.groups import members, named, small
from mlgate.checks.assessment.labels import class_column
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Outcomes
from mlgate.checks.assessment.problems import Unassessable, few
from mlgate.core.discovery import module
from mlgate.policy._open import asked
from mlgate.policy.assessment import Bound

ORDER = 30
TASKS = ("classification",)
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "fairness"


def measure(subject: Subject, settings: Any) -> Iterator[Figure]:
    """Measure every metric between the groups; see :class:`mlgate.checks.assessment.measure.Measure`."""
    if importlib.util.find_spec("fairlearn") is None:
        raise Unassessable(
            "extra-missing",
            "fairlearn must be installed to measure fairness: pip install 'mlgate[fairness]'",
            _FAMILY,
        )
    several = len(named(settings.group)) > 1
    for column in named(settings.group):
        rows, problems = _groups(subject, column, settings.min_samples)
        for name, bound in asked(settings, Bound).items():
            found: Any = module("mlgate.checks.assessment.fairness", name)
            key = f"{_FAMILY}.{name}"
            about: dict[str, Any] = {"family": _FAMILY, "key": key, "part": column if several else ""}
            for problem in problems:
                yield unmeasured(subject, name, problem, bound, **about)
            try:
                bounded_well(found, name, key, bound)
                known = _estimate(subject, settings, found, column, rows)
            except Unassessable as problem:
                yield unmeasured(subject, name, problem, bound, **about)
                continue
            yield figure(subject, name, known, bound, **about, group=column)


def _groups(subject: Subject, column: str, fewest: int) -> tuple[Any, list[Unassessable]]:
    """Return the samples that are in groups large enough, and what is wrong with the others."""
    dataset, problems = subject.dataset, []
    kept = np.zeros(len(dataset.y), np.bool_)
    large = 0
    for group, rows in members(dataset, column, f"{_FAMILY}.group").items():
        if rows.sum() < fewest:
            problems.append(small(f"{column}={group}", int(rows.sum()), fewest, f"{_FAMILY}.min_samples"))
        else:
            kept |= rows
            large += 1
    if large < 2:
        raise Unassessable(
            "one-group",
            f"{dataset.name}: {column!r} has no two groups of at least {fewest} samples",
            f"{_FAMILY}.group",
        )
    return kept, problems


def _estimate(subject: Subject, settings: Any, found: Any, column: str, rows: Any) -> Estimate:
    outcomes, said = _outcomes(subject, settings, found, column, rows)
    names, places = np.unique(outcomes.groups, return_inverse=True)
    if found.RATES == ("accuracy",):
        held = counts(np.zeros_like(places), (outcomes.truth != outcomes.answers) * 1, places, len(names))
    else:
        held = counts(outcomes.truth, outcomes.answers, places, len(names))
    shares = {name: RATES[name](held) for name in found.RATES}
    for name, (_, below) in shares.items():
        if not below.all():
            lacking = [str(group) for group in names[below == 0]]
            right = "is" if name == "true_positive" else "is not"
            raise Unassessable(
                "undefined-rate",
                f"{subject.dataset.name}: {column} {few(lacking)} has no sample whose right answer {right} "
                f"the favourable one, so its {name.replace('_', ' ')} rate is undefined",
                f"{_FAMILY}.group",
            )
    value = found.value(outcomes)
    if not np.isfinite(value):
        raise Unassessable(
            "undefined-rate",
            f"{subject.dataset.name}: no group of {column} is ever given the favourable answer where it "
            "counts, and a ratio of zeros is undefined; see that fairness.positive names the right label, "
            "or bound a difference",
            _FAMILY,
        )
    low, high = between(found.SPREAD, shares.values(), subject.entry.confidence)
    detail = {
        "interval": "exact (Clopper-Pearson) for every group, error split over them",
        "library": f"fairlearn {importlib.metadata.version('fairlearn')}",
        "by_group": {
            str(group): {
                "n": int(held[at].sum()),
                **{name: float(above[at] / below[at]) for name, (above, below) in shares.items()},
            }
            for at, group in enumerate(names)
        },
        **said,
    }
    return Estimate(value, low, high, len(outcomes.groups), detail)


def _outcomes(
    subject: Subject, settings: Any, found: Any, column: str, rows: Any
) -> tuple[Outcomes, dict[str, Any]]:
    model: Any = subject.model
    truth, answers = subject.labels[rows], model.clean.argmax(axis=1)[rows]
    groups = subject.dataset.groups[column][rows]
    if found.RATES == ("accuracy",):
        return Outcomes(truth, answers, groups), {}
    if settings.positive is UNSET:
        if model.columns != 2:
            raise Unassessable(
                "no-positive",
                f"the model has {model.columns} classes: say in fairness.positive which label is the "
                "favourable one",
                _FAMILY,
            )
        positive = 1
    else:
        positive = class_column(str(settings.positive), subject.dataset, model.first, model.columns)
    said = {"positive": str(settings.positive) if settings.positive is not UNSET else "the second class"}
    return Outcomes((truth == positive) * 1, (answers == positive) * 1, groups), said
