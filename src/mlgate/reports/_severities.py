"""Figures by the severity of what was done to the data: one small chart for each corruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlgate.reports import _svg as draw
from mlgate.reports._figures import level
from mlgate.reports._text import figure, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from mlgate.core.facts import Measurement

_WIDTH, _HEIGHT = 220.0, 140.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 38.0, 12.0, 10.0, 32.0
_MOST = 40
_USUAL = 5


def severities(figures: Sequence[Measurement], clean: float | None) -> tuple[tuple[str, Markup], ...]:
    """Return a title and a chart for everything that was measured at two severities or more.

    Reads parts such as ``gaussian_noise/3``. All charts have the same axes, so that they can
    be compared.

    Args:
        figures: Of one assessment and family.
        clean: The accuracy on the data as it is, drawn as a line; None where unknown.
    """
    found: dict[tuple[str, str], dict[int, Measurement]] = {}
    for one in figures:
        placed = level(one)
        if placed is not None and draw.number(one.value) is not None:
            found.setdefault((one.name, placed[0]), {})[placed[1]] = one
    several = {key: levels for key, levels in found.items() if len(levels) > 1}
    shown = [one for levels in several.values() for one in levels.values()]
    if not shown:
        return ()
    known = [draw.number(number) for one in shown for number in (one.value, one.low, one.high)]
    ends = draw.span([number for number in known if number is not None], share=True)
    y = draw.Scale(*ends, _HEIGHT - _BOTTOM, _TOP)
    top = max(_USUAL, *(number for levels in several.values() for number in levels))
    x = draw.Scale(0.6, top + 0.4, _LEFT, _WIDTH - _RIGHT)
    names = {name for name, _ in several}
    return tuple(
        (_title(name, of, alone=len(names) == 1), _chart(of, levels, x, y, clean))
        for (name, of), levels in list(several.items())[:_MOST]
    )


def _title(name: str, of: str, *, alone: bool) -> str:
    words = of.replace("_", " ")
    return words if alone else f"{words}: {printable(name).replace('_', ' ')}"


def _chart(
    of: str, levels: dict[int, Measurement], x: draw.Scale, y: draw.Scale, clean: float | None
) -> Markup:
    marks = []
    for tick in y.ticks(3):
        marks.append(draw.line("grid", _LEFT, y(tick), _WIDTH - _RIGHT, y(tick)))
        marks.append(draw.text("tick", _LEFT - 5, y(tick) + 4, f"{tick:.2g}", anchor="end"))
    base = _HEIGHT - _BOTTOM
    marks.append(draw.line("axis", _LEFT, base, _WIDTH - _RIGHT, base))
    if clean is not None and y.bottom <= clean <= y.top:
        marks.append(draw.line("reference", _LEFT, y(clean), _WIDTH - _RIGHT, y(clean)))
    path, points, told = [], [], []
    for number, one in sorted(levels.items()):
        at, value = x(number), draw.number(one.value)
        if value is None:
            continue
        low, high, threshold = map(draw.number, (one.low, one.high, one.threshold))
        marks.append(draw.text("tick", at, base + 14, str(number), anchor="middle"))
        if threshold is not None:
            marks.append(draw.line("threshold", at - 9, y(threshold), at + 9, y(threshold)))
        if low is not None and high is not None:
            points.append(draw.whisker(one.outcome, at, y(low), y(high)))
        points.append(draw.point(one.outcome, at, y(value), 4))
        path.append((at, y(value)))
        told.append(f"severity {number}: {figure(value)} ({printable(one.outcome)})")
    marks.append(draw.text("label", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "severity", anchor="middle"))
    marks.append(draw.polyline("estimate", path))
    return draw.svg(_WIDTH, _HEIGHT, "small", f"{of}, {'; '.join(told)}", [*marks, *points])
