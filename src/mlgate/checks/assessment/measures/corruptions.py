"""How a model bears what goes wrong with its input: noise, blur, missing values, wrong units.

The figure at the severity that the policy names decides. The other severities are measured
to be drawn, on fewer samples where there are many.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import replace

from mlgate.checks.assessment.corruption import SEVERITIES, Form, Material, form, ground
from mlgate.checks.assessment.figures import bounded_well, estimate, figure, metric, unmeasured
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.metric import Predictions, predictions
from mlgate.checks.assessment.paired import worse
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import module, names
from mlgate.policy._open import asked
from mlgate.policy.assessment import Bound, Corruption

ORDER = 40
TASKS = ("classification", "regression")
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "corruptions"
_CORRUPTIONS = "mlgate.checks.assessment.corruptions"
_METRICS = {"classification": ("accuracy", "accuracy_drop"), "regression": ("rmse", "rmse_increase")}
_MOST_SHOWN = 500
# Corrupted at once: images take several times their size on the way.
_MOST_VALUES = 1 << 22


class _Bench(Struct, frozen=True):
    """What every corruption is tried on."""

    subject: Subject
    form: Form
    ground: Material
    clean: Predictions
    metric: Any
    name: str
    drop: str


def measure(subject: Subject, settings: Any) -> Iterator[Figure]:
    """Try every corruption asked for; see :class:`mlgate.checks.assessment.measure.Measure`."""
    name, drop = _METRICS[subject.entry.task]
    laid = form(subject.dataset, subject.entry.data)
    bench = _Bench(
        subject,
        laid,
        ground(subject.dataset, subject.entry.data, laid),
        predictions(subject),
        metric(name, subject.entry.task, _FAMILY),
        name,
        drop,
    )
    # What may end the worker comes last: nothing is asked of it any more.
    wanted = sorted(asked(settings, Corruption).items(), key=lambda item: item[0] == "missing")
    for corruption, limits in wanted:
        subject.progress(f"{subject.name}: {corruption}")
        yield from _tried(bench, corruption, limits)


def _tried(bench: _Bench, corruption: str, limits: Corruption) -> Iterator[Figure]:
    key, part = f"{_FAMILY}.{corruption}", f"{corruption}/{limits.severity}"
    about: dict[str, Any] = {"family": _FAMILY, "key": key, "part": part}
    floor = None if limits.min is UNSET else Bound(limits.min)
    most = None if limits.max_drop is UNSET else Bound(UNSET, limits.max_drop)
    entry = bench.subject.entry
    try:
        done: Any = module(_CORRUPTIONS, corruption)
        _suits(done, bench, corruption, key)
        bounded_well(bench.metric, bench.name, f"{key}.min", floor)
        every = np.arange(len(bench.subject.x))
        after = _answers(bench, done, corruption, limits.severity, every)
        known = estimate(bench.metric, after, entry.confidence, entry.seed)
        lost = worse(bench.metric, bench.clean, after, entry.confidence, entry.seed)
    except Unassessable as problem:
        yield unmeasured(bench.subject, bench.name, problem, floor or most, **about)
        return
    said = {"severities": done.MEANING, "kind": bench.form.kind, "range_from_the_data": bench.form.assumed}
    yield figure(bench.subject, bench.name, known, floor, **about, **said)
    if most is not None:
        yield figure(bench.subject, bench.drop, lost, most, at="max_drop", **about, **said)
    yield from _shown(bench, done, corruption, limits.severity)


def _shown(bench: _Bench, done: Any, corruption: str, asked_for: int) -> Iterator[Figure]:
    """Measure the other severities, to be drawn."""
    entry, total = bench.subject.entry, len(bench.subject.x)
    rows = np.sort(np.random.default_rng(entry.seed).permutation(total)[:_MOST_SHOWN])
    for severity in SEVERITIES:
        if severity != asked_for:
            try:
                after = _answers(bench, done, corruption, severity, rows)
                known = estimate(bench.metric, after, entry.confidence, entry.seed)
            except Unassessable as problem:
                if problem.reason.startswith("worker-"):
                    raise
                continue  # nobody asked for it, so there is nothing to draw and nothing amiss
            part = f"{corruption}/{severity}"
            yield figure(
                bench.subject,
                bench.name,
                known,
                None,
                family=_FAMILY,
                key=f"{_FAMILY}.{corruption}",
                part=part,
            )


def _suits(done: Any, bench: _Bench, corruption: str, key: str) -> None:
    kind = bench.form.kind
    if kind in done.KINDS:
        return
    able = [name for name in names(_CORRUPTIONS) if kind in module(_CORRUPTIONS, name).KINDS]
    hint = ""
    if kind == "tabular" and "image" in done.KINDS:
        hint = "; if its rows are images, say their height and width: `data: {image: [28, 28]}`"
    raise Unassessable(
        "wrong-corruption",
        f"{corruption} is done to {' or '.join(done.KINDS)} data, and {bench.subject.dataset.name} "
        f"is {kind}; there is {', '.join(able)}{hint}",
        key,
    )


def _answers(bench: _Bench, done: Any, name: str, severity: int, rows: Any) -> Predictions:
    """Return the model's answers to corrupted samples; a seed settles what is done to them."""
    subject = bench.subject
    model: Any = subject.model
    rng = np.random.default_rng([subject.entry.seed, severity, zlib.crc32(name.encode())])
    step = max(1, _MOST_VALUES // max(1, subject.dataset.x[:1].size))
    scores = []
    for start in range(0, len(rows), step):
        chosen = rows[start : start + step]
        opened = replace(bench.ground, x=bench.form.opened(subject.dataset.x[chosen]))
        stored = bench.form.closed(done.corrupt(opened, severity, rng), subject.dataset.x.dtype)
        given = stored.reshape(len(chosen), *subject.x.shape[1:]).astype(subject.x.dtype)
        scores.append(model.predict(given))
    return Predictions(bench.clean.labels[rows], np.concatenate(scores), bench.clean.meaning)
