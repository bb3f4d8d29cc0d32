"""Findings for a terminal: by file, worst first, each with what was seen and what to do."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from mlgate.core.report import Verdict
from mlgate.core.severity import Severity
from mlgate.prose import set_plain
from mlgate.reports import _summary as summary
from mlgate.reports._text import clip, counted, excerpt, listed, place, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlgate.core.facts import FileRecord
    from mlgate.core.findings import Finding
    from mlgate.reports._paper import Paper

SEVERITY = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_INDENT = " " * 12
_FINDINGS, _ALIKE, _EVIDENCE, _LONG_EVIDENCE = 100, 3, 6, 60
_EVERYTHING = 1_000_000


def show(
    paper: Paper, findings: Sequence[Finding], inventory: Sequence[FileRecord], *, verbose: bool
) -> None:
    """Print findings by file; without ``verbose`` at most 100, and of those alike in a file three.

    What is left out is counted, by severity.
    """
    formats = {record.path: f"{record.format}, {size(record.size)}" for record in inventory}
    limit = _EVERYTHING if verbose else _FINDINGS
    listing = _Listing(paper, verbose=verbose)
    for path, members in summary.by_file(findings[:limit]):
        note = printable(formats.get(path, ""))
        title = (_unlike_a_verdict(printable(path)) or "(repository)", "bold")
        paper.line(title, (f"  {note}" if note else "", "dim"), indent="  ")
        listing.file(members)
        paper.gap()
    left = findings[limit:]
    if left:
        more = f"{counted(len(left), 'more finding')} ({summary.severities(left)})"
        paper.line((f"… {more}: see --verbose or --report json", "bold"), indent="  ")
        paper.gap()


class _Listing:
    """Findings on their way to paper."""

    def __init__(self, paper: Paper, *, verbose: bool) -> None:
        self._paper = paper
        self._most = _EVERYTHING if verbose else _ALIKE
        self._lines = _LONG_EVIDENCE if verbose else _EVIDENCE
        self._told: Counter[str] = Counter()

    def file(self, members: Sequence[Finding]) -> None:
        """Print the findings of one file; of those that are alike, a few, and how many there are."""
        alike: dict[tuple[str, str], list[Finding]] = {}
        for finding in members:
            # What blocks is only folded where it says the very same.
            alike.setdefault((finding.rule, finding.message if finding.blocks else ""), []).append(finding)
        fixes: set[str] = set()
        for (rule, _), group in alike.items():
            for finding in group[: self._most]:
                self._finding(finding, again=finding.fix in fixes)
                fixes.add(finding.fix)
            if len(group) > self._most:
                words = f"… {len(group) - self._most:,} more of {rule} in this file: see --verbose"
                self._paper.line((words, "dim"), lead=(_INDENT, ""), indent=_INDENT)

    def _finding(self, finding: Finding, *, again: bool) -> None:
        word = f"  {finding.severity.value:<10}"
        self._paper.line(
            (printable(finding.message), ""), lead=(word, SEVERITY[finding.severity]), indent=_INDENT
        )
        effect = "" if finding.blocks else summary.accepted(finding) or "does not block"
        meta = listed([f"{finding.rule} {finding.name}", place(finding.location), effect])
        self._paper.line((meta, "dim"), lead=(_INDENT, ""), indent=_INDENT)
        if finding.evidence:
            self._paper.raw(self._evidence(finding.evidence), "dim", f"{_INDENT}│ ")
        self._fix(finding.fix, again=again)

    def _fix(self, fix: str, *, again: bool) -> None:
        """Print a fix, once in a file and in a few files; whoever has read it so often knows it."""
        if again or self._told[fix] >= self._most:
            self._paper.line(("→ as above", "green"), lead=(_INDENT, ""))
        elif fix:
            self._told[fix] += 1
            room = self._paper.width - len(_INDENT)
            self._paper.raw(_prose(fix, room, "  ", "→ "), "green", _INDENT)

    def _evidence(self, evidence: str) -> Iterator[str]:
        room = self._paper.width - len(_INDENT) - 2
        for line in excerpt(evidence, lines=self._lines, width=2 * room - 4):
            yield from textwrap.wrap(line, room, subsequent_indent="  ") or [""]


def _unlike_a_verdict(path: str) -> str:
    """Return a path that stands at the start of a line and cannot be read as the verdict."""
    word = path.split(" ", 1)[0].casefold()
    return f"./{path}" if word in {verdict.value for verdict in Verdict} else path


def _prose(markdown: str, width: int, indent: str, first: str) -> list[str]:
    """Set a fix; every line is made printable, whatever a hostile name brought into it."""
    clean = "\n".join(printable(line) for line in clip(markdown, 4000).split("\n"))
    return set_plain(clean, width, indent, first)
