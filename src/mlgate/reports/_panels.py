"""Measurements as the HTML report lays them out: a panel for each assessment and family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlgate.reports import _figures as figures
from mlgate.reports._charts import axis_of, bar, sequence
from mlgate.reports._curve import curves
from mlgate.reports._detail import entries, notes
from mlgate.reports._severities import severities
from mlgate.reports._svg import number, outcome
from mlgate.reports._text import figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement

_ROWS = 200
# A longer table shows first what is not in order; the rest is a click away.
_SHORT = 8
_CLEAN = "accuracy"


def panels(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Return one panel for each assessment and family, with its charts, rows and details.

    Every figure is a row of a table, with its interval drawn on an axis that the table's
    figures of the same name share; the charts repeat what the tables say. Certificates are
    rows of their own kind: a lower bound is no attack's upper bound.
    """
    clean = _clean(measurements)
    return [_panel(family, clean.get(family.assessment)) for family in figures.families(measurements)]


def _clean(measurements: Sequence[Measurement]) -> dict[str, float | None]:
    """Return the accuracy of each assessment on its data as it is."""
    return {
        printable(one.assessment): number(one.value)
        for one in measurements
        if one.name == _CLEAN and not one.part and one.family == "performance"
    }


def _panel(family: figures.Family, clean: float | None) -> dict[str, Any]:
    named: dict[str, list[Measurement]] = {}
    for one in family.figures:
        named.setdefault(one.name, []).append(one)
    axes = {name: axis_of(members) for name, members in named.items()}
    first, rest = figures.told_first(family.figures, _SHORT)
    shown = [*first, *rest][:_ROWS]
    rows = [_row(one, axes[one.name]) for one in shown]
    return {
        "assessment": family.assessment,
        "name": family.name.replace("_", " "),
        "tally": [(word, outcome(word), count) for word, count in figures.tally(family.figures)],
        "curves": curves(family.figures, clean),
        "severities": severities(family.figures, clean if _CLEAN in named else None),
        "rows": rows,
        "first": rows[: len(first)],
        "rest": rows[len(first) :],
        "told": sum(bool(one.detail) for one in shown),
        "left": len(family.figures) - len(shown),
    }


def _row(one: Measurement, axis: tuple[float, float]) -> dict[str, Any]:
    return {
        "label": figures.label(one),
        "kind": outcome(one.outcome),
        "outcome": printable(one.outcome),
        "meaning": figures.MEANING.get(one.outcome, ""),
        "value": figure(one.value),
        "interval": interval(one.low, one.high),
        "asked": figures.asked(one),
        "n": f"{one.n:,}",
        "bar": bar(one, axis),
        "ends": [f"{end:.3g}" for end in axis],
        "plot": sequence(one),
        "detail": entries(one.detail),
        "notes": notes(one),
    }
