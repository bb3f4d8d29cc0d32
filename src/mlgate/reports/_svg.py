"""Marks of inline SVG: no script, no file, colours from the page's style sheet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The mark of each outcome differs in shape too, for those who see no colours and for print.
OUTCOMES = ("pass", "fail", "inconclusive", "masked", "info")


class Scale(Struct, frozen=True):
    """From a value to a place on one axis of a drawing.

    Attributes:
        bottom: Value at ``start``.
        top: Value at ``end``; not equal to ``bottom``.
        start: Coordinate.
        end: Coordinate.
    """

    bottom: float
    top: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; values beyond the axis are put at its ends."""
        kept = min(max(value, self.bottom), self.top)
        return self.start + (kept - self.bottom) / (self.top - self.bottom) * (self.end - self.start)

    def ticks(self, count: int) -> tuple[float, ...]:
        """Return ``count`` values from bottom to top, evenly spaced."""
        return tuple(self.bottom + (self.top - self.bottom) * step / (count - 1) for step in range(count))


def outcome(word: str) -> str:
    """Return a known outcome, or ``info`` for any other word."""
    return word if word in OUTCOMES else "info"


def number(value: Any) -> float | None:
    """Return a finite number as a float, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and abs(found) < 1e15 else None


def span(values: Iterable[float], *, share: bool) -> tuple[float, float]:
    """Return the ends of an axis that shows all values: 0 to 1 for shares, else around them and 0."""
    known = list(values)
    if share and all(0 <= value <= 1 for value in known):
        return 0.0, 1.0
    bottom, top = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
    room = (top - bottom) * 0.05 or 1.0
    return (bottom - room if bottom < 0 else 0.0), (top + room if top > 0 else 0.0)


def svg(width: float, height: float, kind: str, title: str, marks: Sequence[Markup]) -> Markup:
    """Return a drawing whose title is its text alternative."""
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(kind, width, height, title, title, Markup("").join(marks))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line."""
    mark = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return mark.format(kind, x1, y1, x2, y2)


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """Return a rectangle with round corners."""
    mark = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>')
    return mark.format(kind, x, y, width, height)


def circle(kind: str, x: float, y: float, radius: float) -> Markup:
    """Return a circle."""
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>').format(kind, x, y, radius)


def text(kind: str, x: float, y: float, words: str, *, anchor: str) -> Markup:
    """Return words; ``anchor`` is ``start``, ``middle`` or ``end``."""
    mark = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return mark.format(kind, x, y, anchor, words)


def polygon(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    """Return a closed figure."""
    return Markup('<polygon class="{}" points="{}"/>').format(kind, _joined(points))


def polyline(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    """Return a line through points."""
    return Markup('<polyline class="{}" points="{}"/>').format(kind, _joined(points))


def point(word: str, x: float, y: float, size: float = 5.0) -> Markup:
    """Return the mark of an outcome.

    A disc passes, a filled diamond fails, an open circle is inconclusive, a crossed square
    is masked, and a small disc has no threshold.
    """
    kind = outcome(word)
    if kind == "fail":
        corners = [(x, y - size - 1), (x + size + 1, y), (x, y + size + 1), (x - size - 1, y)]
        return polygon("point fail", corners)
    if kind == "masked":
        box = rect("point masked", x - size, y - size, 2 * size, 2 * size)
        cross = line("cross", x - size, y - size, x + size, y + size)
        return box + cross + line("cross", x - size, y + size, x + size, y - size)
    radius = {"pass": size, "inconclusive": size, "info": size - 1.5}[kind]
    return circle(f"point {kind}", x, y, radius)


def certificate(x: float, y: float, size: float = 5.0) -> Markup:
    """Return the mark of a certified lower bound: a triangle that points up."""
    return polygon("point certificate", [(x, y - size), (x + size, y + size), (x - size, y + size)])


def whisker(word: str, x: float, low: float, high: float) -> Markup:
    """Return an upright interval with its ends; ``low`` and ``high`` are coordinates."""
    kind = f"whisker {outcome(word)}"
    ends = line(kind, x - 4, low, x + 4, low) + line(kind, x - 4, high, x + 4, high)
    return line(kind, x, low, x, high) + ends


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
