"""One difference between two policies, and the words for it."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from mlgate.policy import directions
from mlgate.policy.directions import ABSENT, Effect

_SHOWN = 5
_LONGEST = 80


class Change(Struct, frozen=True):
    """One difference between two policies.

    Attributes:
        effect: What it does to the gate.
        key: ``models.exclude``, ``assessment[digits].robustness.epsilon``.
        words: ``0.1 -> 0.05``, ``adds tests/**``.
        line: 1-based line in the newer policy's file, where it has one.
    """

    effect: Effect
    key: str
    words: str
    line: int | None = None


def leaf(key: str, old: Any, new: Any, shown: str = "") -> Iterator[Change]:
    """Yield the change of one value, if it is one; ``shown`` names the key to a person."""
    if old != new:
        direction = directions.of(key)
        effect = Effect.CHANGED if direction is None else direction(old, new)
        yield Change(effect, shown or key, _words(old, new))


def _words(old: Any, new: Any) -> str:
    lists = all(each is ABSENT or isinstance(each, list) for each in (old, new))
    if not lists or ABSENT in (old, new):
        return f"{value(old)} -> {value(new)}"
    steps = [("adds", new, old), ("removes", old, new)]
    words = [
        f"{verb} {listed([item for item in these if item not in those])}"
        for verb, these, those in steps
        if any(item not in those for item in these)
    ]
    return "; ".join(words) or "is in another order"


def value(of: Any) -> str:
    """Return a value for a person, in at most eighty characters."""
    if of is ABSENT:
        return "nothing"
    text = listed(of) or "an empty list" if isinstance(of, list) else str(of)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def listed(items: Iterable[Any]) -> str:
    """Return the first items of a list for a person, and how many more there are."""
    every = [str(item) for item in items]
    more = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
