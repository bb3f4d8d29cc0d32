"""The HTML report: one file that needs no network, no script and no other file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from mlgate.core.report import Verdict
from mlgate.prose import blocks
from mlgate.reports import _summary as summary
from mlgate.reports import _svg as draw
from mlgate.reports import _trend as trend
from mlgate.reports._curve import certified
from mlgate.reports._figures import MEANING
from mlgate.reports._panels import panels
from mlgate.reports._text import (
    clip,
    counted,
    excerpt,
    moment,
    place,
    printable,
    size,
    where,
)
from mlgate.reports._trend_chart import MOST, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from mlgate.core.findings import Finding
    from mlgate.core.report import PastRun, Report
    from mlgate.core.rules import Rule
    from mlgate.reports._style import Style

FORMAT = "html"
SUFFIX = ".html"
_FINDINGS, _ROWS, _PLACES = 1_000, 2_000, 50
_MARKS = {word: draw.point(word, 7, 7, 4.5) for word in draw.OUTCOMES}
_LEGEND = [
    *((draw.point(word, 10, 8, 5), word, f"{word}: {MEANING[word]}") for word in draw.OUTCOMES),
    (draw.certificate(10, 8), "certificate", "certified: at least so good, whatever the attack"),
    (draw.line("threshold", 10, 1, 10, 15), "threshold", "what the policy asks for"),
]
_SAY = {Verdict.PASS: "Pass", Verdict.FAIL: "Fail", Verdict.UNDECIDED: "Undecided"}


def render(report: Report, style: Style) -> str:
    """Return one HTML page with everything that a reviewer asks for; hostile text is inert in it."""
    import jinja2  # noqa: PLC0415 - heavy; only this format needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mlgate.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        shown=lambda value: printable(str(value)),
        size=size,
        prose=blocks,
        number=lambda value: f"{value:,}",
    )
    total = summary.totals(report)
    findings = total.blocking if style.quiet else total.blocking + total.reported + total.known
    text = environment.get_template("report.html.j2").render(
        report=report,
        total=total,
        quiet=style.quiet,
        verdict=_SAY[report.verdict],
        why=summary.WHY[report.verdict],
        headline=summary.headline(report),
        steps=summary.next_steps(report),
        exit_words=summary.exit_words(report),
        looked_at=summary.looked_at(report),
        policy=summary.policy_words(report),
        severities=summary.by_severity(findings),
        files=_files(findings[:_FINDINGS], {rule.id: rule for rule in report.rules}),
        findings_left=max(len(findings) - _FINDINGS, 0),
        waived=[_finding(finding, {}) for finding in total.waived[:_FINDINGS]],
        groups=[_group(group) for group in summary.groups(total.open if style.quiet else report.not_checked)],
        panels=panels(report.measurements[:_ROWS]),
        marks=_MARKS,
        legend=_legend(report),
        when=moment(report.started) or "unknown",
        waivers=sorted(report.waivers[:_ROWS], key=lambda waiver: waiver.expires),
        left_until=lambda expires: _days(report.started, expires),
        baseline=summary.baseline_words(report),
        trend=None if report.history is None else _trend(report),
        by_model=_by_model(report),
        rows=_ROWS,
        counted=counted,
    )
    return text if text.endswith("\n") else f"{text}\n"


def _files(findings: tuple[Finding, ...], rules: Mapping[str, Rule]) -> list[dict[str, Any]]:
    return [
        {
            "path": printable(path) or "(repository)",
            "findings": [_finding(finding, rules) for finding in members],
        }
        for path, members in summary.by_file(findings)
    ]


def _finding(finding: Finding, rules: Mapping[str, Rule]) -> dict[str, Any]:
    return {
        "of": finding,
        "place": place(finding.location),
        "where": where(finding.location),
        "evidence": excerpt(finding.evidence, lines=80, width=300) if finding.evidence else (),
        "fix": _fix(finding.fix),
        "effect": summary.accepted(finding),
        "rule": rules.get(finding.rule),
        "ids": [printable(known) for known in (finding.advisory, *finding.aliases) if known],
    }


def _fix(fix: str) -> list[dict[str, Any]]:
    """Return a fix in blocks; the pieces of a text alternate between words and code."""
    found = []
    for block in blocks(clip(fix, 8_000)):
        if block.kind == "code":
            found.append({"kind": "code", "lines": excerpt(block.text, lines=60, width=300)})
        else:
            found.append({"kind": block.kind, "pieces": printable(block.text).split("`")})
    return found


def _group(group: summary.Group) -> dict[str, Any]:
    return {
        "of": group,
        "message": None if group.message is None else printable(group.message),
        "decides": group.items[0].counts and group.items[0].waived is None,
        "items": [
            {
                "where": where(entry.item.location),
                "subject": printable(entry.item.subject),
                "message": printable(entry.item.message),
            }
            for entry in group.items[:_PLACES]
        ],
        "left": max(len(group.items) - _PLACES, 0),
    }


def _by_model(report: Report) -> dict[str, str]:
    """Return the findings of each model by severity: ``1 critical, 2 high``."""
    paths = {record.path for record in report.inventory}
    active = [finding for finding in report.findings if finding.waived is None]
    members = summary.by_file(finding for finding in active if finding.location.path in paths)
    return {path: summary.severities(findings) for path, findings in members}


def _legend(report: Report) -> list[tuple[Markup, str, str]]:
    """Return the marks that the charts of a report use, each with its meaning."""
    used = {draw.outcome(one.outcome) for one in report.measurements} | {"threshold"}
    if any(certified(one) is not None for one in report.measurements):
        used.add("certificate")
    return [entry for entry in _LEGEND if entry[1] in used]


def _days(started: str, expires: str) -> int | None:
    """Return the days from a run to a date; None where either is none."""
    try:
        return (dt.date.fromisoformat(expires) - dt.date.fromisoformat(started[:10])).days
    except ValueError:
        return None


def _trend(report: Report) -> dict[str, Any]:
    past = () if report.history is None else report.history.runs
    runs = (*past, trend.this(report))
    shown = tuple(reversed(runs))[:MOST]
    return {
        "words": trend.words(report),
        "chart": columns(runs) if past else "",
        "cut": f"the last {MOST} of {len(runs):,} runs" if len(runs) > MOST else "",
        "rows": [_past(run) for run in shown] if past else [],
        "left": len(runs) - len(shown),
    }


def _past(run: PastRun) -> dict[str, Any]:
    severe = (run.severities.get("critical", 0), run.severities.get("high", 0))
    return {
        "when": moment(run.started)[:16] if run.path else "this run",
        "verdict": run.verdict.value,
        "numbers": (run.blocking, *severe, trend.lower(run), run.accepted, run.not_checked),
        "policy": printable(run.policy or "")[: trend.DIGEST] or "none",
        "version": clip(printable(run.version), 20),
    }
