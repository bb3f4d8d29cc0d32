"""Does an advisory affect a version? Versions are compared, never specifiers.

``SpecifierSet`` leaves pre- and post-releases at a range's bounds out, which an advisory
does not; so the versions themselves are held against the events, as the OSV schema's
section on evaluation has it. A version that ``versions`` lists is affected whatever the
ranges say.
"""

import re
from collections.abc import Callable, Iterable

from msgspec import Struct
from packaging.version import Version

from mlgate.checks.dependencies.advisories.records import Affected, Event
from mlgate.checks.dependencies.versions import parse, public

# "2.6.0-cu124" is no version, yet it lies somewhere about 2.6.0. A date has no dots.
_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){1,8})(?![\d.])")


class UnreadableRangeError(Exception):
    """An event is no PEP 440 version, or says nothing."""


class Interval(Struct, frozen=True):
    """Versions from ``start`` to ``end``.

    Attributes:
        start: First affected version; None means from the very first.
        end: Where it ends; None means never.
        inclusive: True where ``end`` itself is affected.
    """

    start: Version | None
    end: Version | None
    inclusive: bool = False

    def holds(self, version: Version) -> bool:
        """Say whether ``version`` lies inside."""
        if self.start is not None and version < self.start:
            return False
        if self.end is None or version < self.end:
            return True
        return self.inclusive and version == self.end


def intervals(events: Iterable[Event], read: Callable[[str], Version | None] = parse) -> tuple[Interval, ...]:
    """Return the affected intervals of one range, in order.

    Events may come in any order. Where a version is both introduced and fixed, the fix
    closes what is open, and the introduction opens anew.

    Args:
        events: The range's events.
        read: Returns the version that a text stands for, or None.

    Raises:
        UnreadableRangeError: An event cannot be read.
    """
    events = tuple(events)
    plain = _plain(events, read)
    if plain is not None:
        return (plain,)
    found: list[Interval] = []
    start: Version | None = None
    affected = False
    for at, kinds in _by_version(events, read):
        if affected and "fixed" in kinds:
            found.append(Interval(start, at))
            affected = False
            if "introduced" in kinds:
                start, affected = at, True
        elif "introduced" in kinds and not affected and "fixed" not in kinds:
            start, affected = at, True
        if affected and "last_affected" in kinds:
            found.append(Interval(start, at, inclusive=True))
            affected = False
        if affected and "limit" in kinds:
            found.append(Interval(start, at))
            affected = False
    if affected:
        found.append(Interval(start, None))
    return tuple(found)


def _plain(events: tuple[Event, ...], read: Callable[[str], Version | None]) -> Interval | None:
    """Return the interval of one introduction and one later fix, as nine ranges in ten have; else None."""
    if len(events) != 2:
        return None
    first, last = events
    others = (first.fixed, first.last_affected, first.limit, last.introduced, last.last_affected, last.limit)
    if first.introduced is None or last.fixed is None or any(other is not None for other in others):
        return None
    start, end = (None if first.introduced == "0" else read(first.introduced)), read(last.fixed)
    if end is None or (start is None and first.introduced != "0") or (start is not None and start >= end):
        return None
    return Interval(start, end)


def _by_version(
    events: Iterable[Event], read: Callable[[str], Version | None]
) -> list[tuple[Version | None, set[str]]]:
    """Group events by version, sorted; None stands for "0", before every version."""
    first: set[str] = set()
    later: dict[Version, set[str]] = {}
    for event in events:
        for kind, text in (
            ("introduced", event.introduced),
            ("fixed", event.fixed),
            ("last_affected", event.last_affected),
            ("limit", event.limit),
        ):
            if text is None or (kind == "limit" and text == "*"):
                continue
            if kind == "introduced" and text == "0":
                first.add(kind)
                continue
            version = read(text)
            if version is None:
                raise UnreadableRangeError(text)
            later.setdefault(version, set()).add(kind)
    ordered: list[tuple[Version | None, set[str]]] = [(at, later[at]) for at in sorted(later)]
    return [(None, first), *ordered] if first else ordered


def _at_least(text: str) -> Version | None:
    """Return the smallest version that a text may stand for."""
    found = _RELEASE.match(text)
    return parse(text) or (parse(f"{found[1]}.dev0") if found else None)


def _at_most(text: str) -> Version | None:
    """Return a version as great as any that a text may stand for."""
    found = _RELEASE.match(text)
    return parse(text) or (parse(f"{found[1]}.post999999999") if found else None)


class Vague(Struct, frozen=True):
    """A range with events that are no versions, read in both ways that bound what it can mean."""

    low: tuple[Interval, ...]
    high: tuple[Interval, ...]

    def answers(self, version: Version) -> set[bool]:
        """Return the answers that the two readings give."""
        return {any(each.holds(version) for each in side) for side in (self.low, self.high)}


def _both_ways(events: tuple[Event, ...]) -> Vague:
    return Vague(intervals(events, _at_least), intervals(events, _at_most))


class Extent(Struct, frozen=True):
    """All versions of one package that one record affects.

    Attributes:
        intervals: Of all ranges that can be read.
        versions: Versions that it lists, without those that are none.
        listed: The same as written, with all of them.
        vague: Ranges that can be read only about.
        unreadable: What could not be read at all, or "".
        doubt: What was read only about, or "".
        fixes: Versions that it calls fixed, sorted; another range may affect them all the same.
    """

    intervals: tuple[Interval, ...]
    versions: frozenset[Version]
    listed: frozenset[str] = frozenset()
    vague: tuple[Vague, ...] = ()
    unreadable: str = ""
    doubt: str = ""
    fixes: tuple[Version, ...] = ()

    def affects(self, version: Version) -> bool:
        """Say whether a public version is certainly affected."""
        return (
            version in self.versions
            or any(interval.holds(version) for interval in self.intervals)
            or any(each.answers(version) == {True} for each in self.vague)
        )

    def may_affect(self, version: Version) -> bool:
        """Say whether a public version is affected, or cannot be told not to be."""
        return self.affects(version) or bool(self.uncertain(version))

    def uncertain(self, version: Version) -> str:
        """Say why it cannot be told whether a public version is affected, or "" where it can."""
        if not (self.unreadable or self.vague) or self.affects(version):
            return ""
        if self.unreadable:
            return self.unreadable
        return self.doubt if any(len(each.answers(version)) > 1 for each in self.vague) else ""


def extent(entries: Iterable[Affected]) -> Extent:
    """Join the ``affected`` entries of one record for one package."""
    found: list[Interval] = []
    vague: list[Vague] = []
    listed: set[str] = set()
    fixes: set[Version] = set()
    unreadable = doubt = ""
    for entry in entries:
        listed.update(entry.versions or ())
        ranges = [each for each in entry.ranges or () if each.type == "ECOSYSTEM"]
        if not ranges and not entry.versions:
            unreadable = "it states no version"
        for each in ranges:
            written = (parse(event.fixed) for event in each.events or () if event.fixed is not None)
            fixes.update(version for version in written if version is not None)
            try:
                found += intervals(each.events or ())
            except UnreadableRangeError as error:
                doubt = f"{str(error)[:60]!r} is no version"
                try:
                    vague.append(_both_ways(each.events or ()))
                except UnreadableRangeError:
                    unreadable = doubt
    parsed = frozenset(public(version) for text in listed if (version := parse(text)) is not None)
    return Extent(
        intervals=tuple(found),
        versions=parsed,
        listed=frozenset(listed),
        vague=tuple(vague),
        unreadable=unreadable,
        doubt=doubt,
        fixes=tuple(sorted(fixes)),
    )
