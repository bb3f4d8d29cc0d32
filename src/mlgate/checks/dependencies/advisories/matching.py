"""Does an advisory affect a version? Versions are compared, never specifiers.

``SpecifierSet`` leaves pre- and post-releases at a range's bounds out, which an advisory
does not; so the versions themselves are held against the events, as the OSV schema's
section on evaluation has it. A version that ``versions`` lists is affected whatever the
ranges say.
"""

from collections.abc import Iterable

from msgspec import Struct
from packaging.version import Version

from mlgate.checks.dependencies.advisories.records import Affected, Event
from mlgate.checks.dependencies.versions import parse, public


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


def intervals(events: Iterable[Event]) -> tuple[Interval, ...]:
    """Return the affected intervals of one range, in order.

    Events may come in any order. Where a version is both introduced and fixed, the fix
    closes what is open, and the introduction opens anew.

    Raises:
        UnreadableRangeError: An event cannot be read.
    """
    found: list[Interval] = []
    start: Version | None = None
    affected = False
    for at, kinds in _by_version(events):
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


def _by_version(events: Iterable[Event]) -> list[tuple[Version | None, set[str]]]:
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
            version = parse(text)
            if version is None:
                raise UnreadableRangeError(text)
            later.setdefault(version, set()).add(kind)
    ordered: list[tuple[Version | None, set[str]]] = [(at, later[at]) for at in sorted(later)]
    return [(None, first), *ordered] if first else ordered


class Extent(Struct, frozen=True):
    """All versions of one package that one record affects.

    Attributes:
        intervals: Of all its ranges.
        versions: Versions that it lists by name, as written.
        parsed: The same as versions, without those that are none.
        unreadable: What of it could not be read, or "" where all of it could.
    """

    intervals: tuple[Interval, ...]
    versions: frozenset[str]
    parsed: frozenset[Version]
    unreadable: str = ""

    def affects(self, version: Version) -> bool:
        """Say whether a public version is affected, as far as the record can be read."""
        return version in self.parsed or any(interval.holds(version) for interval in self.intervals)

    def ends(self) -> tuple[Version, ...]:
        """Return the versions at which an interval ends because of a fix."""
        return tuple(
            interval.end for interval in self.intervals if interval.end is not None and not interval.inclusive
        )


def extent(entries: Iterable[Affected]) -> Extent:
    """Join the ``affected`` entries of one record for one package."""
    found: list[Interval] = []
    listed: set[str] = set()
    unreadable = ""
    for entry in entries:
        listed.update(entry.versions)
        ranges = [each for each in entry.ranges if each.type == "ECOSYSTEM"]
        if not ranges and not entry.versions:
            unreadable = "it states no version"
        for each in ranges:
            try:
                found += intervals(each.events)
            except UnreadableRangeError as error:
                unreadable = f"{str(error)[:60]!r} is no version"
    parsed = frozenset(public(version) for text in listed if (version := parse(text)) is not None)
    return Extent(tuple(found), frozenset(listed), parsed, unreadable)
