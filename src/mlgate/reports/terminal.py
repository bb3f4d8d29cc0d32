"""The report for a terminal: worst first, by file, with what to do next; the verdict stands last."""

from __future__ import annotations

import textwrap
from io import StringIO
from typing import TYPE_CHECKING

from mlgate.core.report import Report, Verdict
from mlgate.core.severity import Severity
from mlgate.prose import set_plain
from mlgate.reports import _summary as summary
from mlgate.reports._text import (
    clip,
    counted,
    excerpt,
    figure,
    interval,
    listed,
    place,
    printable,
    size,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from mlgate.core.findings import Finding
    from mlgate.core.report import Unjudged
    from mlgate.reports._style import Style

FORMAT = "terminal"
SUFFIX = ".txt"

_SEVERITY = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_VERDICT = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "bold yellow"}
_OUTCOME = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "info": "dim"}
_NARROWEST = 40
# Columns that are not broken, on a terminal that has the room.
_WHOLE = frozenset({"value", "interval", "threshold", "n", "outcome", "size", "sha256"})
_ROOMY = 76
_INDENT = " " * 12
_FINDINGS, _EVIDENCE, _PLACES, _ROWS = 100, 6, 5, 20
_EVERYTHING = 1_000_000
_LONG_EVIDENCE = 60


def render(report: Report, style: Style) -> str:
    """Return the report as lines of at most ``style.width`` columns, plain without ``style.color``."""
    from rich.console import Console  # noqa: PLC0415 - heavy; other formats do without it

    out = StringIO()
    console = Console(
        file=out,
        width=max(style.width, _NARROWEST),
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    _Page(console, style).print(report)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


class _Page:
    """One report on its way to one console."""

    def __init__(self, console: Console, style: Style) -> None:
        self._console = console
        self._style = style
        self._width = console.width
        self._limit = _EVERYTHING if style.verbose else _ROWS

    def print(self, report: Report) -> None:
        total = summary.totals(report)
        shown = total.blocking if self._style.quiet else total.blocking + total.reported
        self._findings(report, shown)
        self._not_checked(total.open if self._style.quiet else report.not_checked)
        if not self._style.quiet:
            self._measurements(report)
            self._waivers(report, total)
            self._sources(report)
        if self._style.verbose and not self._style.quiet:
            self._inventory(report)
            self._packages(report)
        self._verdict(report)

    def _line(self, *parts: tuple[str, str], lead: tuple[str, str] = ("", ""), indent: str = "") -> None:
        """Print a wrapped paragraph.

        Args:
            parts: Printable text and its style, joined.
            lead: Stands before the first line; not wrapped.
            indent: Stands before the other lines.
        """
        from rich.text import Text  # noqa: PLC0415 - heavy; other formats do without it

        text = Text.assemble(*parts)
        before = Text(*lead)
        room = self._width - max(before.cell_len, len(indent))
        for line in text.wrap(self._console, max(room, 10)):
            self._console.print(Text.assemble(before, line), soft_wrap=True)
            before = Text(indent, lead[1])

    def _raw(self, lines: Iterable[str], style: str = "", indent: str = "") -> None:
        """Print lines that are wrapped already; only wide characters can make them wrap again."""
        for line in lines:
            self._line((line, style), lead=(indent, style), indent=indent)

    def _title(self, words: str) -> None:
        self._line((words, "bold underline"))

    def _findings(self, report: Report, findings: Sequence[Finding]) -> None:
        formats = {record.path: f"{record.format}, {size(record.size)}" for record in report.inventory}
        limit = _EVERYTHING if self._style.verbose else _FINDINGS
        for path, members in summary.by_file(findings[:limit]):
            note = printable(formats.get(path, ""))
            title = (printable(path) or "(repository)", "bold")
            self._line(title, (f"  {note}" if note else "", "dim"), indent="  ")
            fixes: set[str] = set()
            for finding in members:
                self._finding(finding, again=finding.fix in fixes)
                fixes.add(finding.fix)
            self._console.print()
        if len(findings) > limit:
            more = counted(len(findings) - limit, "more finding")
            self._line((f"… {more}: see --verbose or --report json", "bold"))
            self._console.print()

    def _finding(self, finding: Finding, *, again: bool) -> None:
        """Print one finding; a fix that stands above in the same file is not repeated."""
        word = f"  {finding.severity.value:<10}"
        self._line((printable(finding.message), ""), lead=(word, _SEVERITY[finding.severity]), indent=_INDENT)
        effect = "" if finding.blocks else "does not block"
        meta = listed([f"{finding.rule} {finding.name}", place(finding.location), effect])
        self._line((meta, "dim"), lead=(_INDENT, ""), indent=_INDENT)
        if finding.evidence:
            self._raw(self._evidence(finding.evidence), "dim", f"{_INDENT}│ ")
        if again:
            self._line(("→ as above", "green"), lead=(_INDENT, ""))
        elif finding.fix:
            room = self._width - len(_INDENT)
            self._raw(_prose(finding.fix, room, "  ", "→ "), "green", _INDENT)

    def _evidence(self, evidence: str) -> Iterable[str]:
        lines = _LONG_EVIDENCE if self._style.verbose else _EVIDENCE
        room = self._width - len(_INDENT) - 2
        for line in excerpt(evidence, lines=lines, width=2 * room - 4):
            yield from textwrap.wrap(line, room, subsequent_indent="  ") or [""]

    def _not_checked(self, items: Sequence[Unjudged]) -> None:
        if not items:
            return
        self._title("Not checked")
        for group in summary.groups(items):
            colour = "yellow" if group.items[0].counts else "dim"
            note = f"  {len(group.items):,}, {group.effect}"
            self._line((printable(group.reason), colour), (note, "dim"), lead=("  ", ""), indent="    ")
            shared = group.message
            if shared is not None:
                self._line((printable(shared), ""), lead=("    ", ""), indent="    ")
            limit = _EVERYTHING if self._style.verbose else _PLACES
            for entry in group.items[:limit]:
                subject = printable(entry.item.subject)
                spot = where(entry.item.location) + (f" ({subject})" if subject else "")
                words = spot if shared is not None else f"{spot}: {printable(entry.item.message)}"
                self._line((words, ""), lead=("    - ", ""), indent="      ")
            if len(group.items) > limit:
                self._line((f"    - … {len(group.items) - limit:,} more", "dim"))
        self._console.print()

    def _measurements(self, report: Report) -> None:
        if not report.measurements:
            return
        columns = ("assessment", "figure", "value", "interval", "threshold", "n", "outcome")
        rows = [
            (
                clip(printable(one.assessment), 24),
                clip(printable(one.name), 24),
                figure(one.value),
                interval(one.low, one.high),
                figure(one.threshold),
                f"{one.n:,}",
                one.outcome,
            )
            for one in report.measurements[: self._limit]
        ]
        self._title("Measurements")
        self._table(columns, rows, len(report.measurements), outcome=True)

    def _table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], total: int, *, outcome: bool = False
    ) -> None:
        from rich.table import Table  # noqa: PLC0415 - heavy; other formats do without it
        from rich.text import Text  # noqa: PLC0415 - heavy; other formats do without it

        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", show_edge=False)
        for name in ("", *columns):
            whole = name in _WHOLE and self._width >= _ROOMY
            table.add_column(name, overflow="fold", no_wrap=whole)
        for row in rows:
            cells = [Text(cell) for cell in row]
            if outcome:
                cells[-1].stylize(_OUTCOME.get(row[-1], ""))
            table.add_row("", *cells)
        self._console.print(table)
        if total > len(rows):
            self._line((f"  … {total - len(rows):,} more: see --verbose", "dim"))
        self._console.print()

    def _waivers(self, report: Report, total: summary.Totals) -> None:
        if not (report.waivers or total.waived):
            return
        self._title("Waivers")
        for waiver in report.waivers[: self._limit]:
            tail = {
                "used": f"accepts {waiver.matched:,} until {waiver.expires}",
                "expired": f"EXPIRED on {waiver.expires}; met {waiver.matched:,}",
                "unused": "unused: nothing matches it; remove it",
            }.get(waiver.status, waiver.status)
            colour = "dim" if waiver.status == "used" else "yellow"
            head = (f"{printable(waiver.summary)}  ", "")
            self._line(head, (printable(tail), colour), lead=("  ", ""), indent="    ")
            self._line((printable(waiver.reason), "dim"), lead=("    ", ""), indent="    ")
        if len(report.waivers) > self._limit:
            self._line((f"  … {len(report.waivers) - self._limit:,} more: see --verbose", "dim"))
        if self._style.verbose:
            for finding in total.waived:
                words = f"{finding.severity.value}  {printable(finding.message)} {where(finding.location)}"
                self._line((words, "dim"), lead=("  waived ", "dim"), indent="    ")
        self._console.print()

    def _sources(self, report: Report) -> None:
        if not report.sources:
            return
        self._title("Sources")
        for source in report.sources[: self._limit]:
            name = (f"{printable(source.name)}: ", "")
            self._line(name, (printable(source.summary), "dim"), lead=("  ", ""), indent="    ")
        self._console.print()

    def _inventory(self, report: Report) -> None:
        if not report.inventory:
            return
        self._title("Models")
        rows = [
            (printable(one.path), printable(one.format), size(one.size), one.status, (one.sha256 or "")[:12])
            for one in report.inventory
        ]
        self._table(("path", "format", "size", "status", "sha256"), rows, len(rows))

    def _packages(self, report: Report) -> None:
        if not report.packages:
            return
        self._title("Packages")
        rows = [
            (
                printable(one.name),
                printable(one.version or "not pinned"),
                printable(one.path) + (f":{one.line}" if one.line else ""),
            )
            for one in report.packages
        ]
        self._table(("name", "version", "required by"), rows, len(rows))

    def _verdict(self, report: Report) -> None:
        words = summary.headline(report)
        if report.verdict is Verdict.PASS and not (report.findings or report.not_checked):
            words = f"{summary.looked_at(report)} checked"
        word = f"{report.verdict.value.upper()}  "
        self._line((words, "bold"), lead=(word, _VERDICT[report.verdict]), indent="  ")
        if self._style.quiet:
            return
        basis = f"looked at {summary.looked_at(report)} in {report.seconds:.1f} s"
        policy = f"policy {summary.policy_words(report)}"
        self._line((listed([basis, policy]), "dim"), lead=("  ", ""), indent="  ")
        for step in summary.next_steps(report):
            self._line((step, ""), lead=("  → ", ""), indent="    ")
        self._line((summary.exit_words(report), "dim"), lead=("  ", ""), indent="  ")


def _prose(markdown: str, width: int, indent: str, first: str) -> list[str]:
    """Set a fix; every line is made printable, whatever a hostile name brought into it."""
    clean = "\n".join(printable(line) for line in clip(markdown, 4000).split("\n"))
    return set_plain(clean, width, indent, first)
