"""What values on the stack weigh, and how they are made light."""

from collections.abc import Iterable
from typing import Any

from mlgate.checks.models.pickle.values import CONTAINERS, UNKNOWN, Dict, Global, Made, Persistent, Set

# Containers and results that are looked at; more are heavy, whatever they hold.
_NODES = 100_000
_TEXT = 56
_OBJECT = 100
_KEPT = (Global, int, float, bool, type(None))
_LIGHT: dict[type, Any] = {list: [UNKNOWN], Dict: Dict((UNKNOWN, UNKNOWN)), Set: Set((UNKNOWN,))}


def heavier(values: Iterable[Any], limit: int) -> bool:
    """Say whether values, and all that they hold, take more than about ``limit`` bytes."""
    total = 0
    seen: set[int] = set()
    waiting = [iter(values)]
    while waiting:
        for value in waiting[-1]:
            kind = type(value)
            total += 8
            if kind is str or kind is bytes:
                total += _TEXT + len(value)
            elif kind in CONTAINERS or kind is Made or kind is Persistent:
                if id(value) in seen:
                    continue
                seen.add(id(value))
                total += _OBJECT
                waiting.append(iter(_inside(value)))
                break
            if total > limit or len(seen) > _NODES:
                return True
        else:
            waiting.pop()
    return False


def _inside(value: Any) -> tuple[Any, ...] | list[Any]:
    if type(value) is Made:
        return (value.maker, *(value.args or ()), value.state)
    return (value.pid,) if type(value) is Persistent else value


def lighten(frame: list[Any], start: int, end: int) -> None:
    """Forget all but the types of what a frame of the stack holds between two indices."""
    for index in range(start, end):
        value = frame[index]
        if type(value) not in _KEPT:
            frame[index] = _LIGHT.get(type(value), UNKNOWN)
