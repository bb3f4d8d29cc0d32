"""Compare two policies by what they do: what a change loosens, and what it tightens.

Both are compared as they hold, with all that they extend and with their baselines. A change
whose direction is not known is said to be one: nothing that differs is passed over.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from mlgate.core.facts import Check
from mlgate.policy import directions
from mlgate.policy.changes import Change, leaf, listed, value
from mlgate.policy.directions import ABSENT, Effect
from mlgate.policy.load import PolicyFile
from mlgate.policy.overrides import resolver
from mlgate.policy.schema import Override, Policy, Threshold, Waiver

# What is compared as it holds, and not as it is written.
_BY_MEANING = frozenset({"fail_on", "overrides", "waivers", "baseline"})
_SCOPE = ("rule", "not_checked", "advisory", "package", "subject", "path")


def compare(old: PolicyFile, new: PolicyFile) -> tuple[Change, ...]:
    """Return how ``new`` differs from ``old``, what loosens first, then by key.

    Empty only where both decide alike, whatever they are given.
    """
    changes = [
        *_file(old, new),
        *_thresholds(old.policy, new.policy),
        *_tree(_plain(old.policy), _plain(new.policy)),
        *_overrides(old.policy, new.policy),
        *_waivers(old.policy, new.policy),
        *_baseline(old, new),
    ]
    order = list(Effect)
    placed = [replace(change, line=new.line(_written(change.key, new.policy)) or 1) for change in changes]
    return tuple(sorted(placed, key=lambda change: (order.index(change.effect), change.key, change.words)))


def _file(old: PolicyFile, new: PolicyFile) -> Iterator[Change]:
    if old.path is not None and new.path is None:
        yield Change(Effect.CHANGED, "policy", f"{old.path} is gone: mlgate's defaults hold")
    elif old.path is None and new.path is not None:
        yield Change(Effect.REWORDED, "policy", f"{new.path} is new: mlgate's defaults held")


def _thresholds(old: Policy, new: Policy) -> Iterator[Change]:
    """Compare the severities and scores at which each check fails, wherever they are written."""
    general = (old.fail_on.value, new.fail_on.value)
    yield from leaf("fail_on", *general)
    for check in (Check.MODELS, Check.DEPENDENCIES):
        own = (old.threshold(check).value, new.threshold(check).value)
        # Said once where a check has no threshold of its own.
        if own != general:
            yield from leaf(f"{check.value}.fail_on", *own)
    yield from leaf("dependencies.fail_on.cvss", _cvss(old), _cvss(new))


def _cvss(policy: Policy) -> Any:
    own = policy.dependencies.fail_on
    return own.cvss if isinstance(own, Threshold) and own.cvss is not UNSET else ABSENT


def _plain(policy: Policy) -> dict[str, Any]:
    """Return the values of a policy, less those that are compared by their meaning."""
    values: dict[str, Any] = _lists(msgspec.to_builtins(policy))
    for section in (values, values["models"], values["dependencies"]):
        for key in _BY_MEANING & section.keys():
            del section[key]
    return values


def _lists(given: Any) -> Any:
    # No deeper than a policy's document, which is bounded.
    if isinstance(given, dict):
        return {key: _lists(item) for key, item in given.items()}
    return [_lists(item) for item in given] if isinstance(given, list | tuple) else given


def _tree(old: Any, new: Any, key: str = "", shown: str = "") -> Iterator[Change]:
    """Compare two values below ``key``; in ``shown``, items of lists go by their names."""
    if old == new:
        return
    if directions.of(key) is None:
        olds, news = _named(old), _named(new)
        if olds is not None and news is not None:
            within = isinstance(old, list) or isinstance(new, list)
            for name in sorted(olds.keys() | news.keys()):
                below = key if within else f"{key}.{name}".lstrip(".")
                place = f"{shown}[{name}]" if within else f"{shown}.{name}".lstrip(".")
                yield from _tree(olds.get(name, ABSENT), news.get(name, ABSENT), below, place)
            return
        if (olds is None) != (news is None) and ABSENT in (old, new):
            gone = new is ABSENT
            effect = Effect.LOOSENED if gone else Effect.TIGHTENED
            yield Change(effect, shown, "is asked no more" if gone else "is asked")
            return
    yield from leaf(key, old, new, shown)


def _named(given: Any) -> dict[str, Any] | None:
    """Return a mapping as it is, a list of named things by their names, and None for the rest."""
    if isinstance(given, dict):
        return given
    if isinstance(given, list) and all(isinstance(item, dict) and "name" in item for item in given):
        return {item["name"]: item for item in given}
    return None


def _overrides(old: Policy, new: Policy) -> Iterator[Change]:
    """Compare what holds in the paths of each override, as far as the override has part in it."""
    olds, news = ({each.path: each for each in policy.overrides} for policy in (old, new))
    for path in sorted(olds.keys() | news.keys()):
        if olds.get(path) == news.get(path):
            continue
        before, after = _alone(old, olds.get(path)), _alone(new, news.get(path))
        everywhere = {*_thresholds(old, new), *_tree(_plain(old), _plain(new))}
        here = [*_thresholds(before, after), *_tree(_plain(before), _plain(after))]
        own = [change for change in here if change not in everywhere]
        for change in own:
            yield replace(change, key=f"overrides[{path}].{change.key}")
        if not own:
            yield Change(Effect.CHANGED, f"overrides[{path}]", "is written otherwise")
    orders = [[each.path for each in policy.overrides] for policy in (old, new)]
    both = [[path for path in order if path in olds and path in news] for order in orders]
    if both[0] != both[1]:
        yield Change(Effect.CHANGED, "overrides", "stand in another order, and the later ones hold")


def _alone(policy: Policy, override: Override | None) -> Policy:
    """Return what holds where this override is the only one that matches."""
    if override is None:
        return policy
    return replace(resolver(replace(policy, overrides=(replace(override, path="**"),)))("."), overrides=())


def _waivers(old: Policy, new: Policy) -> Iterator[Change]:
    olds, news = (_by_scope(policy.waivers) for policy in (old, new))
    for scope in sorted(olds.keys() | news.keys()):
        words = " ".join(filter(None, scope))
        before, after = olds.get(scope, {}), news.get(scope, {})
        kept: set[bool] = set()
        for until_fixed, (at, now) in after.items():
            partner = until_fixed if until_fixed in before else not until_fixed
            if partner in before:
                kept.add(partner)
                yield from _waiver(before[partner][1], now, f"waivers[{at}]", words)
            else:
                yield Change(Effect.LOOSENED, f"waivers[{at}]", f"waives {words} until {now.expires}")
        if before.keys() - kept:
            yield Change(Effect.TIGHTENED, "waivers", f"removes the waiver of {words}")


def _waiver(before: Waiver, after: Waiver, shown: str, words: str) -> Iterator[Change]:
    if before.expires != after.expires:
        effect = Effect.LOOSENED if after.expires > before.expires else Effect.TIGHTENED
        yield Change(effect, f"{shown}.expires", f"{before.expires} -> {after.expires} ({words})")
    yield from leaf("waivers.until_fixed", before.until_fixed, after.until_fixed, f"{shown}.until_fixed")
    yield from leaf("waivers.reason", before.reason, after.reason, f"{shown}.reason")


def _by_scope(waivers: Iterable[Waiver]) -> Mapping[tuple[str, ...], Mapping[bool, tuple[int, Waiver]]]:
    """Return by what they are about the waivers that hold longest: until a fix is known, and whatever is."""
    found: defaultdict[tuple[str, ...], dict[bool, tuple[int, Waiver]]] = defaultdict(dict)
    for index, waiver in enumerate(waivers):
        scope = tuple(
            "" if value is UNSET else str(value) for value in (getattr(waiver, name) for name in _SCOPE)
        )
        held = found[scope].get(waiver.until_fixed)
        if held is None or held[1].expires < waiver.expires:
            found[scope][waiver.until_fixed] = (index, waiver)
    for both in found.values():
        # One that holds as long whatever is known leaves nothing to the other.
        if len(both) == 2 and both[True][1].expires <= both[False][1].expires:
            del both[True]
    return found


def _baseline(old: PolicyFile, new: PolicyFile) -> Iterator[Change]:
    """Compare the entries of both baselines, wherever their files lie."""
    before, after = (set(each.baseline.entries) if each.baseline else set() for each in (old, new))
    for effect, verb, entries in (
        (Effect.LOOSENED, "accepts", after - before),
        (Effect.TIGHTENED, "no longer accepts", before - after),
    ):
        if entries:
            yield Change(effect, "baseline", f"{verb} {listed(sorted(map(str, entries)))}")
    paths = [
        value if isinstance(value, str) else ABSENT for value in (old.policy.baseline, new.policy.baseline)
    ]
    if paths[0] != paths[1]:
        yield Change(Effect.REWORDED, "baseline", f"{value(paths[0])} -> {value(paths[1])}")


def _written(key: str, policy: Policy) -> str:
    """Return a key as the file has it: items by their number in place of their name."""
    for section, names in (
        ("assessment", [each.name for each in policy.assessment]),
        ("overrides", [each.path for each in policy.overrides]),
    ):
        for index, name in enumerate(names):
            start = f"{section}[{name}]"
            if key.startswith(start):
                return f"{section}[{index}]{key[len(start) :]}"
    return key
