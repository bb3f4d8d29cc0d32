"""The report for a terminal: worst first, by file, with what to do next; the verdict stands last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlgate.core.report import Report, Verdict
from mlgate.reports import _summary as summary
from mlgate.reports import _terminal_figures as measured
from mlgate.reports import _terminal_findings as listing
from mlgate.reports import _trend as trend
from mlgate.reports._paper import Paper
from mlgate.reports._text import (
    listed,
    printable,
    size,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.report import Unjudged
    from mlgate.reports._style import Style

FORMAT = "terminal"
SUFFIX = ".txt"

_VERDICT = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "bold yellow"}
_PLACES, _MESSAGES, _ROWS = 5, 20, 20
_EVERYTHING = 1_000_000


def render(report: Report, style: Style) -> str:
    """Return the report as lines of at most ``style.width`` columns, plain without ``style.color``."""
    paper = Paper(style)
    _Page(paper, style).print(report)
    return paper.text()


class _Page:
    """One report on its way to paper."""

    def __init__(self, paper: Paper, style: Style) -> None:
        self._paper = paper
        self._style = style
        self._limit = _EVERYTHING if style.verbose else _ROWS

    def print(self, report: Report) -> None:
        total = summary.totals(report)
        shown = total.blocking if self._style.quiet else total.blocking + total.reported + total.known
        listing.show(self._paper, shown, report.inventory, verbose=self._style.verbose)
        self._not_checked(total.open if self._style.quiet else report.not_checked)
        if not self._style.quiet:
            self._measurements(report)
            self._waivers(report, total)
            self._baseline(report)
            self._sources(report)
        if self._style.verbose and not self._style.quiet:
            self._inventory(report)
            self._packages(report)
        self._verdict(report)

    def _not_checked(self, items: Sequence[Unjudged]) -> None:
        if not items:
            return
        self._paper.title("Not checked")
        for group in summary.groups(items):
            colour = "yellow" if group.items[0].counts else "dim"
            note = f"  {len(group.items):,}, {group.effect}"
            self._paper.line((printable(group.reason), colour), (note, "dim"), lead=("  ", ""), indent="    ")
            shared = group.message
            if shared is not None:
                self._paper.line((printable(shared), ""), lead=("    ", ""), indent="    ")
            # A place more or less is no loss where all share a message; a message is.
            usual = _MESSAGES if shared is None else _PLACES
            limit = _EVERYTHING if self._style.verbose else usual
            for entry in group.items[:limit]:
                subject = printable(entry.item.subject)
                spot = where(entry.item.location) + (f" ({subject})" if subject else "")
                words = spot if shared is not None else f"{spot}: {printable(entry.item.message)}"
                self._paper.line((words, ""), lead=("    - ", ""), indent="      ")
            if len(group.items) > limit:
                self._paper.line((f"    - … {len(group.items) - limit:,} more: see --verbose", "dim"))
        self._paper.gap()

    def _measurements(self, report: Report) -> None:
        if report.measurements:
            measured.show(self._paper, report.measurements, verbose=self._style.verbose)

    def _waivers(self, report: Report, total: summary.Totals) -> None:
        if not (report.waivers or total.waived):
            return
        self._paper.title("Waivers")
        for waiver in report.waivers[: self._limit]:
            tail = {
                "used": f"accepts {waiver.matched:,} until {waiver.expires}",
                "expired": f"EXPIRED on {waiver.expires}; met {waiver.matched:,}",
                "fixed": f"ENDED: a fix exists; met {waiver.matched:,}",
                "unused": "unused: nothing matches it; remove it",
            }.get(waiver.status, waiver.status)
            colour = "dim" if waiver.status == "used" else "yellow"
            head = (f"{printable(waiver.summary)}  ", "")
            self._paper.line(head, (printable(tail), colour), lead=("  ", ""), indent="    ")
            self._paper.line((printable(waiver.reason), "dim"), lead=("    ", ""), indent="    ")
        if len(report.waivers) > self._limit:
            self._paper.line((f"  … {len(report.waivers) - self._limit:,} more: see --verbose", "dim"))
        if self._style.verbose:
            for finding in total.waived:
                words = f"{finding.severity.value}  {printable(finding.message)} {where(finding.location)}"
                self._paper.line((words, "dim"), lead=("  waived ", "dim"), indent="    ")
        self._paper.gap()

    def _baseline(self, report: Report) -> None:
        if report.baseline is None:
            return
        self._paper.title("Baseline")
        for words in summary.baseline_words(report):
            self._paper.line((words, "dim"), lead=("  ", ""), indent="    ")
        for entry in report.baseline.stale[: self._limit]:
            tail = (f"  {entry.status}", "yellow")
            self._paper.line((printable(entry.summary), "dim"), tail, lead=("  - ", ""), indent="    ")
        if len(report.baseline.stale) > self._limit:
            more = len(report.baseline.stale) - self._limit
            self._paper.line((f"  … {more:,} more: see --verbose", "dim"))
        self._paper.gap()

    def _sources(self, report: Report) -> None:
        if not report.sources:
            return
        self._paper.title("Sources")
        for source in report.sources[: self._limit]:
            name = (f"{printable(source.name)}: ", "")
            self._paper.line(name, (printable(source.summary), "dim"), lead=("  ", ""), indent="    ")
        self._paper.gap()

    def _inventory(self, report: Report) -> None:
        if not report.inventory:
            return
        self._paper.title("Models")
        rows = [
            (printable(one.path), printable(one.format), size(one.size), one.status, (one.sha256 or "")[:12])
            for one in report.inventory
        ]
        self._paper.table(("path", "format", "size", "status", "sha256"), rows, len(rows))

    def _packages(self, report: Report) -> None:
        if not report.packages:
            return
        self._paper.title("Packages")
        rows = [
            (
                printable(one.name),
                printable(one.version or "not pinned"),
                printable(one.path) + (f":{one.line}" if one.line else ""),
            )
            for one in report.packages
        ]
        self._paper.table(("name", "version", "required by"), rows, len(rows))

    def _verdict(self, report: Report) -> None:
        words, basis = summary.headline(report), f"looked at {summary.looked_at(report)} in"
        if report.verdict is Verdict.PASS and not (report.findings or report.not_checked):
            words, basis = f"{summary.looked_at(report)} checked", "in"
        word = f"{report.verdict.value.upper()}  "
        self._paper.line((words, "bold"), lead=(word, _VERDICT[report.verdict]), indent="  ")
        if self._style.quiet:
            return
        facts = listed([f"{basis} {report.seconds:.1f} s", f"policy {summary.policy_words(report)}"])
        self._paper.line((facts, "dim"), lead=("  ", ""), indent="  ")
        since = trend.words(report)
        if since:
            self._paper.line((since, "dim"), lead=("  ", ""), indent="  ")
        for step in summary.next_steps(report):
            self._paper.line((step, ""), lead=("  → ", ""), indent="    ")
        self._paper.line((summary.exit_words(report), "dim"), lead=("  ", ""), indent="  ")
