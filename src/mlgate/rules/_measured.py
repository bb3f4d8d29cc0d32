"""How rules read a measurement: which facts failed, and what to show of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlgate.core.facts import Fact


def failed(facts: Sequence[Fact], family: str, outcome: str = "fail") -> Iterator[Fact]:
    """Yield the facts about figures that one policy key asked for and that came out so."""
    for fact in facts:
        if fact.detail.get("family") == family and fact.detail.get("outcome") == outcome:
            yield fact


def spoken(name: str) -> str:
    """Return a figure's name for a sentence."""
    return name.replace("_", " ")


def evidence(detail: Mapping[str, Any]) -> str:
    """Return one line: the figure, its bound, its interval and what it rests on."""
    asked = "at least" if detail["limit"] == "min" else "at most"
    interval = "no interval"
    if detail["low"] is not None and detail["high"] is not None:
        interval = f"interval {detail['low']:.3f} to {detail['high']:.3f}"
    return (
        f"{spoken(detail['name'])} {detail['value']:.3f} where the policy asks for {asked} "
        f"{detail['threshold']:g} ({interval}, n={detail['n']})"
    )
