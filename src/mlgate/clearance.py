"""Which assessments run, and which models may be loaded for them: those that the model check passed."""

import datetime as dt
from collections.abc import Iterator

from msgspec import UNSET
from msgspec.structs import replace

from mlgate import rules
from mlgate.checks import Scope, collect
from mlgate.core.facts import Check, Location, NotChecked, Observations, Source
from mlgate.core.severity import Severity
from mlgate.listing import File
from mlgate.policy import load
from mlgate.policy.assessment import Assessment, Data, DataFile, ModelFile
from mlgate.policy.overrides import judge_each
from mlgate.policy.schema import Models
from mlgate.policy.verdict import decide


def assess(scope: Scope, seen: Observations, today: dt.date, *, alone: bool) -> Iterator[Observations]:
    """Clear the models, then assess them. Where nothing of an assessment changed, say so.

    Args:
        scope: Of the run.
        seen: What the other checks saw.
        today: The day on which waivers are held to their expiry.
        alone: True where no other check runs: then a policy without an assessment is an answer
            to nobody's question.
    """
    wanted, unchanged = _selected(scope)
    if not (wanted or unchanged) and alone:
        # Nobody asks for assessments alone and means none.
        message = "the policy names no assessment; add one under `assessment:`"
        place = Location(scope.policy.path or load.NAME)
        yield Observations(not_checked=(NotChecked(Check.ASSESSMENT, "nothing-to-assess", place, message),))
    if unchanged:
        names = ", ".join(unchanged)
        summary = (
            f"{names}: neither the model, the data, the policy nor what builds the model is among the changes"
        )
        yield Observations(sources=(Source(Check.ASSESSMENT, "not run", summary),))
    if wanted:
        entries = scope.policy.policy.assessment
        paths = {path for each in entries if each.name in wanted for path in _models_of(each)}
        extra, cleared = _clear(scope, seen, paths, today)
        yield extra
        yield collect(Check.ASSESSMENT, replace(scope, assessments=wanted, cleared=cleared))


def _selected(scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the assessments to run, and of those that the change does not touch.

    A name that the policy does not know is passed on: the check says so.
    """
    if scope.assessments:
        return scope.assessments, ()
    assessments = scope.policy.policy.assessment
    if scope.target.whole:
        return tuple(each.name for each in assessments), ()
    changed = {file.path for file in scope.target.files} | scope.target.deleted
    touched = {
        each.name
        for each in assessments
        if changed & {*scope.policy.parts, *_files_of(each)} or (_is_built(each) and _any_python(changed))
    }
    return (
        tuple(each.name for each in assessments if each.name in touched),
        tuple(each.name for each in assessments if each.name not in touched),
    )


def _files_of(entry: Assessment) -> set[str]:
    """Return every file that an assessment's figures rest on."""
    beside = (entry.baseline, entry.drift, entry.poisoning)
    files = [entry.model, entry.data]
    for section in beside:
        files += [getattr(section, name) for name in ("model", "reference") if hasattr(section, name)]
    return {file.path for file in files if isinstance(file, ModelFile | DataFile | Data)}


def _is_built(entry: Assessment) -> bool:
    """Say whether a Python file of the repository builds a model that the assessment loads."""
    beside = () if entry.baseline is UNSET else (entry.baseline.model,)
    return any(".py:" in (model.architecture or "") for model in (entry.model, *beside))


def _any_python(paths: set[str]) -> bool:
    """Say whether there is any source among files: what an architecture imports is not followed here."""
    return any(path.endswith(".py") for path in paths)


def _models_of(entry: Assessment) -> set[str]:
    """Return the model files that an assessment loads."""
    return {entry.model.path} | ({entry.baseline.model.path} if entry.baseline is not UNSET else set())


def _clear(
    scope: Scope, seen: Observations, paths: set[str], today: dt.date
) -> tuple[Observations, dict[str, str]]:
    """Let the model check pass or refuse every model that is about to be loaded.

    Returns:
        What had to be looked at beyond ``seen``, and the SHA-256 of each model that may
        be loaded: checked to its end, without an unwaived finding.
    """
    known = {record.path for record in seen.inventory if record.sha256 is not None}
    files = tuple(file for file in map(scope.target.find, sorted(paths - known)) if file is not None)
    extra = collect(Check.MODELS, _only(scope, files)) if files else Observations()
    both = Observations.merge((seen, extra))
    facts = [fact for fact in both.facts if fact.location.path in paths]
    findings = judge_each(rules.load(), facts, scope.policy.policy)
    decision = decide(scope.policy, findings, both.not_checked, today, complete=False)
    refused = {
        finding.location.path
        for finding in decision.findings
        if finding.waived is None and finding.severity > Severity.INFO
    }
    refused |= {gap.item.location.path for gap in decision.not_checked if gap.item.check is Check.MODELS}
    cleared = {
        record.path: record.sha256
        for record in both.inventory
        if record.sha256 is not None and record.status == "checked" and record.path not in refused
    }
    return extra, cleared


def _only(scope: Scope, files: tuple[File, ...]) -> Scope:
    """The model check on these files alone, each of them hashed whatever its size."""
    policy = scope.policy.policy
    limits = replace(policy.limits, hash_bytes=max(policy.limits.hash_bytes, *(file.size for file in files)))
    narrowed = replace(policy, models=Models(allow_globals=policy.models.allow_globals), limits=limits)
    return replace(
        scope,
        target=replace(scope.target, files=files, whole=False, not_checked=()),
        policy=replace(scope.policy, policy=narrowed),
    )
