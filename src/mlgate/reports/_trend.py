"""Earlier runs in words, in a table and in a chart."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlgate.core.report import PastRun, Report, Verdict
from mlgate.reports import _summary as summary
from mlgate.reports._paper import Paper
from mlgate.reports._text import counted, listed, moment, printable

if TYPE_CHECKING:
    from mlgate.core.report import History
    from mlgate.reports._style import Style

_COLUMNS = ("when (UTC)", "verdict", "block", "critical", "high", "lower", "accepted", "unread", "policy")
_LOWER = ("medium", "low", "info")
_COLORS = {"pass": "green", "fail": "bold red", "undecided": "yellow"}
_ROWS = 60
DIGEST = 8


def this(report: Report) -> PastRun:
    """Return the numbers of a run that is not past yet."""
    total = summary.totals(report)
    active = (*total.blocking, *total.reported)
    return PastRun(
        path="",
        started=report.started,
        verdict=report.verdict,
        blocking=len(total.blocking),
        severities=dict(Counter(finding.severity.value for finding in active)),
        accepted=len(total.waived) + len(total.known),
        not_checked=len(total.open),
        policy=report.policy.sha256,
        version=report.tool.version,
    )


def lower(run: PastRun) -> int:
    """Return how many findings are below high."""
    return sum(run.severities.get(word, 0) for word in _LOWER)


def difference(before: PastRun, after: PastRun) -> str:
    """Return what changed from one run to the next, in a sentence."""
    changes = [
        _change(after.blocking - before.blocking, "finding that blocks", "findings that block"),
        _change(after.accepted - before.accepted, "accepted", "accepted"),
        _change(after.not_checked - before.not_checked, "item not checked", "items not checked"),
        "another policy" if after.policy != before.policy else "",
    ]
    if before.verdict is not after.verdict:
        changes.insert(0, f"from {before.verdict.value} to {after.verdict.value}")
    return f"Since {moment(before.started)}: {', '.join(filter(None, changes)) or 'no change'}."


def words(report: Report) -> str:
    """Return the difference to the last earlier run, or an empty text where there is none."""
    if report.history is None or not report.history.runs:
        return ""
    return difference(report.history.runs[-1], this(report))


def text(history: History, style: Style) -> str:
    """Return the trend for a terminal: newest last, then what changed, then what could not be read."""
    paper = Paper(style)
    runs = history.runs
    if runs:
        shown = runs if style.verbose else runs[-_ROWS:]
        paper.title("History")
        if len(runs) > len(shown):
            paper.line(
                (f"… {counted(len(runs) - len(shown), 'earlier run')}: see --verbose", "dim"), indent="  "
            )
        paper.table(_COLUMNS, [_row(run) for run in shown], len(shown))
        counts = Counter(run.verdict for run in runs)
        verdicts = listed(f"{counts[verdict]:,} {verdict.value}" for verdict in Verdict if counts[verdict])
        paper.line((f"{counted(len(runs), 'run')}: {verdicts}", "bold"))
        if len(runs) > 1:
            paper.line((difference(runs[-2], runs[-1]), ""))
    if history.unreadable:
        if runs:
            paper.gap()
        paper.title("Not read")
        for problem in history.unreadable:
            paper.line((printable(problem), "yellow"), lead=("  - ", ""), indent="    ")
    if not runs and not history.unreadable:
        paper.line(("There is no JSON report here: make one with `mlgate check --report json=FILE`.", ""))
    return paper.text()


def values(history: History) -> dict[str, Any]:
    """Return the trend as plain values, for JSON."""
    return {
        "runs": [
            {
                **{name: getattr(run, name) for name in run.__struct_fields__},
                "verdict": run.verdict.value,
                "exit_code": run.verdict.exit_code,
            }
            for run in history.runs
        ],
        "unreadable": history.unreadable,
    }


def _row(run: PastRun) -> tuple[str, ...]:
    numbers = (
        run.blocking,
        run.severities.get("critical", 0),
        run.severities.get("high", 0),
        lower(run),
        run.accepted,
        run.not_checked,
    )
    when = moment(run.started).removesuffix(" UTC")[:16]
    policy = printable(run.policy or "")[:DIGEST] or "none"
    return (when, run.verdict.value, *(f"{number:,}" for number in numbers), policy)


def _change(by: int, one: str, many: str) -> str:
    if by == 0:
        return ""
    return f"{abs(by):,} {'more' if by > 0 else 'fewer'} {one if abs(by) == 1 else many}"
