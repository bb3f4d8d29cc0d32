"""The HTML report: one file that needs no network, no script and no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlgate.core.report import Verdict
from mlgate.prose import blocks
from mlgate.reports import _summary as summary
from mlgate.reports import _svg as draw
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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlgate.core.findings import Finding
    from mlgate.core.report import Report
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
        legend=_LEGEND,
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
