"""Charts of one figure: its interval on a bar, and how the interval narrowed with the samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlgate.reports import _svg as draw
from mlgate.reports._figures import is_certified, title
from mlgate.reports._text import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement

_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 14.0, 40.0
_BAR_WIDTH, _BAR_HEIGHT, _EDGE = 240.0, 22.0, 8.0
_POINTS = 400
_LOOK = ("n", "value", "low", "high")


def axis_of(figures: Sequence[Measurement]) -> tuple[float, float]:
    """Return the ends of one axis for several figures: 0 to 1 where all of them are shares."""
    known = [number for one in figures for number in _numbers(one)]
    return draw.span(known, share=True)


def bar(one: Measurement, axis: tuple[float, float]) -> Markup:
    """Return a figure with its interval and threshold on an axis; empty without a value.

    The interval of a figure that shows nothing (inconclusive, masked) is drawn as an outline.
    """
    value, low, high, threshold = map(draw.number, (one.value, one.low, one.high, one.threshold))
    if value is None:
        return Markup("")
    x = draw.Scale(*axis, _EDGE, _BAR_WIDTH - _EDGE)
    middle = _BAR_HEIGHT / 2
    marks = [draw.line("axis", x(axis[0]), middle, x(axis[1]), middle)]
    if low is not None and high is not None:
        width = max(x(high) - x(low), 2)
        marks.append(draw.rect(f"range {draw.outcome(one.outcome)}", x(low), middle - 5, width, 10))
    if threshold is not None:
        marks.append(draw.line("threshold", x(threshold), 1, x(threshold), _BAR_HEIGHT - 1))
    certified = is_certified(one)
    marks.append(
        draw.certificate(x(value), middle) if certified else draw.point(one.outcome, x(value), middle)
    )
    kind = f"bar {draw.outcome(one.outcome)}"
    return draw.svg(_BAR_WIDTH, _BAR_HEIGHT, kind, title(one), marks)


def sequence(measurement: Measurement) -> Markup:
    """Return how the estimate and its confidence sequence narrowed, by sample count.

    Reads ``detail["looks"]``: a list of ``[n, value, low, high]``, or of mappings with these
    keys, n ascending. Empty where there are fewer than two looks with finite numbers.
    """
    looks = _looks(measurement.detail.get("looks"))
    if len(looks) < 2:
        return Markup("")
    threshold = draw.number(measurement.threshold)
    first, last = looks[0][0], looks[-1][0]
    values = [number for look in looks for number in look[1:]] + ([] if threshold is None else [threshold])
    bottom, top = _frame(min(values), max(values))
    x = draw.Scale(first, last if last > first else first + 1, _LEFT, _WIDTH - _RIGHT)
    y = draw.Scale(bottom, top, _HEIGHT - _BOTTOM, _TOP)
    marks = [*_axes(y), *_counts(x)]
    upper = [(x(look[0]), y(look[3])) for look in looks]
    lower = [(x(look[0]), y(look[2])) for look in reversed(looks)]
    marks.append(draw.polygon("band", upper + lower))
    if threshold is not None:
        marks += _threshold(y(threshold), figure(threshold))
    marks.append(draw.polyline("estimate", [(x(look[0]), y(look[1])) for look in looks]))
    marks += [draw.point(measurement.outcome, x(look[0]), y(look[1]), 4) for look in looks[-1:]]
    words = f"{title(measurement)}; the interval by number of samples"
    return draw.svg(_WIDTH, _HEIGHT, f"plot {draw.outcome(measurement.outcome)}", words, marks)


def _numbers(one: Measurement) -> list[float]:
    found = map(draw.number, (one.value, one.low, one.high, one.threshold))
    return [number for number in found if number is not None]


def _looks(value: Any) -> list[tuple[float, float, float, float]]:
    if not isinstance(value, list | tuple):
        return []
    known = [look for look in map(_look, value) if look is not None]
    step = max(1, math.ceil(len(known) / _POINTS))
    # The last look is the one that decided; it is kept whatever the step.
    return [look for at, look in enumerate(known) if at % step == 0 or at == len(known) - 1]


def _look(value: Any) -> tuple[float, float, float, float] | None:
    row = [value.get(key) for key in _LOOK] if isinstance(value, Mapping) else value
    if not isinstance(row, list | tuple) or len(row) != len(_LOOK):
        return None
    n, estimate, low, high = map(draw.number, row)
    if n is None or estimate is None or low is None or high is None:
        return None
    return n, estimate, low, high


def _frame(low: float, high: float) -> tuple[float, float]:
    """Return the axis: tenths around what is shown, within 0 and 1 where the figures are shares."""
    bottom, top = math.floor(low * 10 - 0.2) / 10, math.ceil(high * 10 + 0.2) / 10
    if low >= 0 and high <= 1:
        bottom, top = max(bottom, 0.0), min(top, 1.0)
    return (bottom, top) if top > bottom else (bottom - 0.5, top + 0.5)


def _axes(y: draw.Scale) -> list[Markup]:
    marks = []
    for value in y.ticks(5):
        marks.append(draw.line("grid", _LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        marks.append(draw.text("tick", _LEFT - 6, y(value) + 4, f"{value:.2f}", anchor="end"))
    return marks


def _counts(x: draw.Scale) -> list[Markup]:
    base = _HEIGHT - _BOTTOM
    marks = [draw.line("axis", _LEFT, base, _WIDTH - _RIGHT, base)]
    for value, anchor in zip(x.ticks(3), ("start", "middle", "end"), strict=True):
        marks.append(draw.text("tick", x(value), base + 16, f"{round(value):,}", anchor=anchor))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [*marks, draw.text("label", middle, _HEIGHT - 6, "samples", anchor="middle")]


def _threshold(at: float, words: str) -> list[Markup]:
    above = at - 5 if at > _TOP + 16 else at + 13
    label = draw.text("threshold-label", _WIDTH - _RIGHT, above, f"threshold {words}", anchor="end")
    return [draw.line("threshold", _LEFT, at, _WIDTH - _RIGHT, at), label]
