"""What the types of a policy cannot say: paths, globs, waivers and ranges that make sense.

Paths are brought to one spelling here, so that every check names a file alike.
"""

import posixpath
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from mlgate.policy._open import asked
from mlgate.policy.assessment import Assessment, Bound, Corruption
from mlgate.policy.globs import compile_globs
from mlgate.policy.schema import Override, Policy, Threshold

_SHORTEST_REASON = 10
# Returns the error for a key and what is wrong with it.
Fail: TypeAlias = Callable[[str, str], Exception]


def settle(policy: Policy, fail: Fail) -> Policy:
    """Return the policy with its paths in one spelling.

    Raises:
        PolicyError: What ``fail`` makes of the first thing that makes no sense.
    """
    for key, problem in _problems(policy):
        raise fail(key, problem)

    def path(value: Any, key: str) -> Any:
        try:
            return normal(value) if isinstance(value, str) else value
        except ValueError as error:
            raise fail(key, str(error)) from error

    dependencies = policy.dependencies
    if dependencies.manifests is not UNSET:
        manifests = [
            path(value, f"dependencies.manifests[{at}]") for at, value in enumerate(dependencies.manifests)
        ]
        dependencies = replace(dependencies, manifests=tuple(dict.fromkeys(manifests)))
    database = path(dependencies.advisories.path, "dependencies.advisories.path")
    return replace(
        policy,
        baseline=path(policy.baseline, "baseline"),
        dependencies=replace(dependencies, advisories=replace(dependencies.advisories, path=database)),
        assessment=tuple(
            _spelled(entry, lambda value, key, at=at: path(value, f"assessment[{at}].{key}"))  # type: ignore[misc]
            for at, entry in enumerate(policy.assessment)
        ),
    )


def _spelled(entry: Assessment, path: Callable[[str, str], str]) -> Assessment:
    """Return an assessment with the paths of its files in one spelling."""

    def file(held: Any, key: str) -> Any:
        return held if held is UNSET else replace(held, path=path(held.path, f"{key}.path"))

    def inner(section: Any, field: str, key: str) -> Any:
        if section is UNSET:
            return section
        return replace(section, **{field: file(getattr(section, field), f"{key}.{field}")})

    return replace(
        entry,
        model=file(entry.model, "model"),
        data=file(entry.data, "data"),
        baseline=inner(entry.baseline, "model", "baseline"),
        drift=inner(entry.drift, "reference", "drift"),
        poisoning=inner(entry.poisoning, "reference", "poisoning"),
    )


def normal(path: str) -> str:
    """Return a path from the repository's root in its one spelling.

    Raises:
        ValueError: It leaves the repository, or is no path with forward slashes.
    """
    if "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} is not a path with forward slashes")
    spelled = posixpath.normpath(path)
    if path.startswith("/") or spelled == ".." or spelled.startswith("../"):
        raise ValueError(f"{path!r} leaves the repository; write a path from its root")
    if spelled == ".":
        raise ValueError(f"{path!r} is the repository itself; name a file in it")
    return spelled


def _problems(policy: Policy) -> Iterator[tuple[str, str]]:
    yield from _globs(policy)
    yield from _waivers(policy)
    thresholds = [("dependencies.fail_on", policy.dependencies.fail_on)]
    thresholds += [
        (f"overrides[{at}].dependencies.fail_on", each.dependencies.fail_on)
        for at, each in enumerate(policy.overrides)
    ]
    for key, threshold in thresholds:
        if isinstance(threshold, Threshold) and threshold.severity is UNSET and threshold.cvss is UNSET:
            yield key, "says neither severity nor cvss; name one, or remove the key"
    paths: Counter[str] = Counter()
    for at, each in enumerate(policy.overrides):
        paths[each.path] += 1
        if paths[each.path] > 1:
            yield f"overrides[{at}].path", f"{each.path!r} stands twice; say all of it in one place"
        if each == Override(path=each.path):
            yield f"overrides[{at}]", "says nothing else for these files; say what holds there, or remove it"
    yield from _assessments(policy.assessment)


def _globs(policy: Policy) -> Iterator[tuple[str, str]]:
    patterns = [(f"models.include[{at}]", glob) for at, glob in enumerate(policy.models.include)]
    patterns += [(f"models.exclude[{at}]", glob) for at, glob in enumerate(policy.models.exclude)]
    patterns += [(f"dependencies.exclude[{at}]", glob) for at, glob in enumerate(policy.dependencies.exclude)]
    patterns += [(f"overrides[{at}].path", each.path) for at, each in enumerate(policy.overrides)]
    patterns += [
        (f"waivers[{at}].path", waiver.path)
        for at, waiver in enumerate(policy.waivers)
        if isinstance(waiver.path, str)
    ]
    for key, pattern in patterns:
        try:
            compile_globs([pattern])
        except ValueError as error:
            yield key, str(error)


def _waivers(policy: Policy) -> Iterator[tuple[str, str]]:
    for at, waiver in enumerate(policy.waivers):
        if (waiver.rule is UNSET) == (waiver.not_checked is UNSET):
            yield (
                f"waivers[{at}]",
                "say what is waived by `rule` or by `not_checked`, one of the two",
            )
        if waiver.advisory is not UNSET and waiver.rule is UNSET:
            yield (
                f"waivers[{at}].advisory",
                "an advisory belongs to a finding; name its `rule`, or remove this key",
            )
        if waiver.until_fixed and not str(waiver.rule).startswith("MLG-DEP-"):
            yield (
                f"waivers[{at}].until_fixed",
                "a fix is known of advisories alone; name MLG-DEP-001 as the `rule`, or remove this key",
            )
        if len(waiver.reason.strip()) < _SHORTEST_REASON:
            yield f"waivers[{at}].reason", "says nothing; a reviewer must read why this is acceptable"


def _bounds(entry: Assessment) -> Iterator[tuple[str, str]]:
    """Find bounds that bound nothing."""
    sections = {"performance": entry.performance, "subgroups": entry.subgroups, "fairness": entry.fairness}
    for section, held in sections.items():
        if held is UNSET:
            continue
        bounds = asked(held, Bound)
        if not bounds:
            yield section, "asks for nothing; name a metric with a min or a max"
        for name, bound in bounds.items():
            if (bound.min is UNSET) == (bound.max is UNSET):
                yield f"{section}.{name}", "needs a min or a max, one of the two"
    if entry.corruptions is not UNSET:
        corruptions = asked(entry.corruptions, Corruption)
        if not corruptions:
            yield "corruptions", "asks for nothing; name a corruption with a max_drop or a min"
        for name, corruption in corruptions.items():
            if corruption.min is UNSET and corruption.max_drop is UNSET:
                yield f"corruptions.{name}", "needs a max_drop or a min"
    if entry.drift is not UNSET and entry.drift.psi is UNSET and entry.drift.ks is UNSET:
        yield "drift", "asks for nothing; bound psi or ks"
    if entry.subgroups is not UNSET and "latency_ms" in asked(entry.subgroups, Bound):
        yield "subgroups.latency_ms", "is no figure of a part of the data; ask for it in `performance`"


def _columns(entry: Assessment) -> Iterator[tuple[str, str]]:
    """Find columns that are said to be two things, or nothing."""
    names: Counter[str] = Counter()
    for at, column in enumerate(entry.data.columns):
        names[column.name] += 1
        if names[column.name] > 1:
            yield (
                f"data.columns[{at}].name",
                f"{column.name!r} stands twice; say all of a column in one place",
            )
        limits = column.range
        if isinstance(limits, tuple) and not limits[0] < limits[1]:
            yield (
                f"data.columns[{at}].range",
                f"{list(limits)} is not the smallest value and then the largest",
            )


def _assessments(entries: tuple[Assessment, ...]) -> Iterator[tuple[str, str]]:
    names: Counter[str] = Counter()
    for at, entry in enumerate(entries):
        names[entry.name] += 1
        if names[entry.name] > 1:
            yield (
                f"assessment[{at}].name",
                f"{entry.name!r} stands twice; a name belongs to one assessment",
            )
        for key, problem in (*_bounds(entry), *_columns(entry)):
            yield f"assessment[{at}].{key}", problem
        if "\n" in entry.name:
            yield f"assessment[{at}].name", "holds a line break; write it on one line"
        limits = entry.data.range
        if isinstance(limits, tuple) and not limits[0] < limits[1]:
            yield (
                f"assessment[{at}].data.range",
                f"{list(limits)} is not the smallest value and then the largest",
            )
