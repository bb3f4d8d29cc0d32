"""Charts as inline SVG: no script, no file, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlgate.reports._text import figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement

_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 12.0, 14.0, 40.0
_BAR_WIDTH, _BAR_HEIGHT, _BAR_AXIS = 420.0, 40.0, 14.0
_POINTS = 400
_LOOK = ("n", "value", "low", "high")


def interval_bar(measurement: Measurement) -> Markup:
    """Return a bar from 0 to 1 with the interval, the value and the threshold; empty without a value."""
    if not _finite(measurement.value):
        return Markup("")
    known = [measurement.value, measurement.low, measurement.high, measurement.threshold]
    numbers = [float(number) for number in known if number is not None and _finite(number)]
    bottom, top = min(0.0, *numbers), max(1.0, *numbers)

    def x(value: float) -> float:
        return 6 + (value - bottom) / (top - bottom) * (_BAR_WIDTH - 12)

    middle = _BAR_AXIS
    marks = [_line("axis", x(bottom), middle, x(top), middle)]
    for end, anchor in ((bottom, "start"), (top, "end")):
        marks.append(_text("tick", x(end), _BAR_HEIGHT - 2, f"{end:g}", anchor=anchor))
    if _finite(measurement.low) and _finite(measurement.high):
        low, high = x(float(measurement.low or 0.0)), x(float(measurement.high or 0.0))
        marks.append(_rect("range", low, middle - 5, max(high - low, 2), 10))
    if _finite(measurement.threshold):
        at = x(float(measurement.threshold or 0.0))
        marks.append(_line("threshold", at, 2, at, 2 * middle - 2))
    marks.append(_circle(x(float(measurement.value or 0.0)), middle, 4))
    return _svg(_BAR_WIDTH, _BAR_HEIGHT, f"bar {_outcome(measurement)}", _words(measurement), marks)


def sequence(measurement: Measurement) -> Markup:
    """Return how the estimate and its confidence sequence narrowed, by sample count.

    Reads ``detail["looks"]``: a list of ``[n, value, low, high]``, or of mappings with these
    keys, n ascending. Empty where there are fewer than two looks with finite numbers.
    """
    looks = _looks(measurement.detail.get("looks"))
    if len(looks) < 2:
        return Markup("")
    threshold = measurement.threshold if _finite(measurement.threshold) else None
    first, last = looks[0][0], looks[-1][0]
    values = [number for look in looks for number in look[1:]] + ([] if threshold is None else [threshold])
    bottom, top = _frame(min(values), max(values))

    def x(count: float) -> float:
        return _LEFT + (count - first) / ((last - first) or 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (top - value) / (top - bottom) * (_HEIGHT - _TOP - _BOTTOM)

    marks = [*_axes(bottom, top, y), *_counts(looks, x)]
    upper = [(x(look[0]), y(look[3])) for look in looks]
    lower = [(x(look[0]), y(look[2])) for look in reversed(looks)]
    marks.append(_polygon("band", upper + lower))
    if threshold is not None:
        marks.append(_line("threshold", _LEFT, y(threshold), _WIDTH - _RIGHT, y(threshold)))
        above = y(threshold) - 5 if y(threshold) > _TOP + 16 else y(threshold) + 13
        marks.append(
            _text("threshold-label", _WIDTH - _RIGHT, above, f"threshold {figure(threshold)}", anchor="end")
        )
    marks.append(_polyline("estimate", [(x(look[0]), y(look[1])) for look in looks]))
    marks += [_circle(x(look[0]), y(look[1]), 2.5) for look in looks[-1:]]
    title = f"{_words(measurement)}; the interval by number of samples"
    return _svg(_WIDTH, _HEIGHT, f"plot {_outcome(measurement)}", title, marks)


def _looks(value: Any) -> list[tuple[float, float, float, float]]:
    if not isinstance(value, list | tuple):
        return []
    rows = [[look.get(key) for key in _LOOK] if isinstance(look, Mapping) else look for look in value]
    looks = [tuple(row) for row in rows if isinstance(row, list | tuple) and len(row) == len(_LOOK)]
    looks = [look for look in looks if all(_finite(number) for number in look)]
    step = max(1, math.ceil(len(looks) / _POINTS))
    # The last look is the one that decided; it is kept whatever the step.
    return [look for at, look in enumerate(looks) if at % step == 0 or at == len(looks) - 1]


def _frame(low: float, high: float) -> tuple[float, float]:
    """Return the axis: tenths around what is shown, within 0 and 1 where the figures are shares."""
    bottom, top = math.floor(low * 10 - 0.2) / 10, math.ceil(high * 10 + 0.2) / 10
    if low >= 0 and high <= 1:
        bottom, top = max(bottom, 0.0), min(top, 1.0)
    return (bottom, top) if top > bottom else (bottom - 0.5, top + 0.5)


def _axes(bottom: float, top: float, y: Any) -> list[Markup]:
    marks = []
    for step in range(5):
        value = bottom + (top - bottom) * step / 4
        marks.append(_line("grid", _LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        marks.append(_text("tick", _LEFT - 6, y(value) + 4, f"{value:.2f}", anchor="end"))
    return marks


def _counts(looks: Sequence[tuple[float, ...]], x: Any) -> list[Markup]:
    first, last = looks[0][0], looks[-1][0]
    base = _HEIGHT - _BOTTOM
    marks = [_line("axis", _LEFT, base, _WIDTH - _RIGHT, base)]
    for value, anchor in ((first, "start"), ((first + last) / 2, "middle"), (last, "end")):
        marks.append(_text("tick", x(value), base + 16, f"{round(value):,}", anchor=anchor))
    marks.append(_text("label", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, "samples", anchor="middle"))
    return marks


def _words(one: Measurement) -> str:
    name = f"{printable(one.assessment)} {printable(one.name)}"
    asked = "" if one.threshold is None else f", threshold {figure(one.threshold)}"
    return f"{name}: {figure(one.value)}, interval {interval(one.low, one.high)}{asked}"


def _outcome(one: Measurement) -> str:
    return one.outcome if one.outcome in ("pass", "fail", "inconclusive") else "info"


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _svg(width: float, height: float, kind: str, title: str, marks: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(kind, width, height, title, title, Markup("").join(marks))


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    mark = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return mark.format(kind, x1, y1, x2, y2)


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    mark = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3"/>')
    return mark.format(kind, x, y, width, height)


def _circle(x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>').format(x, y, radius)


def _text(kind: str, x: float, y: float, words: str, *, anchor: str) -> Markup:
    mark = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return mark.format(kind, x, y, anchor, words)


def _polygon(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    return Markup('<polygon class="{}" points="{}"/>').format(kind, _joined(points))


def _polyline(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    return Markup('<polyline class="{}" points="{}"/>').format(kind, _joined(points))


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
