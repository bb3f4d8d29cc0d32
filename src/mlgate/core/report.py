"""The one model that every report format renders."""

import enum
from collections.abc import Mapping

from msgspec import Struct

from mlgate.core.facts import FileRecord, Measurement, NotChecked, Package, Source
from mlgate.core.findings import Finding, Waived
from mlgate.core.rules import Rule
from mlgate.core.severity import Severity


@enum.unique
class Verdict(enum.Enum):
    """The answer of a run."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNDECIDED = "undecided"

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""
        return {"pass": 0, "fail": 1, "undecided": 2}[self.value]


class PolicyRef(Struct, frozen=True):
    """Which policy decided: its path, and the digest of its bytes and all it extends.

    Both are None where the run used the defaults.
    """

    path: str | None = None
    sha256: str | None = None


class Tool(Struct, frozen=True):
    """What made the report."""

    name: str
    version: str
    python: str
    platform: str
    packages: Mapping[str, str] = {}


class Unjudged(Struct, frozen=True):
    """Something not checked, after the policy was applied to it.

    Attributes:
        item: What was not checked.
        counts: True where it makes the run undecided.
        waived: The waiver that accepts it.
        baseline: True where the baseline knows it.
    """

    item: NotChecked
    counts: bool = True
    waived: Waived | None = None
    baseline: bool = False


class WaiverStatus(Struct, frozen=True):
    """What became of one waiver of the policy.

    Attributes:
        summary: ``MLG-DEP-001 PYSEC-2025-194 in requirements.txt``.
        reason: In the policy's words.
        expires: ISO date.
        line: Its line in the policy.
        status: ``used``, ``unused``, ``expired``, or ``fixed``: it held until a fix
            existed, and one does.
        matched: How many findings or items it met (also when expired).
    """

    summary: str
    reason: str
    expires: str
    line: int | None
    status: str
    matched: int


class BaselineEntry(Struct, frozen=True):
    """An entry of the baseline that holds nothing any more.

    Attributes:
        summary: ``MLG-PKL-002 posix.system in models/a.pkl``.
        status: ``gone``: it no longer occurs; ``changed``: it does, in a file whose content
            is another one, and counts as new; ``worse``: it does, with a higher severity,
            and counts as new.
        fingerprint: The entry's.
    """

    summary: str
    status: str
    fingerprint: str


class BaselineStatus(Struct, frozen=True):
    """What became of the baseline.

    Attributes:
        path: Of the file, relative to the target's root.
        sha256: Its digest.
        entries: How many it holds.
        known: How many findings and items not checked it knows.
        stale: Entries that hold nothing any more; ``mlgate baseline`` removes them. What a
            run did not look at is never called gone.
    """

    path: str
    sha256: str
    entries: int
    known: int
    stale: tuple[BaselineEntry, ...] = ()


class PastRun(Struct, frozen=True):
    """The numbers of one earlier run, from its JSON report.

    Attributes:
        path: The report's file, as it was named.
        started: ISO 8601 time, UTC.
        verdict: The answer then.
        blocking: Findings that failed the run.
        severities: Findings that nothing accepted, by severity; blocking ones included.
        accepted: Findings that a waiver or the baseline accepted.
        not_checked: Items not checked that counted.
        policy: The policy's digest, or None.
        version: Version of mlgate.
    """

    path: str
    started: str
    verdict: Verdict
    blocking: int = 0
    severities: Mapping[str, int] = {}
    accepted: int = 0
    not_checked: int = 0
    policy: str | None = None
    version: str = ""


class History(Struct, frozen=True):
    """Earlier runs, for a trend.

    Attributes:
        runs: Oldest first.
        unreadable: What was named and could not be read, each with the reason.
    """

    runs: tuple[PastRun, ...] = ()
    unreadable: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """Everything a run has to say.

    Attributes:
        tool: What made the report.
        root: Absolute path of the target's root, for resolving paths.
        scope: One line: what the run looked at.
        checks: The checks that ran, in order.
        policy: Which policy decided.
        fail_on: The severity at which a finding fails, by check.
        verdict: The answer.
        findings: Worst first; waived ones included.
        not_checked: Everything that could not be judged.
        inventory: Model files, in path order.
        files_seen: How many files the run looked at to find them.
        packages: Required packages.
        measurements: Figures about models.
        sources: What the answers rest on.
        waivers: What became of each waiver.
        baseline: What became of the baseline, or None where the policy names none.
        history: Earlier runs to compare with, or None where none were named.
        rules: Every rule there is, by id.
        started: ISO 8601 time, UTC.
        seconds: Wall time.
    """

    tool: Tool
    root: str
    scope: str
    checks: tuple[str, ...]
    policy: PolicyRef
    fail_on: Mapping[str, Severity]
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[Unjudged, ...] = ()
    inventory: tuple[FileRecord, ...] = ()
    files_seen: int = 0
    packages: tuple[Package, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    sources: tuple[Source, ...] = ()
    waivers: tuple[WaiverStatus, ...] = ()
    baseline: BaselineStatus | None = None
    history: History | None = None
    rules: tuple[Rule, ...] = ()
    started: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """The verdict's exit code."""
        return self.verdict.exit_code
