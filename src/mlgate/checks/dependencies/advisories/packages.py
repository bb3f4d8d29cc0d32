"""All that a database says of one package: flaws joined across their ids, and what fixes them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from packaging.version import Version

from mlgate.checks.dependencies.advisories import ratings
from mlgate.checks.dependencies.advisories.matching import Extent, extent
from mlgate.checks.dependencies.advisories.records import Record
from mlgate.checks.dependencies.auditor import Advisory

# The Python ecosystem's own id is shown first.
_PREFERENCE = ("PYSEC-", "GHSA-", "CVE-")
# Fixes that are tried before none is said to be known: no package has so many.
_CANDIDATES = 300


class Group(Struct, frozen=True):
    """Records about one flaw in one package, joined by their ids.

    Attributes:
        ids: All of them, the one to show first.
        records: The records.
        extents: What each record affects, in the same order.
    """

    ids: tuple[str, ...]
    records: tuple[Record, ...]
    extents: tuple[Extent, ...]

    def affects(self, version: Version) -> bool:
        """Say whether any of the records affects a public version."""
        return any(each.affects(version) for each in self.extents)

    def may_affect(self, version: Version) -> bool:
        """Say whether any of the records affects a public version, or cannot be told not to."""
        return any(each.may_affect(version) for each in self.extents)

    def lists(self, version: str) -> bool:
        """Say whether any of the records lists a version in just this spelling."""
        return any(version in each.listed for each in self.extents)

    def uncertain(self, version: Version) -> list[str]:
        """Return the records of which it cannot be told whether they affect a version, and why."""
        return [
            f"{record.id} ({why})"
            for record, each in zip(self.records, self.extents, strict=True)
            if (why := each.uncertain(version))
        ]


class PackageRecords(Struct, frozen=True):
    """Everything that a database says of one package.

    Attributes:
        groups: Its flaws, in the order of the database.
        ends: Every final release that fixes one of them, sorted.
        early: Every pre-release that does, sorted.
    """

    groups: tuple[Group, ...]
    ends: tuple[Version, ...]
    early: tuple[Version, ...] = ()

    def upgrade(self, version: Version, groups: Iterable[Group]) -> str | None:
        """Return the smallest fix after ``version`` that none of the groups affects."""
        groups = tuple(groups)
        for ends in (self.ends, self.early):
            at = bisect_right(ends, version)
            for end in ends[at : at + _CANDIDATES]:
                if not any(group.may_affect(end) for group in groups):
                    return str(end)
        return None


def of_package(name: str, records: Sequence[Record]) -> PackageRecords:
    """Join what records say of one package; ``name`` is normalised."""
    groups = tuple(_groups(name, records))
    ends = sorted({end for group in groups for each in group.extents for end in each.fixes})
    return PackageRecords(
        groups=groups,
        ends=tuple(end for end in ends if not end.is_prerelease),
        early=tuple(end for end in ends if end.is_prerelease),
    )


def _groups(name: str, records: Sequence[Record]) -> Iterable[Group]:
    """Join records that share an id: PYSEC, GHSA and CVE often name one flaw."""
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for record in records:
        for alias in record.aliases or ():
            leader[find(alias)] = find(record.id)
    joined: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        joined[find(record.id)].append(record)
    for together in joined.values():
        ids = {identifier for record in together for identifier in (record.id, *(record.aliases or ()))}
        extents = tuple(
            extent(each for each in record.affected or () if each.name == name) for record in together
        )
        yield Group(tuple(sorted(ids, key=_by_preference)), tuple(together), extents)


def _by_preference(identifier: str) -> tuple[int, str]:
    for rank, prefix in enumerate(_PREFERENCE):
        if identifier.startswith(prefix):
            return rank, identifier
    return len(_PREFERENCE), identifier


def advisory(group: Group, package: PackageRecords, version: Version | None) -> Advisory:
    """Return a flaw as an auditor's answer names it.

    Args:
        group: The flaw.
        package: All flaws of the package, for what fixes it.
        version: The affected version; None where what is pinned is no PEP 440 version.
    """
    own = [
        rating
        for record in group.records
        for rating in (
            *(record.severity or ()),
            *(each for entry in record.affected or () for each in entry.severity or ()),
        )
    ]
    cvss = ratings.score(own)
    severities = [
        severity
        for record in group.records
        if (severity := ratings.of_record(record.database_specific, cvss)) is not None
    ]
    return Advisory(
        id=group.ids[0],
        aliases=group.ids[1:],
        cvss=cvss,
        severity=max(severities, default=None),
        fixed=None if version is None else package.upgrade(version, (group,)),
        malicious=any(identifier.startswith("MAL-") for identifier in group.ids),
    )
