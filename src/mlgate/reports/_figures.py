"""Measurements in the words and the order that reports show them in."""

from __future__ import annotations

import re
from math import inf, isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

from mlgate.reports._text import figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlgate.core.facts import Measurement

# Worst first: what fails, what shows nothing, what is good.
_RANK = {"fail": 0, "masked": 1, "inconclusive": 2, "pass": 3, "info": 4}
_LEVEL = re.compile(r"(?P<of>.+)/(?P<level>\d{1,2})", re.DOTALL | re.ASCII)
_NUMBER = re.compile(r"[^=]+=(?P<level>-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?)", re.ASCII)
QUIET = frozenset({"pass", "info"})
_FEW = 3
_LARGEST = 1e300
MEANING = {
    "pass": "reaches the threshold",
    "fail": "misses the threshold",
    "inconclusive": "the interval holds the threshold: neither shown nor refuted",
    "masked": "the attacks were misled: the figure shows nothing",
    "info": "no threshold",
}


class Family(Struct, frozen=True):
    """The figures of one assessment that one key of the policy asked for.

    Attributes:
        assessment: The assessment's name, printable.
        name: The policy's key, printable: ``robustness``.
        figures: At least one, in the report's order.
    """

    assessment: str
    name: str
    figures: tuple[Measurement, ...]


def families(measurements: Iterable[Measurement]) -> tuple[Family, ...]:
    """Group measurements by assessment and family, both in the order of their first."""
    found: dict[str, dict[str, list[Measurement]]] = {}
    for one in measurements:
        found.setdefault(one.assessment, {}).setdefault(one.family, []).append(one)
    return tuple(
        Family(printable(assessment), printable(name), tuple(figures))
        for assessment, names in found.items()
        for name, figures in names.items()
    )


def worst_first(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Sort series by their worst outcome, and inside a series by outcome.

    A series is a figure over the parts of one kind: ``accuracy`` over ``sex=…``. A series over
    numbers (``epsilon=0.1``, ``gaussian_noise/3``) stands in their order, in which it is read.
    """
    series: dict[tuple[str, str], list[Measurement]] = {}
    for one in measurements:
        series.setdefault((one.name, _kind(one.part)), []).append(one)
    ordered = sorted(series.values(), key=lambda members: min(map(rank, members)))
    return tuple(one for members in ordered for one in _inside(members))


def rank(one: Measurement) -> int:
    """Return the place of a figure's outcome: fail, masked, inconclusive, pass, anything else."""
    return _RANK.get(one.outcome, len(_RANK))


def _kind(part: str) -> str:
    found = _LEVEL.fullmatch(part)
    return found["of"] if found else part.partition("=")[0]


def _inside(members: list[Measurement]) -> list[Measurement]:
    numbers = [_number(one.part) for one in members]
    if None in numbers:
        return sorted(members, key=rank)
    return sorted(members, key=lambda one: _number(one.part) or 0.0)


def _number(part: str) -> float | None:
    found = _LEVEL.fullmatch(part) or _NUMBER.fullmatch(part)
    return None if found is None else float(found["level"])


def told_first(
    figures: Sequence[Measurement], short: int
) -> tuple[Sequence[Measurement], Sequence[Measurement]]:
    """Split figures, worst first, into those to show and those to fold: none where they are few.

    What fails or shows nothing is shown; where that is little, so are the figures that pass
    and come closest to their thresholds.

    Args:
        figures: Of one family.
        short: How many may be shown whatever they are.
    """
    ordered = worst_first(figures)
    if len(ordered) <= short:
        return ordered, ()
    shown = {id(one) for one in ordered if one.outcome not in QUIET}
    close = sorted((one for one in ordered if id(one) not in shown), key=_margin)
    shown |= {id(one) for one in close[: max(_FEW - len(shown), 0)] if isfinite(_margin(one))}
    return [one for one in ordered if id(one) in shown], [one for one in ordered if id(one) not in shown]


def _margin(one: Measurement) -> float:
    """Return how far a figure is from its threshold, as a share of it; infinite where there is none."""
    if one.value is None or one.threshold is None:
        return inf
    # Not a number, or a whole one that no float holds.
    if not (abs(one.value) < _LARGEST and abs(one.threshold) < _LARGEST):
        return inf
    return abs(one.value - one.threshold) / (abs(one.threshold) or 1)


def label(one: Measurement) -> str:
    """Return ``robust accuracy, epsilon=0.1``: the figure's name and what it is about."""
    name = printable(one.name).replace("_", " ")
    return f"{name}, {printable(one.part)}" if one.part else name


def is_certified(one: Measurement) -> bool:
    """Say whether a figure is a certificate: a lower bound, whatever the attack."""
    return one.name.startswith("certified")


def asked(one: Measurement) -> str:
    """Return ``≥ 0.600`` or ``≤ 0.100``; a dash where the policy asks for nothing."""
    if one.threshold is None:
        return figure(None)
    return f"{'≤' if one.bound == 'max' else '≥'} {figure(one.threshold)}"


def title(one: Measurement) -> str:
    """Return a figure in a sentence, the text alternative of its chart."""
    wanted = ""
    if one.threshold is not None:
        wanted = f", {'at most' if one.bound == 'max' else 'at least'} {figure(one.threshold)} wanted"
    name = f"{printable(one.assessment)}: {label(one)} {figure(one.value)}"
    return f"{name}, interval {interval(one.low, one.high)}{wanted}: {printable(one.outcome)}"


def tally(figures: Sequence[Measurement]) -> tuple[tuple[str, int], ...]:
    """Count figures by outcome, worst first."""
    counts: dict[str, int] = {}
    for one in sorted(figures, key=rank):
        counts[one.outcome] = counts.get(one.outcome, 0) + 1
    return tuple((printable(word), count) for word, count in counts.items())


def level(one: Measurement) -> tuple[str, int] | None:
    """Return what was done to the data and how severely, for a part such as ``gaussian_noise/3``."""
    found = _LEVEL.fullmatch(one.part)
    return None if found is None else (printable(found["of"]), int(found["level"]))
