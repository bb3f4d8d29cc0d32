"""The SARIF 2.1.0 report, by the rules that GitHub code scanning and DefectDojo read it with."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from mlgate.core.facts import Check
from mlgate.reports import _summary as summary
from mlgate.reports._encode import dumps
from mlgate.reports._sarif_encode import plain
from mlgate.reports._sarif_lines import Lines
from mlgate.reports._sarif_place import ROOT, Places
from mlgate.reports._sarif_rules import LEVEL, Descriptors
from mlgate.reports._text import clip, counted, excerpt, place, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Location
    from mlgate.core.findings import Finding
    from mlgate.core.report import Report, Unjudged
    from mlgate.reports._style import Style

FORMAT = "sarif"
SUFFIX = ".sarif"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
CATEGORY = "mlgate/"
# GitHub's limits: 25,000 results in a run, of which it shows 5,000, and 10 MB compressed.
RESULTS, SHOWN, COMPRESSED = 25_000, 5_000, 9_500_000
_NOTIFICATIONS, _TEXT = 1_000, 2_000
_CUT = "report-cut"


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - SARIF is the same in every style
    """Return the report as SARIF within GitHub's limits.

    Waived findings are left out: GitHub ignores suppressions and would show them. Where
    there are too many findings the least severe are left out, and a notification says so.
    """
    active = [finding for finding in report.findings if finding.waived is None]
    active.sort(key=lambda finding: -finding.severity.rank)
    keep = min(len(active), RESULTS)
    while True:
        text = dumps(plain(_log(report, active[:keep], len(active))))
        if keep == 0 or _fits(text):
            return text
        keep //= 2


def _fits(text: str) -> bool:
    if len(text) < COMPRESSED // 4:  # no character takes more than four bytes
        return True
    return len(zlib.compress(text.encode(), 6)) + 64 < COMPRESSED


def _log(report: Report, findings: Sequence[Finding], total: int) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    places = Places(report)
    descriptors = Descriptors(report)
    lines = Lines(report.root)
    results = [_result(finding, descriptors, places, lines) for finding in findings]
    reasons = [_CUT, *sorted({item.item.reason for item in report.not_checked})]
    driver = om.ToolComponent(
        name=report.tool.name,
        full_name=f"{report.tool.name} {report.tool.version}",
        version=report.tool.version,
        semantic_version=report.tool.version,
        short_description=om.MultiformatMessageString(
            text="Gates model files, dependencies and robustness of machine-learning repositories."
        ),
        rules=descriptors.rules,
        notifications=[_reason(reason) for reason in reasons],
    )
    run = om.Run(
        tool=om.Tool(driver=driver),
        automation_details=om.RunAutomationDetails(id=CATEGORY),
        # No absolute path: it would tell about the machine and help no reader, since GitHub
        # resolves relative references against the checkout.
        original_uri_base_ids={
            ROOT: om.ArtifactLocation(
                description=om.Message(text="The root of the repository that was checked.")
            )
        },
        invocations=[_invocation(report, places, len(results), total)],
        results=results,
        column_kind="unicodeCodePoints",
        properties={
            "verdict": report.verdict.value,
            "scope": printable(report.scope),
            "policy": {"path": report.policy.path, "sha256": report.policy.sha256},
            "waived": sum(finding.waived is not None for finding in report.findings),
        },
    )
    return om.SarifLog(version="2.1.0", schema_uri=SCHEMA, runs=[run])


def _result(finding: Finding, descriptors: Descriptors, places: Places, lines: Lines) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    rule, index = descriptors.find(finding)
    marks = {"mlgate/v1": finding.fingerprint}
    # A binary has no lines, and two advisories on one line would have one hash and become one alert.
    own = places.is_binary(finding.location) or finding.advisory is not None
    mark = f"{finding.fingerprint[:16]}:1" if own else lines.mark(finding.location)
    if mark is not None:
        marks["primaryLocationLineHash"] = mark
    return om.Result(
        rule_id=rule,
        rule_index=index,
        level=LEVEL[finding.severity],
        kind="fail",
        message=om.Message(text=_message(finding.message, finding.location)),
        locations=[places.sarif(finding.location)],
        partial_fingerprints=marks,
        properties={
            "severity": finding.severity.value,
            "blocks": finding.blocks,
            "baseline": finding.baseline or None,
            "subject": _safe(finding.subject),
            "member": None if finding.location.member is None else printable(finding.location.member),
            "offset": finding.location.offset,
            "advisory": finding.advisory,
            "aliases": list(finding.aliases) or None,
            "cvss": finding.cvss,
            "evidence": _evidence(finding.evidence),
            "fix": "\n".join(excerpt(finding.fix, lines=40, width=400)),
        },
    )


def _evidence(evidence: str | None) -> str | None:
    return None if evidence is None else "\n".join(excerpt(evidence, lines=20, width=400))


def _message(message: str, location: Location) -> str:
    """Return a message; inside a binary it names the place, which GitHub shows nowhere else."""
    spot = place(location) if location.line is None else ""
    return _safe(message) + (f" (in {_safe(spot)})" if spot else "")


def _safe(text: str) -> str:
    """Return text on one line in which no reader finds an embedded link (SARIF 3.11.6)."""
    return clip(printable(text), _TEXT).replace("](", "] (")


def _invocation(report: Report, places: Places, kept: int, total: int) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    gaps = sorted(report.not_checked, key=lambda entry: not entry.counts)
    policy = [entry for entry in gaps if entry.item.check is Check.POLICY]
    others = [entry for entry in gaps if entry.item.check is not Check.POLICY]
    execution = [_notification(entry, places) for entry in others[:_NOTIFICATIONS]]
    if len(others) > _NOTIFICATIONS:
        execution.append(_note(f"{counted(len(others) - _NOTIFICATIONS, 'more item')} could not be checked."))
    if total > kept:
        text = (
            f"{counted(total - kept, 'finding')} of {total:,} left out, the least severe first: "
            f"a run may have {RESULTS:,} results and 10 MB compressed. The JSON report has them all."
        )
        execution.append(_note(text))
    if kept > SHOWN:
        execution.append(_note(f"GitHub shows the {SHOWN:,} most severe of these {kept:,} results."))
    return om.Invocation(
        execution_successful=not any(entry.counts for entry in gaps),
        exit_code=report.exit_code,
        exit_code_description=summary.WHY[report.verdict],
        # The zone must be written as Z (SARIF 3.9).
        start_time_utc=report.started.replace("+00:00", "Z") or None,
        tool_execution_notifications=execution or None,
        tool_configuration_notifications=[_notification(entry, places) for entry in policy[:_NOTIFICATIONS]]
        or None,
    )


def _notification(entry: Unjudged, places: Places) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    subject = f"{_safe(entry.item.subject)}: " if entry.item.subject else ""
    return om.Notification(
        descriptor=om.ReportingDescriptorReference(id=entry.item.reason),
        level="error" if entry.counts else "note",
        message=om.Message(
            text=f"Not checked ({summary.effect(entry)}). "
            + subject
            + _message(entry.item.message, entry.item.location)
        ),
        locations=[places.sarif(entry.item.location)],
    )


def _note(text: str) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    return om.Notification(
        descriptor=om.ReportingDescriptorReference(id=_CUT), level="warning", message=om.Message(text=text)
    )


def _reason(reason: str) -> Any:
    import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

    text = om.MultiformatMessageString(text=f"Not checked: {printable(reason)}.")
    help_text = "What was not checked was not judged: a run in which this counts is no pass."
    if reason == _CUT:
        text = om.MultiformatMessageString(text="The report was cut to fit its reader's limits.")
        help_text = "Ask for the JSON report, which holds everything."
    return om.ReportingDescriptor(
        id=reason,
        short_description=text,
        full_description=text,
        help=om.MultiformatMessageString(text=help_text),
    )
