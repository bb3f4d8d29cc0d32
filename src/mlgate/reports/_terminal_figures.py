"""Measurements for a terminal: a table for each assessment and family, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mlgate.reports import _figures as figures
from mlgate.reports._detail import notes
from mlgate.reports._text import clip, figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement
    from mlgate.reports._paper import Paper

_COLUMNS = ("figure", "value", "interval", "wanted", "n", "outcome")
_STYLES = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "yellow",
    "masked": "bold magenta",
    "info": "dim",
}
_SHORT, _MOST, _LABEL = 8, 30, 60


class _Table(Struct, frozen=True):
    """How the table of a family is laid out."""

    widths: dict[str, int]
    head: bool


def show(paper: Paper, measurements: Sequence[Measurement], *, verbose: bool) -> None:
    """Print what fails or shows nothing, and a few figures that pass; the rest is counted.

    Beneath a family stands why a figure of it shows nothing. ``verbose`` shows every figure.
    """
    paper.title("Measurements")
    cells = [_row(one, figures.label(one))[1:] for one in measurements]
    # One width for each column, so that the tables of all families are aligned.
    widths = [max(map(len, column)) for column in zip(_COLUMNS[1:], *cells, strict=True)]
    found = sorted(figures.families(measurements), key=lambda family: min(map(figures.rank, family.figures)))
    for number, family in enumerate(found):
        table = _Table(dict(zip(_COLUMNS[1:], widths, strict=True)), head=number == 0)
        _family(paper, family, table, verbose=verbose)


def _family(paper: Paper, family: figures.Family, table: _Table, *, verbose: bool) -> None:
    names = {one.name for one in family.figures}
    # Where all are one figure over its parts, the figure is said once.
    shared = len(names) == 1 and all(one.part for one in family.figures)
    name = f", {printable(family.figures[0].name).replace('_', ' ')}" if shared else ""
    title = f"{family.assessment}: {family.name.replace('_', ' ')}"
    paper.line((f"{title}{name}", "bold"), lead=("  ", ""), indent="    ")
    short = len(family.figures) if verbose else _SHORT
    first, rest = figures.told_first(family.figures, short)
    shown = first if verbose else first[:_MOST]
    rows = [_row(one, printable(one.part) if shared else figures.label(one)) for one in shown]
    if rows:
        paper.table(_COLUMNS, rows, len(rows), _STYLES, widths=table.widths, head=table.head)
    for one in shown:
        if one.outcome in ("masked", "inconclusive"):
            _notes(paper, one)
    if len(first) > len(shown):
        paper.line((f"… {len(first) - len(shown):,} more: see --verbose", "dim"), lead=("    ", ""))
    if rest:
        words = f"… {len(rest):,} more pass or have no threshold: see --verbose"
        paper.line((words, "dim"), lead=("    ", ""), indent="    ")
    paper.gap()


def _notes(paper: Paper, one: Measurement) -> None:
    told = notes(one)
    if told:
        label = printable(one.part) or figures.label(one)
        paper.line((f"{clip(label, _LABEL)}: {'; '.join(told)}", "dim"), lead=("    ", ""), indent="      ")


def _row(one: Measurement, label: str) -> tuple[str, ...]:
    low_high = interval(one.low, one.high)
    word = clip(printable(one.outcome), 12)
    return (clip(label, _LABEL), figure(one.value), low_high, figures.asked(one), f"{one.n:,}", word)
