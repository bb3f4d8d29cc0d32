"""The Markdown report: a job summary or a comment, within what GitHub takes."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from mlgate.core.report import Report, Verdict
from mlgate.core.severity import Severity
from mlgate.prose import blocks
from mlgate.reports import _summary as summary
from mlgate.reports import _trend as trend
from mlgate.reports._markdown_figures import measurements
from mlgate.reports._markdown_text import code, fenced, folded, plain, table
from mlgate.reports._text import clip, counted, excerpt, listed, moment, place, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.findings import Finding
    from mlgate.core.report import Unjudged
    from mlgate.reports._style import Style

FORMAT = "markdown"
SUFFIX = ".md"
# A comment may have 65,536 characters. Counted in bytes, so that it holds either way.
LIMIT = 65_536
_RESERVE = 400
_FINDINGS, _ROWS, _PLACES = 1_000, 30, 5
_SIGN = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNDECIDED: "⚠️"}
_DOT = {
    Severity.CRITICAL: "🟥",
    Severity.HIGH: "🟧",
    Severity.MEDIUM: "🟨",
    Severity.LOW: "🟦",
    Severity.INFO: "⬜",
}


def render(report: Report, style: Style) -> str:
    """Return the report as GitHub's Markdown of at most :data:`LIMIT` bytes.

    What does not fit is left out, the least severe findings first, and counted.
    """
    total = summary.totals(report)
    head = _head(report)
    tail = [_not_checked(total.open if style.quiet else report.not_checked)]
    if not style.quiet:
        tail += [
            measurements(report.measurements),
            _waivers(report, total),
            _baseline(report),
            _basis(report),
        ]
        if style.verbose:
            tail += [_inventory(report), _packages(report)]
    foot = f"<sub>{plain(_made_by(report))}</sub>"
    # Findings have the first claim on the space; each other part is left out whole.
    findings = total.blocking if style.quiet else total.blocking + total.reported + total.known
    room = LIMIT - _RESERVE - _bytes(head) - _bytes(foot)
    body = _findings(findings, room - min(room // 3, sum(map(_bytes, tail))))
    room -= _bytes(body)
    kept = []
    for part in filter(None, tail):
        room -= _bytes(part)
        if room > 0:
            kept.append(part)
    if len(kept) < sum(map(bool, tail)):
        kept.append("_This report was cut to fit; the JSON and HTML reports have everything._")
    return "\n\n".join(part for part in [head, body, *kept, foot] if part) + "\n"


def _bytes(text: str) -> int:
    return len(text.encode()) + 2


def _head(report: Report) -> str:
    lines = [
        f"## {_SIGN[report.verdict]} mlgate: {report.verdict.value.upper()}",
        f"**{plain(summary.headline(report))}**",
        f"{summary.WHY[report.verdict]} Looked at {summary.looked_at(report)}.",
    ]
    since = trend.words(report)
    if since:
        lines.append(plain(since))
    steps = summary.next_steps(report)
    if steps:
        lines.append("\n".join(f"- {step}" for step in steps))
    return "\n\n".join(lines)


def _findings(findings: Sequence[Finding], room: int) -> str:
    """Return as many findings as fit: rows of one table, and what belongs to each folded away."""
    if not findings:
        return ""
    rows = [_row(finding) for finding in findings[:_FINDINGS]]
    details = [_detail(number, finding) for number, finding in enumerate(findings[:_FINDINGS], 1)]
    pairs = zip(rows, details, strict=True)
    costs = accumulate(_bytes(" | ".join(row)) + 6 + _bytes(detail) for row, detail in pairs)
    kept = sum(cost <= room for cost in costs)
    parts = ["### Findings", table(["", "severity", "finding", "where"], rows[:kept]), *details[:kept]]
    if kept < len(findings):
        more = counted(len(findings) - kept, "more finding")
        parts.append(f"**{more}**, less severe or later: see the JSON report.")
    return "\n\n".join(parts)


def _row(finding: Finding) -> tuple[str, ...]:
    spot = place(finding.location)
    where = code(finding.location.path) or "repository"
    effect = summary.accepted(finding) or "does not block"
    word = f"**{finding.severity.value}**" if finding.blocks else f"{finding.severity.value}, {effect}"
    return (
        _DOT[finding.severity],
        word,
        f"{plain(finding.message, 400)} ({code(finding.rule)})",
        listed([where, plain(spot, 200)]),
    )


def _detail(number: int, finding: Finding) -> str:
    parts = []
    if finding.fix:
        parts.append(_fix(finding.fix))
    if finding.evidence:
        parts.append(fenced(excerpt(finding.evidence, lines=20, width=200)))
    known = [code(known) for known in (finding.advisory, *finding.aliases) if known]
    if known:
        parts.append(f"Advisory: {', '.join(known[:10])}")
    return folded(f"{number}. {finding.rule} {finding.name}: how to fix it", "\n\n".join(parts))


def _fix(fix: str) -> str:
    """Set a fix again from its words: whatever markup a hostile name brought into it is text."""
    parts = []
    for block in blocks(clip(fix, 4_000)):
        if block.kind == "code":
            parts.append(fenced(excerpt(block.text, lines=30, width=200)))
        else:
            parts.append(("- " if block.kind == "item" else "") + _spans(block.text))
    return "**Fix:** " + "\n\n".join(parts) if parts else ""


def _spans(text: str) -> str:
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return plain(text)
    return "".join(code(piece) if number % 2 else plain(piece) for number, piece in enumerate(pieces))


def _not_checked(items: Sequence[Unjudged]) -> str:
    if not items:
        return ""
    rows = []
    told = summary.by_message(items)
    for group in told[:_ROWS]:
        spots = [code(str(entry.item.location) or "(repository)") for entry in group.items[:_PLACES]]
        if len(group.items) > _PLACES:
            spots.append(f"{len(group.items) - _PLACES:,} more")
        message = plain(group.items[0].item.message, 1_000)
        rows.append((code(group.reason), group.effect, message, "<br>".join(spots)))
    columns = ["reason", "effect", "what happened", "where"]
    return f"### Not checked\n\n{table(columns, rows)}{_more(len(told))}"


def _waivers(report: Report, total: summary.Totals) -> str:
    if not report.waivers:
        return ""
    rows = [
        (
            plain(one.summary, 300),
            plain(one.expires, 40),
            f"**{one.status}**" if one.status in ("expired", "fixed", "unused") else plain(one.status),
            f"{one.matched:,}",
            plain(one.reason, 300),
        )
        for one in report.waivers[:_ROWS]
    ]
    body = table(["waiver", "until", "status", "met", "reason"], rows)
    title = f"{counted(len(report.waivers), 'waiver')}, {len(total.waived) + len(total.accepted):,} waived"
    return folded(title, body + _more(len(report.waivers)))


def _baseline(report: Report) -> str:
    if report.baseline is None:
        return ""
    parts = [plain(" ".join(summary.baseline_words(report)))]
    rows = [(plain(entry.summary, 300), entry.status) for entry in report.baseline.stale[:_ROWS]]
    if rows:
        parts.append(table(["entry", "status"], rows) + _more(len(report.baseline.stale)))
    return folded(f"Baseline: {report.baseline.known:,} known", "\n\n".join(parts))


def _basis(report: Report) -> str:
    rows = [(plain(one.name, 200), plain(one.summary, 400)) for one in report.sources[:_ROWS]]
    return folded("What this rests on", table(["source", "what it says"], rows)) if rows else ""


def _inventory(report: Report) -> str:
    rows = [
        (code(one.path), plain(one.format), size(one.size), one.status, code((one.sha256 or "")[:12]))
        for one in report.inventory[:_ROWS]
    ]
    body = table(["model", "format", "size", "status", "sha256"], rows) + _more(len(report.inventory))
    return folded(counted(len(report.inventory), "model"), body) if rows else ""


def _packages(report: Report) -> str:
    rows = [
        (plain(one.name, 100), plain(one.version or "not pinned", 100), code(one.path), str(one.line or ""))
        for one in report.packages[:_ROWS]
    ]
    body = table(["package", "version", "manifest", "line"], rows) + _more(len(report.packages))
    return folded(counted(len(report.packages), "package"), body) if rows else ""


def _more(count: int) -> str:
    return f"\n\n{count - _ROWS:,} more in the JSON report." if count > _ROWS else ""


def _made_by(report: Report) -> str:
    return listed(
        [
            f"{report.tool.name} {report.tool.version}",
            f"policy {summary.policy_words(report)}",
            summary.exit_words(report),
            moment(report.started),
        ]
    )
