"""What values on the stack weigh, and how they are made light."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from mlgate.checks.models.pickle.newobj_ex import Held
from mlgate.checks.models.pickle.values import (
    CONTAINERS,
    UNKNOWN,
    Dict,
    Global,
    Made,
    Persistent,
    Set,
    Unknown,
)

# Containers and results that are looked at; more are heavy, whatever they hold.
_NODES = 100_000
_TEXT = 56
_OBJECT = 100
_PLAIN = frozenset((Unknown, Global, int, float, bool, type(None)))


def heavier(frames: Iterable[list[Any]], limit: int) -> bool:
    """Say whether the values of a stack, and all that they hold, take more than about ``limit`` bytes."""
    total = nodes = 0
    seen: set[int] = set()
    for frame in frames:
        if _PLAIN.issuperset(map(type, frame)):
            total += _OBJECT
            continue
        waiting: list[Iterator[Any]] = [iter(frame)]
        while waiting:
            for value in waiting[-1]:
                kind = type(value)
                if kind is str or kind is bytes:
                    total += _TEXT + len(value)
                    if total > limit:
                        return True
                elif kind not in _PLAIN and id(value) not in seen:
                    seen.add(id(value))
                    total += _OBJECT
                    nodes += 1
                    waiting.append(iter(_inside(value)))
                    break
            else:
                waiting.pop()
        if total > limit or nodes > _NODES:
            return True
    return False


def _inside(value: Any) -> tuple[Any, ...] | list[Any]:
    if type(value) is Made:
        return (value.maker, *(value.args or ()), value.state)
    if type(value) is Held:
        return value.state
    if type(value) in CONTAINERS:
        return cast("list[Any]", value)
    return (value.pid,) if type(value) is Persistent else ()


def light() -> dict[type, Any]:
    """Return what stands for containers that are made light, by their types.

    One for a million, and one set for each stream: later opcodes add items to them, which
    must not be found in another file.
    """
    return {list: [UNKNOWN], Dict: Dict((UNKNOWN, UNKNOWN)), Set: Set((UNKNOWN,))}


def lighten(frame: list[Any], start: int, end: int, forms: dict[type, Any]) -> None:
    """Forget all but the types of what a frame of the stack holds between two indices.

    Args:
        frame: Of the stack.
        start: The first index.
        end: The one behind the last.
        forms: What stands for containers: see :func:`light`.
    """
    if _PLAIN.issuperset(map(type, frame)):
        return
    for index in range(start, end):
        value = frame[index]
        if type(value) not in _PLAIN:
            frame[index] = forms.get(type(value), UNKNOWN)
