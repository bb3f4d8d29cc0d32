"""The one place where a run is put together: target, policy, checks, rules, verdict, report."""

import datetime as dt
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlgate import __version__, clearance, contents, rules, target
from mlgate.checks import Scope, collect
from mlgate.core.facts import Check, Location, NotChecked, Observations
from mlgate.core.findings import Finding
from mlgate.core.report import PolicyRef, Report, Tool, Verdict
from mlgate.core.severity import Severity
from mlgate.governance import Governing, governing, own_advisories, shown
from mlgate.policy import load
from mlgate.policy.document import PolicyError
from mlgate.policy.load import PolicyFile
from mlgate.policy.overrides import judge_each, unmatched
from mlgate.policy.verdict import decide, fail_at
from mlgate.target import Target, TargetError

# Whose versions a report names where the run used them.
_LIBRARIES = ("cvss", "msgspec", "numpy", "packaging", "yaml")

# Fewer files than this are not worth another worker.
_FILES_A_JOB = 100
_MOST_JOBS = 16

ALL = (Check.MODELS, Check.DEPENDENCIES, Check.ASSESSMENT)


class Request(Struct, frozen=True, kw_only=True):
    """What a run is asked to do.

    Attributes:
        root: The repository's root, or the folder that paths are relative to.
        checks: The checks to run.
        paths: Named files and folders; None means the repository at ``root``.
        policy: A policy file; None takes ``.mlgate.yaml`` at the root, if there is one.
        policy_ref: A git ref: the policy judges as it is there, and where the one here
            loosens it, that is a finding.
        use_policy: False ignores ``.mlgate.yaml`` (the starter looks at the bare repository).
        fail_on: Severity that overrides every threshold of the policy.
        advisories: A directory or zip of OSV records.
        offline: True forbids every network connection.
        changed_since: A git ref: only files that differ from the merge base with it.
        staged: True: only the blobs that are staged for the next commit.
        force_exclude: True holds named files to the policy's ``include`` and ``exclude``, as
            hooks need it that name whatever was touched.
        assessments: Names of the assessments to run; empty means all.
        writes_baseline: True where the baseline is written from the report: it need not be
            there yet, and every file that has a finding gets a SHA-256.
        jobs: Worker processes for the model check; None takes as many as help, and 0 none.
        today: The day on which waivers are held to their expiry.
        progress: Told, now and then, what is being done.
    """

    root: Path
    checks: tuple[Check, ...] = ALL
    paths: tuple[Path, ...] | None = None
    policy: Path | None = None
    policy_ref: str | None = None
    use_policy: bool = True
    fail_on: Severity | None = None
    advisories: Path | None = None
    offline: bool = False
    changed_since: str | None = None
    staged: bool = False
    force_exclude: bool = False
    assessments: tuple[str, ...] = ()
    writes_baseline: bool = False
    jobs: int | None = 0
    today: dt.date | None = None
    progress: Callable[[str], None] = lambda _message: None


def run(request: Request) -> Report:
    """Run the gate. What goes wrong is part of the report, never an exception of it."""
    started = dt.datetime.now(dt.UTC)
    clock = time.monotonic()
    blank = Report(
        tool=_tool(),
        root=str(request.root),
        scope="nothing",
        checks=tuple(check.value for check in request.checks),
        policy=PolicyRef(),
        fail_on={},
        verdict=Verdict.UNDECIDED,
        rules=rules.load(),
        started=started.isoformat(timespec="seconds"),
    )
    try:
        scope, governed = _scope(request)
    except TargetError as error:
        gap = NotChecked(Check.TARGET, "target", Location("."), str(error))
        return _conclude(request, blank, load.DEFAULT, Observations(not_checked=(gap,)), ())
    except PolicyError as error:
        gap = NotChecked(Check.POLICY, "policy", Location(error.path, line=error.line), error.message)
        broken = replace(load.DEFAULT, path=error.path)
        return _conclude(request, blank, broken, Observations(not_checked=(gap,)), ())
    observations, findings = _observe(request, scope, governed)
    report = replace(
        blank, root=str(scope.target.root), scope=scope.target.summary, files_seen=len(scope.target.files)
    )
    report = _conclude(request, report, scope.policy, observations, findings, seen=scope.target)
    return replace(report, seconds=round(time.monotonic() - clock, 3))


def _scope(request: Request) -> tuple[Scope, Observations]:
    """Return what the checks may look at, and what is to be said of the policy."""
    seen = _target(request)
    governed = _policy(request, seen)
    scope = Scope(
        target=seen,
        policy=governed.policy,
        advisories=request.advisories,
        offline=request.offline,
        assessments=request.assessments,
        jobs=_jobs(request, len(seen.files)),
        progress=request.progress,
    )
    return scope, governed.seen


def _jobs(request: Request, files: int) -> int:
    """Return how many workers look at so many files: one at least, unless none is asked for."""
    if request.jobs is not None:
        return request.jobs
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(available, _MOST_JOBS, files // _FILES_A_JOB), 1)


def _target(request: Request) -> Target:
    if request.staged and request.changed_since is not None:
        raise TargetError("--staged and --changed-since exclude each other; use one")
    if request.staged:
        return target.staged(request.root, request.paths or ())
    if request.changed_since is not None:
        return target.changed(request.root, request.changed_since, request.paths or ())
    if request.paths is not None:
        return target.named(request.paths, request.root)
    return target.repository(request.root)


def _policy(request: Request, seen: Target) -> Governing:
    governed = Governing(load.DEFAULT)
    if request.use_policy:
        governed = governing(
            seen, request.root, request.policy, ref=request.policy_ref, writing=request.writes_baseline
        )
    policy = governed.policy.policy
    if request.paths and not request.force_exclude and all(path.is_file() for path in request.paths):
        # A file that is named is looked at: `exclude` is for what a walk would find.
        named = tuple(shown(path, seen.root) for path in request.paths)
        policy = replace(
            policy,
            models=replace(policy.models, include=("**",), exclude=()),
            dependencies=replace(policy.dependencies, manifests=named),
        )
    if request.fail_on is not None:
        policy = fail_at(policy, request.fail_on)
    return replace(governed, policy=replace(governed.policy, policy=policy))


def _observe(
    request: Request, scope: Scope, governed: Observations
) -> tuple[Observations, tuple[Finding, ...]]:
    files = [check for check in request.checks if check is not Check.ASSESSMENT]
    parts = [governed, *(collect(check, scope) for check in files)]
    if request.policy_ref is not None and request.advisories is None and any(part.packages for part in parts):
        brought = own_advisories(scope.policy.policy, request.root, request.policy_ref)
        parts.append(Observations(not_checked=tuple(brought)))
    if files:
        parts.append(Observations(not_checked=scope.target.not_checked))
        if not scope.target.files and scope.target.whole:
            gap = NotChecked(
                Check.TARGET, "nothing-in-scope", Location("."), "there is no file here to look at"
            )
            parts.append(Observations(not_checked=(gap,)))
        if scope.target.whole and request.paths is None:
            gaps = unmatched(scope.policy, [file.path for file in scope.target.files])
            parts.append(Observations(not_checked=tuple(gaps)))
    if Check.ASSESSMENT in request.checks:
        parts += clearance.assess(
            scope, Observations.merge(parts), _today(request), alone=request.checks == (Check.ASSESSMENT,)
        )
    observations = Observations.merge(parts)
    findings = judge_each(rules.load(), observations.facts, scope.policy.policy, observations.context)
    if any(finding.check is Check.MODELS for finding in findings):
        explain = importlib.import_module("mlgate.checks.models.explain")
        findings = explain.with_evidence(scope, observations.facts, findings)
    if request.writes_baseline or scope.policy.baseline is not None:
        observations = contents.with_digests(scope.target, observations, findings)
    return observations, findings


def _conclude(
    request: Request,
    report: Report,
    policy: PolicyFile,
    observations: Observations,
    findings: Iterable[Finding],
    *,
    seen: Target | None = None,
) -> Report:
    whole = request.paths is None and not request.staged and request.changed_since is None
    complete = whole and set(request.checks) == set(ALL)
    known = contents.by_path(observations.inventory)
    decision = decide(
        policy,
        findings,
        observations.not_checked,
        _today(request),
        complete=complete,
        contents=known,
        staying=contents.staying(seen, policy.baseline, known) if seen is not None else (),
    )
    return replace(
        report,
        tool=_tool(),
        policy=PolicyRef(policy.path, policy.sha256),
        fail_on={check.value: policy.policy.threshold(check) for check in request.checks},
        verdict=decision.verdict,
        findings=decision.findings,
        not_checked=decision.not_checked,
        inventory=tuple(sorted(observations.inventory, key=lambda record: record.path)),
        packages=observations.packages,
        measurements=observations.measurements,
        sources=observations.sources,
        waivers=decision.waivers,
        baseline=decision.baseline,
    )


def _today(request: Request) -> dt.date:
    return request.today or dt.datetime.now(dt.UTC).date()


def _tool() -> Tool:
    return Tool(
        name="mlgate",
        version=__version__,
        python=sys.version.split()[0],
        platform=f"{sys.platform} {os.uname().machine}",
        packages={name: str(sys.modules[name].__version__) for name in _LIBRARIES if name in sys.modules},
    )
