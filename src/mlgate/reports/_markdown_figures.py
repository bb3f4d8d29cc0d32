"""Measurements in Markdown: what fails or shows nothing first, what passes folded where it is much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlgate.reports import _figures as figures
from mlgate.reports._detail import notes
from mlgate.reports._markdown_text import folded, plain, table
from mlgate.reports._text import counted, figure, interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement

_ROWS, _SHORT = 30, 8


def measurements(found: Sequence[Measurement]) -> str:
    """Return a section of Markdown, worst first; long families are folded, and what is cut is counted."""
    if not found:
        return ""
    first: list[Measurement] = []
    rest: list[Measurement] = []
    for family in figures.families(found):
        loud, quiet = figures.told_first(family.figures, _SHORT)
        first += loud
        rest += quiet
    first.sort(key=figures.rank)
    parts = ["### Measurements"]
    if first:
        parts.append(_figures(first))
    if rest:
        title = f"{counted(len(rest), 'more figure')} that pass or have no threshold"
        parts.append(folded(title, _figures(rest)))
    return "\n\n".join(parts)


def _figures(found: Sequence[Measurement]) -> str:
    rows = []
    for one in found[:_ROWS]:
        word = plain(one.outcome, 40)
        loud = one.outcome not in figures.QUIET
        rows.append(
            (
                plain(f"{one.assessment}: {one.family.replace('_', ' ')}", 100),
                plain(figures.label(one), 200),
                figure(one.value),
                plain(interval(one.low, one.high)),
                figures.asked(one),
                f"{one.n:,}",
                f"**{word}**" if loud else word,
                plain("; ".join(notes(one)), 300) if loud else "",
            )
        )
    columns = ["assessment", "figure", "value", "interval", "wanted", "n", "outcome", "note"]
    more = f"\n\n{len(found) - _ROWS:,} more in the JSON report." if len(found) > _ROWS else ""
    return table(columns, rows) + more
