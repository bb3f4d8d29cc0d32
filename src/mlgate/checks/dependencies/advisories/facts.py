"""What matching needs of a record, and no more: no text, no other ecosystem, nothing implied."""

import re

from msgspec.structs import replace

from mlgate.checks.dependencies.advisories.matching import extent
from mlgate.checks.dependencies.advisories.records import Affected, Range, Record
from mlgate.checks.dependencies.versions import parse, public

# Far beyond any honest record. One that holds more states nothing that can be evaluated in
# good time, which leaves its packages in doubt.
_EVENTS = 500
_VERSIONS = 20_000
_RATINGS = 20
_ALIASES = 200
_ENTRIES = 5_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class TooLargeError(Exception):
    """A record is about more packages than any honest one."""


def reduce(record: Record) -> Record:
    """Return the facts of a record.

    A version that the ranges of its own entry imply is left out of ``versions``: what the
    record affects stays the same.

    Raises:
        TooLargeError: It names too many packages to be kept.
    """
    own = [each for each in record.affected or () if each.name is not None]
    if len(own) > _ENTRIES or len(record.aliases or ()) > _ALIASES:
        raise TooLargeError(record.id)
    events = sum(len(each.events or ()) for entry in own for each in entry.ranges or ())
    versions = sum(len(entry.versions or ()) for entry in own)
    if events > _EVENTS or versions > _VERSIONS:
        entries = tuple(Affected(package=entry.package) for entry in own)
    else:
        entries = tuple(_entry(entry) for entry in own)
    specific = record.database_specific
    word = specific.get("severity") if isinstance(specific, dict) else None
    return Record(
        id=record.id,
        modified=day(record.modified),
        aliases=record.aliases,
        affected=entries,
        severity=(record.severity or ())[:_RATINGS],
        database_specific={"severity": word} if isinstance(word, str) else None,
    )


def day(text: str) -> str:
    """Return the date that a time begins with, or "" where it begins with none."""
    return text[:10] if _DATE.match(text) else ""


def _entry(entry: Affected) -> Affected:
    ranges = tuple(
        Range(each.type, each.events or ()) for each in entry.ranges or () if each.type == "ECOSYSTEM"
    )
    bare = replace(entry, ranges=ranges, versions=(), severity=(entry.severity or ())[:_RATINGS])
    if not entry.versions:
        return bare
    implied = extent([bare]) if ranges else None
    versions = tuple(
        text
        for text in entry.versions
        if implied is None
        or implied.doubt
        or (version := parse(text)) is None
        or not implied.affects(public(version))
    )
    return replace(bare, versions=versions)
