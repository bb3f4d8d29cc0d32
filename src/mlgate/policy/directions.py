"""Which way a key of the policy points: what makes the gate looser, and what stricter.

A key that stands nowhere here has no direction: a change of it is for a person to judge,
and is never passed over. So a new key of the policy needs no entry to be safe.
"""

import enum
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

# In place of the value of a key that is not there.
ABSENT: Any = None


@enum.unique
class Effect(enum.Enum):
    """What a change does to the gate."""

    LOOSENED = "loosened"
    CHANGED = "changed"
    TIGHTENED = "tightened"
    REWORDED = "reworded"


# From two values that differ to what the step from one to the other does.
Direction: TypeAlias = Callable[[Any, Any], Effect]


def _by_looseness(looseness: Callable[[Any], float | None]) -> Direction:
    def direction(old: Any, new: Any) -> Effect:
        before, after = looseness(old), looseness(new)
        if before is None or after is None or before == after:
            return Effect.CHANGED
        return Effect.LOOSENED if after > before else Effect.TIGHTENED

    return direction


def _number(sign: int, absent: float | None) -> Direction:
    def looseness(value: Any) -> float | None:
        if value is ABSENT:
            return absent
        return sign * value if isinstance(value, int | float) else None

    return _by_looseness(looseness)


def _words(*strict_to_loose: str) -> Direction:
    ranks = {word: rank for rank, word in enumerate(strict_to_loose)}
    return _by_looseness(lambda value: ranks.get(value) if isinstance(value, str) else None)


def _more_is_looser(old: Any, new: Any) -> Effect:
    before, after = set(old or ()), set(new or ())
    if before == after:
        return Effect.REWORDED
    return Effect.LOOSENED if after - before else Effect.TIGHTENED


def _fewer_is_looser(old: Any, new: Any) -> Effect:
    before, after = set(old or ()), set(new or ())
    if before == after:
        return Effect.REWORDED
    return Effect.LOOSENED if before - after else Effect.TIGHTENED


def _yes_is_looser(_old: Any, new: Any) -> Effect:
    return Effect.LOOSENED if new is True else Effect.TIGHTENED


def _no_is_looser(_old: Any, new: Any) -> Effect:
    return Effect.TIGHTENED if new is True else Effect.LOOSENED


def _formats(old: Any, new: Any) -> Effect:
    # Without a list every format is accepted.
    if old is ABSENT or new is ABSENT:
        return Effect.LOOSENED if new is ABSENT else Effect.TIGHTENED
    return _more_is_looser(old, new)


def _manifests(old: Any, new: Any) -> Effect:
    # Without a list they are discovered, and with an empty one there are none.
    if old == [] or new == []:
        return Effect.LOOSENED if new == [] else Effect.TIGHTENED
    if old is ABSENT or new is ABSENT:
        return Effect.CHANGED
    return _fewer_is_looser(old, new)


def _attacks(old: Any, new: Any) -> Effect:
    # Without a list those run that suit the model.
    return Effect.CHANGED if old is ABSENT or new is ABSENT else _fewer_is_looser(old, new)


def _pin(old: Any, new: Any) -> Effect:
    if old is ABSENT or new is ABSENT:
        return Effect.LOOSENED if new is ABSENT else Effect.TIGHTENED
    return Effect.CHANGED


def _unheard(_old: Any, _new: Any) -> Effect:
    return Effect.CHANGED


def _reworded(_old: Any, _new: Any) -> Effect:
    return Effect.REWORDED


_NO_BOUND = math.inf
_LOWER, _HIGHER = _number(-1, _NO_BOUND), _number(1, _NO_BOUND)
_SEVERITY = _words("info", "low", "medium", "high", "critical")

# By the whole key, and, where that is not there, by its last word.
_KEYS: Mapping[str, Direction] = {
    "version": _reworded,
    # What is extended is compared itself.
    "extends": _reworded,
    "models.include": _fewer_is_looser,
    "models.exclude": _more_is_looser,
    "models.allow_formats": _formats,
    "models.allow_globals": _more_is_looser,
    "dependencies.manifests": _manifests,
    "dependencies.exclude": _more_is_looser,
    "dependencies.auditors": _fewer_is_looser,
    "dependencies.advisories.max_age_days": _HIGHER,
    "dependencies.unpinned": _words("fail", "undecided", "warn"),
    "waivers.reason": _reworded,
    "waivers.until_fixed": _no_is_looser,
}
_LAST_WORDS: Mapping[str, Direction] = {
    "fail_on": _SEVERITY,
    "cvss": _HIGHER,
    "min": _LOWER,
    "min_accuracy": _LOWER,
    "epsilon": _LOWER,
    "queries": _LOWER,
    "budget_seconds": _LOWER,
    "budget_queries": _number(-1, -math.inf),
    "confidence": _number(-1, None),
    "severity": _LOWER,
    "max": _HIGHER,
    "max_drop": _HIGHER,
    "max_share": _HIGHER,
    "attacks": _attacks,
    "masked": _words("fail", "undecided", "warn"),
    "accept_code": _yes_is_looser,
    "accept_missing_walls": _yes_is_looser,
    "trusted_types": _more_is_looser,
    "sha256": _pin,
    # The arguments of a factory are the model's own, whatever they are called.
    "arguments": _unheard,
    "columns": _unheard,
}


def of(key: str) -> Direction | None:
    """Return the direction of a key (``assessment.robustness.epsilon``), or None where it has none."""
    return _KEYS.get(key) or _LAST_WORDS.get(key.rpartition(".")[2])
