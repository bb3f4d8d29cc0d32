"""The GitLab report: Code Quality, which every tier of GitLab shows in the merge request.

GitLab has two families of reports. Its security reports are parsed in the Ultimate tier
alone (elsewhere they are a download), and each holds one kind of scan; a Code Quality
report is compared with the target branch and shown in the merge request in every tier,
and takes models, dependencies and assessments alike. Neither stops a merge by itself: the
job's exit code does.

Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlgate.core.findings import fingerprint
from mlgate.core.report import Verdict
from mlgate.core.severity import Severity
from mlgate.reports import _summary as summary
from mlgate.reports._encode import dumps
from mlgate.reports._text import clip, listed, place, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlgate.core.facts import Location
    from mlgate.core.findings import Finding
    from mlgate.core.report import Report, Unjudged
    from mlgate.reports._style import Style

FORMAT = "gitlab"
SUFFIX = ".gl-code-quality.json"
_DEFAULT_POLICY = ".mlgate.yaml"
_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}
_LONGEST = 1_000


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON is the same in every style
    """Return a Code Quality report: a list of findings and of what was not checked.

    A verdict that is no pass is an entry of its own, so that a merge request shows it as
    new. What a waiver or the baseline accepts is listed as ``info``. Fingerprints are those
    of every other report: a line inserted above makes no old finding new.
    """
    fallback = report.policy.path or _DEFAULT_POLICY
    return dumps([*_verdict(report, fallback), *_entries(report, fallback)])


def _verdict(report: Report, path: str) -> Iterator[dict[str, Any]]:
    if report.verdict is not Verdict.PASS:
        words = f"mlgate: {report.verdict.value} ({summary.exit_words(report)}): {summary.headline(report)}"
        severity = "blocker" if report.verdict is Verdict.FAIL else "critical"
        mark = fingerprint("verdict", report.verdict.value)
        yield _entry("mlgate-verdict", words, severity, mark=mark, path=path, line=1)


def _entries(report: Report, fallback: str) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        yield _finding(finding, fallback)
    seen: dict[str, int] = {}
    for entry in report.not_checked:
        mark = _identity(entry)
        seen[mark] = seen.get(mark, 0) + 1
        yield _gap(entry, fingerprint(mark, str(seen[mark])), fallback)


def _finding(finding: Finding, fallback: str) -> dict[str, Any]:
    accepted = summary.accepted(finding)
    words = listed([accepted, finding.message + _inside(finding.location)])
    return _entry(
        finding.rule,
        words,
        "info" if accepted else _SEVERITY[finding.severity],
        mark=finding.fingerprint,
        path=finding.location.path or fallback,
        line=finding.location.line,
    )


def _gap(entry: Unjudged, mark: str, fallback: str) -> dict[str, Any]:
    item = entry.item
    subject = f"{item.subject}: " if item.subject else ""
    words = f"Not checked ({summary.effect(entry)}): {subject}{item.message}{_inside(item.location)}"
    severity = "critical" if summary.standing(entry) == "undecided" else "info"
    name = f"not-checked/{item.reason}"
    path = item.location.path or fallback
    return _entry(name, words, severity, mark=mark, path=path, line=item.location.line)


def _inside(location: Location) -> str:
    """Return the place inside a binary, which GitLab shows nowhere else."""
    spot = place(location) if location.line is None else ""
    return f" (in {spot})" if spot else ""


def _identity(entry: Unjudged) -> str:
    item = entry.item
    return fingerprint(item.check.value, item.reason, item.location.path, item.location.member, item.subject)


def _entry(name: str, words: str, severity: str, *, mark: str, path: str, line: int | None) -> dict[str, Any]:
    return {
        "description": clip(printable(words), _LONGEST),
        "check_name": printable(name),
        "fingerprint": mark,
        "severity": severity,
        # Relative to the repository, and a line even where there is none: GitLab drops an entry without.
        "location": {
            "path": printable(path).lstrip("/") or _DEFAULT_POLICY,
            "lines": {"begin": max(line or 1, 1)},
        },
    }
