"""How well a model does in every subgroup: a good average can hide a bad part.

Every group is held against the bound, so the worst one decides. A group that is too small
to carry a figure is not checked, and said to be.
"""

from collections.abc import Iterator
from typing import Any

from mlgate.checks.assessment.figures import estimate, figure, metric, unmeasured
from mlgate.checks.assessment.groups import members, named, small
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import predictions
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy._open import asked
from mlgate.policy.assessment import Bound

ORDER = 20
TASKS = ("classification", "regression")
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "subgroups"


def measure(subject: Subject, settings: Any) -> Iterator[Figure]:
    """Measure every metric in every group; see :class:`mlgate.checks.assessment.measure.Measure`."""
    every = predictions(subject)
    parts = {column: members(subject.dataset, column, f"{_FAMILY}.by") for column in named(settings.by)}
    comparisons = sum(map(len, parts.values()))
    for name, bound in asked(settings, Bound).items():
        key = f"{_FAMILY}.{name}"
        try:
            found = metric(name, subject.entry.task, key, bound)
        except Unassessable as problem:
            yield unmeasured(subject, name, problem, bound, family=_FAMILY, key=key)
            continue
        said = _said(subject, comparisons)
        for column, groups in parts.items():
            for group, rows in groups.items():
                part = f"{column}={group}"
                count = int(rows.sum())
                try:
                    if count < settings.min_samples:
                        raise small(part, count, settings.min_samples, f"{_FAMILY}.min_samples")
                    known = estimate(found, every.part(rows), subject.entry.confidence, subject.entry.seed)
                except Unassessable as problem:
                    yield unmeasured(subject, name, problem, bound, family=_FAMILY, key=key, part=part)
                    continue
                yield figure(subject, name, known, bound, family=_FAMILY, key=key, part=part, **said)


def _said(subject: Subject, comparisons: int) -> dict[str, Any]:
    """Say how often chance alone makes one of many intervals miss."""
    miss = 1 - subject.entry.confidence**comparisons
    return {
        "comparisons": comparisons,
        "chance_that_an_interval_misses": miss,
        "read_as": "each interval holds for its own group; among so many groups one may miss by chance",
    }
