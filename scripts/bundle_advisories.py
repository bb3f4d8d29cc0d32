# ruff: noqa: INP001 - a program, not a module
"""Rebuild the advisory set that mlgate brings along, from a zip or directory of OSV records.

    python scripts/bundle_advisories.py PyPI-all.zip --source "PyPA advisory database, CC BY 4.0"

Only facts are taken: ids, aliases, packages, ranges, versions that the ranges do not
imply, severity vectors. No text of an advisory. The packages are those of
``bundled_packages.txt``; one without any record is covered too, as one that had none.
``bundled_additions.json`` holds later records, each checked by hand against the pages that
its ``references`` name; the set's date stays that of its source.
"""

import argparse
import gzip
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.advisories.database import (
    BUNDLED,
    AdvisoriesError,
    Bundle,
    Database,
    from_path,
)
from mlgate.checks.dependencies.advisories.matching import extent
from mlgate.checks.dependencies.advisories.records import Affected, Event, Range, Record
from mlgate.checks.dependencies.versions import parse, public

PACKAGES = BUNDLED.with_name("bundled_packages.txt")
ADDITIONS = BUNDLED.with_name("bundled_additions.json")


def bundle(
    database: Database, packages: Iterable[str], source: str, additions: Iterable[Record] = ()
) -> Bundle:
    """Return the facts about ``packages``, in a stable order; the source's own records go first."""
    names = sorted(set(packages))
    wanted = frozenset(names)
    records = {record.id: record for record in additions if not record.names.isdisjoint(wanted)}
    records |= {record.id: record for name in names for record in database.records.get(name, ())}
    return Bundle(
        source=source,
        newest=database.newest,
        packages=tuple(names),
        records=tuple(_facts(records[identifier], wanted) for identifier in sorted(records)),
    )


def _facts(record: Record, wanted: frozenset[str]) -> Record:
    """Return the record without text, without other packages, without versions that ranges imply."""
    specific = record.database_specific
    word = specific.get("severity") if isinstance(specific, dict) else None
    return Record(
        id=record.id,
        modified=record.modified[:10],
        aliases=record.aliases,
        affected=tuple(_short(each) for each in record.affected or () if each.name in wanted),
        severity=record.severity,
        database_specific={"severity": word} if isinstance(word, str) else None,
    )


def _short(affected: Affected) -> Affected:
    ranges = tuple(
        Range(each.type, tuple(_event(event) for event in each.events))
        for each in affected.ranges
        if each.type == "ECOSYSTEM"
    )
    bare = msgspec.structs.replace(affected, ranges=ranges, versions=())
    implied = extent([bare]) if ranges else None
    versions = tuple(
        text
        for text in affected.versions
        if implied is None
        or implied.doubt
        or (version := parse(text)) is None
        or not implied.affects(public(version))
    )
    return msgspec.structs.replace(bare, versions=versions)


def _event(event: Event) -> Event:
    return Event(event.introduced, event.fixed, event.last_affected, event.limit)


def encode(facts: Bundle) -> bytes:
    """Return the stored form; the same facts give the same bytes."""
    return gzip.compress(msgspec.json.encode(facts), compresslevel=9, mtime=0)


def read_packages(path: Path) -> list[str]:
    """Return the normalised names in a list of packages; ``#`` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [canonicalize_name(line) for line in lines if line]


def main(arguments: list[str] | None = None) -> int:
    """Write the set and say what it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("advisories", type=Path, help="a zip or directory of OSV records")
    parser.add_argument("--source", required=True, help="where they come from, and under which licence")
    parser.add_argument("--packages", type=Path, default=PACKAGES)
    parser.add_argument("--additions", type=Path, default=ADDITIONS)
    parser.add_argument("--output", type=Path, default=BUNDLED)
    options = parser.parse_args(arguments)
    names = read_packages(options.packages)
    try:
        database = from_path(options.advisories, set(names), options.advisories.name)
    except AdvisoriesError as error:
        print(f"{options.advisories} {error}", file=sys.stderr)  # noqa: T201 - a program of its own
        return 2
    if database.broken:
        print(f"no OSV records: {', '.join(database.broken[:5])}", file=sys.stderr)  # noqa: T201
        return 2
    additions = msgspec.json.decode(options.additions.read_bytes(), type=tuple[Record, ...])
    facts = bundle(database, names, options.source, additions)
    options.output.write_bytes(encode(facts))
    print(  # noqa: T201
        f"{options.output.name}: {len(facts.records)} advisories, {len(facts.packages)} packages, "
        f"newest {facts.newest}, {options.output.stat().st_size} bytes"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
