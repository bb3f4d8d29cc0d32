"""Robust accuracy against the size of the attack, one chart for each norm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import Struct

from mlgate.reports import _svg as draw
from mlgate.reports._figures import is_certified
from mlgate.reports._text import figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlgate.core.facts import Measurement

_WIDTH, _HEIGHT = 420.0, 270.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 16.0, 24.0, 42.0
_MOST, _TICKS = 60, 6


class _Point(Struct, frozen=True):
    """One figure at one epsilon."""

    epsilon: float
    value: float
    of: Measurement


def curves(figures: Sequence[Measurement], clean: float | None) -> tuple[Markup, ...]:
    """Return one chart for each norm among the figures whose ``detail`` has an ``epsilon``.

    What attacks left standing is an upper bound and drawn as points with intervals; what is
    certified (a figure named ``certified_…``, or ``detail["certificate"]["low"]``) is a lower
    bound and drawn as triangles, never joined with the others. Masked and inconclusive points
    are not joined either. Without a second point or a clean accuracy there is no curve.

    Args:
        figures: Of one assessment.
        clean: The accuracy without an attack, drawn at epsilon 0; None where unknown.
    """
    norms: dict[str, list[_Point]] = {}
    for one in figures:
        epsilon, value = draw.number(one.detail.get("epsilon")), draw.number(one.value)
        if epsilon is not None and epsilon >= 0 and value is not None:
            norm = printable(str(one.detail.get("norm", "")))
            norms.setdefault(norm, []).append(_Point(epsilon, value, one))
    return tuple(
        _chart(norm, sorted(points, key=lambda point: point.epsilon)[:_MOST], clean)
        for norm, points in norms.items()
        if len(points) + (clean is not None) > 1
    )


def _chart(norm: str, points: Sequence[_Point], clean: float | None) -> Markup:
    x = draw.Scale(0.0, (points[-1].epsilon or 1.0) * 1.06, _LEFT, _WIDTH - _RIGHT)
    shown = [point.value for point in points] + ([] if clean is None else [clean])
    y = draw.Scale(*draw.span(shown, share=True), _HEIGHT - _BOTTOM, _TOP)
    marks = _axes(norm, x, y, sorted({point.epsilon for point in points}))
    if clean is not None:
        marks.append(draw.line("reference", _LEFT, y(clean), _WIDTH - _RIGHT, y(clean)))
        marks.append(draw.text("tick", _LEFT + 4, y(clean) - 6, f"clean {figure(clean)}", anchor="start"))
    attacked = [point for point in points if not is_certified(point.of)]
    marks.append(_joined(attacked, clean, x, y))
    for point in points:
        marks += _point(point, x, y)
    return draw.svg(_WIDTH, _HEIGHT, "curve", _words(norm, points, clean), marks)


def _joined(attacked: Sequence[_Point], clean: float | None, x: draw.Scale, y: draw.Scale) -> Markup:
    """Return the line through the points that show something."""
    path = [] if clean is None else [(x(0.0), y(clean))]
    shown = [point for point in attacked if point.of.outcome not in ("masked", "inconclusive")]
    path += [(x(point.epsilon), y(point.value)) for point in shown]
    return draw.polyline("estimate", path) if len(path) > 1 else Markup("")


def _point(point: _Point, x: draw.Scale, y: draw.Scale) -> list[Markup]:
    one, at = point.of, x(point.epsilon)
    low, high, threshold = map(draw.number, (one.low, one.high, one.threshold))
    marks = []
    if threshold is not None:
        marks.append(draw.line("threshold", at - 16, y(threshold), at + 16, y(threshold)))
    if is_certified(one):
        return [*marks, draw.certificate(at, y(point.value))]
    if low is not None and high is not None:
        marks.append(draw.whisker(one.outcome, at, y(low), y(high)))
    marks.append(draw.point(one.outcome, at, y(point.value)))
    bound = certified(one)
    return marks if bound is None else [*marks, draw.certificate(at, y(bound))]


def certified(one: Measurement) -> float | None:
    """Return the lower bound that a figure is certified to have, or None."""
    if is_certified(one):
        return draw.number(one.value)
    held = one.detail.get("certificate")
    # The share that is proven; where only its interval is known, the interval's lower end.
    return draw.number(held.get("value", held.get("low"))) if isinstance(held, Mapping) else None


def _axes(norm: str, x: draw.Scale, y: draw.Scale, epsilons: Sequence[float]) -> list[Markup]:
    base = _HEIGHT - _BOTTOM
    marks = []
    for value in y.ticks(5):
        marks.append(draw.line("grid", _LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        marks.append(draw.text("tick", _LEFT - 6, y(value) + 4, f"{value:.2f}", anchor="end"))
    marks.append(draw.line("axis", _LEFT, base, _WIDTH - _RIGHT, base))
    crowded = len(epsilons) > _TICKS or any(
        x(after) - x(before) < 44 for before, after in zip((0.0, *epsilons), epsilons, strict=False)
    )
    for value in _round_ticks(x.top) if crowded else (0.0, *epsilons):
        marks.append(draw.line("axis", x(value), base, x(value), base + 4))
        marks.append(draw.text("tick", x(value), base + 18, f"{value:.3g}", anchor="middle"))
    name = f"epsilon ({norm})" if norm else "epsilon"
    return [*marks, draw.text("label", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, name, anchor="middle")]


def _round_ticks(top: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten, four to eight of them, up to ``top``."""
    unit = 10.0 ** math.floor(math.log10(top))
    step = next(unit * part for part in (0.1, 0.2, 0.5, 1) if top / (unit * part) < 8)
    return [step * number for number in range(int(top / step) + 1)]


def _words(norm: str, points: Sequence[_Point], clean: float | None) -> str:
    told = [
        f"at {point.epsilon:g} {printable(point.of.name).replace('_', ' ')} {figure(point.value)} "
        f"{interval(point.of.low, point.of.high)} ({printable(point.of.outcome)})"
        for point in points[:12]
    ]
    start = f"clean accuracy {figure(clean)}; " if clean is not None else ""
    return f"Accuracy by epsilon{f', norm {norm}' if norm else ''}: {start}{'; '.join(told)}"
