"""The JSON report, version 1: a contract. Keys are only ever added, and stand in a fixed order."""

from typing import Any

from mlgate.core.facts import Location
from mlgate.core.findings import Finding, Waived
from mlgate.core.report import BaselineStatus, Report, Unjudged
from mlgate.reports._encode import dumps
from mlgate.reports._style import Style

FORMAT = "json"
SUFFIX = ".json"
VERSION = 1


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON is the same in every style
    """Return the report as JSON, complete and uncut."""
    return dumps(
        {
            "version": VERSION,
            "tool": {
                "name": report.tool.name,
                "version": report.tool.version,
                "python": report.tool.python,
                "platform": report.tool.platform,
                "packages": dict(sorted(report.tool.packages.items())),
            },
            "policy": {"path": report.policy.path, "sha256": report.policy.sha256},
            "verdict": report.verdict.value,
            "exit_code": report.exit_code,
            "scope": report.scope,
            "checks": report.checks,
            "fail_on": {check: severity.value for check, severity in report.fail_on.items()},
            "started": report.started,
            "seconds": round(report.seconds, 3),
            "files_seen": report.files_seen,
            "findings": [_finding(finding) for finding in report.findings],
            "not_checked": [_unjudged(item) for item in report.not_checked],
            "inventory": [_fields(record) for record in report.inventory],
            "packages": [_fields(package) for package in report.packages],
            "measurements": [_fields(measurement) for measurement in report.measurements],
            "sources": [
                {
                    "check": source.check.value,
                    "name": source.name,
                    "summary": source.summary,
                    "detail": source.detail,
                }
                for source in report.sources
            ],
            "waivers": [_fields(waiver) for waiver in report.waivers],
            "baseline": _baseline(report.baseline),
        }
    )


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _place(location: Location) -> dict[str, Any]:
    return {name: getattr(location, name) for name in ("path", "member", "line", "offset")}


def _waived(waived: Waived | None) -> dict[str, Any] | None:
    return None if waived is None else _fields(waived)


def _baseline(baseline: BaselineStatus | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    return {**_fields(baseline), "stale": [_fields(entry) for entry in baseline.stale]}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "check": finding.check.value,
        **_place(finding.location),
        "subject": finding.subject,
        "message": finding.message,
        "evidence": finding.evidence,
        "fix": finding.fix,
        "advisory": finding.advisory,
        "aliases": finding.aliases,
        "cvss": finding.cvss,
        "fixed_in": finding.fixed_in,
        "fingerprint": finding.fingerprint,
        "blocks": finding.blocks,
        "waived": _waived(finding.waived),
        "baseline": finding.baseline,
    }


def _unjudged(item: Unjudged) -> dict[str, Any]:
    return {
        "check": item.item.check.value,
        **_place(item.item.location),
        "subject": item.item.subject,
        "reason": item.item.reason,
        "message": item.item.message,
        "counts": item.counts,
        "waived": _waived(item.waived),
        "baseline": item.baseline,
    }
