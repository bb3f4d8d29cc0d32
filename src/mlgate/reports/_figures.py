"""Measurements in the words and the order that reports show them in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from mlgate.reports._text import figure, interval, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlgate.core.facts import Measurement

# Worst first: what fails, what shows nothing, what is good.
_RANK = {"fail": 0, "masked": 1, "inconclusive": 2, "pass": 3, "info": 4}
_LEVEL = re.compile(r"(?P<of>.+)/(?P<level>\d{1,2})", re.DOTALL)
_NUMBER = re.compile(r"[^=]+=-?[\d.]+(e[+-]?\d+)?")
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
    numbers (``epsilon=0.1``, ``gaussian_noise/3``) keeps its order, in which it is read.
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
    numbered = all(_LEVEL.fullmatch(one.part) or _NUMBER.fullmatch(one.part) for one in members)
    return members if numbered else sorted(members, key=rank)


QUIET = frozenset({"pass", "info"})


def told_first(
    figures: Sequence[Measurement], short: int
) -> tuple[Sequence[Measurement], Sequence[Measurement]]:
    """Split figures, worst first, into those to show and those to fold: none where they are few.

    Args:
        figures: Of one family.
        short: How many may be shown whatever they are.
    """
    ordered = worst_first(figures)
    if len(ordered) <= short:
        return ordered, ()
    loud = [one for one in ordered if one.outcome not in QUIET]
    return loud, [one for one in ordered if one.outcome in QUIET]


def label(one: Measurement) -> str:
    """Return ``robust accuracy, epsilon=0.1``: the figure's name and what it is about."""
    name = printable(one.name).replace("_", " ")
    return f"{name}, {printable(one.part)}" if one.part else name


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
