"""The HTML report: one file that needs no network, no script and no other file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlgate.core.report import Verdict
from mlgate.prose import blocks
from mlgate.reports import _summary as summary
from mlgate.reports._charts import interval_bar, sequence
from mlgate.reports._encode import plain
from mlgate.reports._text import (
    clip,
    counted,
    excerpt,
    figure,
    interval,
    moment,
    place,
    printable,
    size,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlgate.core.facts import Measurement
    from mlgate.core.findings import Finding
    from mlgate.core.report import Report
    from mlgate.core.rules import Rule
    from mlgate.reports._style import Style

FORMAT = "html"
SUFFIX = ".html"
_FINDINGS, _ROWS, _PLACES = 1_000, 2_000, 50
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
        figure=figure,
        prose=blocks,
        number=lambda value: f"{value:,}",
    )
    total = summary.totals(report)
    findings = total.blocking if style.quiet else total.blocking + total.reported
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
        measurements=[_measurement(one) for one in report.measurements[:_ROWS]],
        when=moment(report.started) or "unknown",
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


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "of": one,
        "interval": interval(one.low, one.high),
        "bar": interval_bar(one),
        "plot": sequence(one),
        "detail": [
            (printable(str(key)), clip(printable(_words(value)), 400))
            for key, value in one.detail.items()
            if key != "looks"
        ],
    }


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
