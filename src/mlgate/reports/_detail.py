"""The evidence behind a figure: every key that a measurement carries, in words, lists and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from mlgate.reports._encode import plain
from mlgate.reports._text import clip, counted, figure, printable

if TYPE_CHECKING:
    from mlgate.core.facts import Measurement

# What a reader asks first; whatever else there is follows in its own order.
_FIRST = (
    "method",
    "bound",
    "norm",
    "epsilon",
    "confidence",
    "seed",
    "stop",
    "samples",
    "successes",
    "attacks",
    "masking",
    "certificate",
    "queries",
    "forward_passes",
    "backward_passes",
    "budget_seconds",
)
_WORDS = {
    "model_sha256": "model SHA-256",
    "data_sha256": "data SHA-256",
    "budget_seconds": "budget (s)",
    "seconds": "time (s)",
    "stop": "stopped because",
    "masking": "signals of masking",
    "sandbox": "sandbox",
}
# Drawn, not told.
_DRAWN = frozenset({"looks"})
_LONGEST, _ROWS, _COLUMNS, _SIGNALS = 600, 60, 12, 6
_LINE = 160


class Entry(Struct, frozen=True):
    """One key of a measurement's detail; all text is printable.

    Attributes:
        label: For a person.
        text: The value in words; "" where there is a table.
        columns: Heads of the table, the first of them "" for names.
        rows: Cells, as many as there are columns.
        more: How many rows were left out.
    """

    label: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0


def entries(detail: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return every entry but those that charts draw, what a reader asks first standing first.

    A mapping of mappings, and a list of mappings, becomes a table; a mapping of plain values
    becomes a line, or a table of two columns where it is long; all else becomes text of at
    most 600 characters.
    """
    keys = [key for key in _FIRST if key in detail]
    keys += [key for key in detail if key not in _FIRST and key not in _DRAWN]
    # A seed is copied into a command: no separators.
    return tuple(_entry(_label(key), str(detail[key]) if key == "seed" else detail[key]) for key in keys)


def _entry(label: str, value: Any) -> Entry:
    if isinstance(value, Mapping) and value:
        if all(isinstance(inner, Mapping) for inner in value.values()):
            named = [{"": str(name), **inner} for name, inner in list(value.items())[:_ROWS]]
            return _table(label, named, len(value))
        rows = tuple((_label(str(key)), words(inner)) for key, inner in list(value.items())[:_ROWS])
        line = ", ".join(f"{name}: {told}" for name, told in rows)
        if len(value) <= _ROWS and len(line) <= _LINE:
            return Entry(label, line)
        return Entry(label, columns=("", "value"), rows=rows, more=max(len(value) - _ROWS, 0))
    if isinstance(value, list | tuple) and value and all(isinstance(inner, Mapping) for inner in value):
        return _table(label, list(value[:_ROWS]), len(value))
    return Entry(label, words(value))


def _table(label: str, found: Sequence[Mapping[str, Any]], total: int) -> Entry:
    every = list(dict.fromkeys(str(key) for row in found for key in row))
    columns = every[:_COLUMNS]
    rows = []
    for row in found:
        cells = {str(key): inner for key, inner in row.items()}
        rest = {key: cells[key] for key in every[_COLUMNS:] if key in cells}
        told = [words(cells[key]) if key in cells else "" for key in columns]
        rows.append((*told, *([words(rest)] if len(every) > _COLUMNS else [])))
    heads = [_label(key) if key else "" for key in columns]
    if len(every) > _COLUMNS:
        heads.append("more")
    return Entry(label, columns=tuple(heads), rows=tuple(rows), more=max(total - _ROWS, 0))


def _label(key: str) -> str:
    return _WORDS.get(key, clip(printable(str(key)), 80).replace("_", " "))


def words(value: Any) -> str:
    """Return any plain value on one printable line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return clip(printable(value), _LONGEST)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**18 else "a number of more than 18 digits"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple) and not any(isinstance(one, Mapping | list | tuple) for one in value):
        more = f", {counted(len(value) - 40, 'more', 'more')}" if len(value) > 40 else ""
        return clip(", ".join(words(one) for one in value[:40]) + more, _LONGEST) or "none"
    return clip(printable(json.dumps(plain(value), ensure_ascii=False)), _LONGEST)


def notes(one: Measurement) -> list[str]:
    """Return what must be read with a figure: its side of the truth, and why it shows nothing."""
    detail = one.detail
    told = [words(detail["bound"])] if isinstance(detail.get("bound"), str) else []
    held = detail.get("certificate")
    low = held.get("low") if isinstance(held, Mapping) else None
    if isinstance(low, int | float):
        told.append(f"certified at least {figure(low)}")
    if one.outcome == "inconclusive" and isinstance(detail.get("stop"), str):
        told.append(f"stopped because {words(detail['stop'])}")
    if one.outcome == "masked":
        told += [f"signal: {signal}" for signal in _raised(detail.get("masking"))]
    return told


def _raised(masking: Any) -> list[str]:
    if not isinstance(masking, list | tuple):
        return []
    raised = [one for one in masking if isinstance(one, Mapping) and one.get("raised")]
    names = [words(one.get("signal")).replace("_", " ") for one in raised[:_SIGNALS]]
    return [
        f"{name}, {words(one.get('value'))} (limit {words(one.get('limit'))})"
        for name, one in zip(names, raised, strict=False)
    ]
