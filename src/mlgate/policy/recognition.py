"""Hold a run against the baseline: what was there when the gate was adopted does not fail.

An entry is held against a finding by its fingerprint, which outlives moved lines, and by
what it says for its reader: an entry cannot speak of one thing and accept another. Where a
reviewer cannot see a change in a diff, in a binary file, the entry holds for these very
bytes, wherever they were moved; other bytes and copies are looked at anew. A finding that grew
worse is new.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from mlgate.core.facts import Check, NotChecked
from mlgate.core.findings import Finding, fingerprint
from mlgate.core.report import BaselineEntry, BaselineStatus
from mlgate.core.severity import Severity
from mlgate.policy.baseline import Baseline, Entry

# What a manifest says of its own requirements. Who reviews a change to it sees it in the diff.
_REQUIREMENTS = frozenset(
    {"unpinned", "vcs-requirement", "url-requirement", "local-requirement", "computed-requirement"}
)


_Key: TypeAlias = tuple[str | None, ...]


class Recognition(Struct, frozen=True):
    """What of a run is in the baseline.

    Attributes:
        findings: By position, the entry that a finding is known by.
        gaps: By position, the entry that something not checked is known by.
        stale: Entries that no longer hold, and why.
    """

    findings: Mapping[int, Entry]
    gaps: Mapping[int, Entry]
    stale: tuple[BaselineEntry, ...]


def entries(
    findings: Iterable[Finding], gaps: Iterable[NotChecked], contents: Mapping[str, str]
) -> tuple[tuple[Entry | None, ...], tuple[Entry | None, ...]]:
    """Return the entries of findings and of items not checked, in their order.

    None stands for what a baseline cannot hold: a threshold that is not met, which the
    policy lowers, and what a run lacked.

    Args:
        findings: Of a run.
        gaps: What it could not check.
        contents: SHA-256 by path of the files that the model check looked at.
    """
    return (
        tuple(_of_finding(finding, contents) for finding in findings),
        tuple(_of_gap(gap, own, contents) for gap, own in _with_fingerprints(gaps)),
    )


def recognise(
    baseline: Baseline,
    findings: Iterable[Finding],
    gaps: Iterable[NotChecked],
    contents: Mapping[str, str],
    *,
    complete: bool,
    staying: Collection[str] = (),
) -> Recognition:
    """Hold what a run found against a baseline.

    Args:
        baseline: The baseline.
        findings: Of the run.
        gaps: What it could not check.
        contents: SHA-256 by path of the files that the model check looked at.
        complete: True where every check looked at the whole target; only then can an
            entry that met nothing be called gone.
        staying: Paths that the run did not look at and that are still there: the same bytes
            elsewhere are a copy of such a file, and no file that was moved.
    """
    findings = tuple(findings)
    known = _Known(baseline.entries)
    found, left = (dict(enumerate(each)) for each in entries(findings, gaps, contents))
    found = {at: _rated(entry, findings[at]) for at, entry in found.items()}
    met_findings, met_gaps = known.meet(found), known.meet(left)
    # Second, so that a moved file never takes the place of one that stayed.
    met_findings |= known.meet_moved(_without(found, met_findings), staying)
    met_findings |= known.meet_renamed(_without(found, met_findings), dict(enumerate(map(_names, findings))))
    met_gaps |= known.meet_moved(_without(left, met_gaps), staying)
    others = [*_without(found, met_findings).values(), *_without(left, met_gaps).values()]
    return Recognition(met_findings, met_gaps, tuple(known.stale(others, complete=complete)))


def status(baseline: Baseline, recognition: Recognition) -> BaselineStatus:
    """Return what a report says of the baseline."""
    return BaselineStatus(
        path=baseline.path,
        sha256=baseline.sha256,
        entries=len(baseline.entries),
        known=len(recognition.findings) + len(recognition.gaps),
        stale=recognition.stale,
    )


def _with_fingerprints(gaps: Iterable[NotChecked]) -> Iterator[tuple[NotChecked, str]]:
    """Yield each item with its fingerprint; items alike in all else are told apart by their order."""
    ordinals: Counter[tuple[str | None, ...]] = Counter()
    for gap in gaps:
        place = gap.location
        identity = (gap.check.value, gap.reason, place.path, place.member, gap.subject, gap.written)
        yield gap, fingerprint("not-checked", *identity, str(ordinals[identity]))
        ordinals[identity] += 1


class _Known:
    """The entries that have not met what they stand for.

    Each is met by its key alone, however many there are: the file may be hostile.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._left = dict.fromkeys(entries)

    def meet(self, found: Mapping[int, Entry | None]) -> dict[int, Entry]:
        """Take each entry that stands for one of the found: in its place, with its bytes."""
        keys = {at: [_in_place(entry)] for at, entry in found.items() if entry is not None}
        return self._take(found, keys, _in_place)

    def meet_moved(self, found: Mapping[int, Entry], staying: Collection[str]) -> dict[int, Entry]:
        """Take each entry whose bytes lie elsewhere now, and no more where they lay."""
        keys = {at: [_by_bytes(entry)] for at, entry in found.items() if entry.sha256}
        return self._take(found, keys, _by_bytes, staying)

    def meet_renamed(
        self, found: Mapping[int, Entry], names: Mapping[int, frozenset[str]]
    ) -> dict[int, Entry]:
        """Take each entry whose advisory goes by another of its names now."""
        keys = {
            at: [_by_advisory(replace(entry, advisory=name)) for name in sorted(names[at])]
            for at, entry in found.items()
            if entry.advisory
        }
        return self._take(found, keys, _by_advisory)

    def _take(
        self,
        found: Mapping[int, Entry | None],
        keys: Mapping[int, Sequence[_Key]],
        key_of: Callable[[Entry], _Key],
        spared: Collection[str] = (),
    ) -> dict[int, Entry]:
        """Take an entry with one of the keys of each found one, graver than which it is not."""
        waiting: defaultdict[tuple[_Key, int], list[Entry]] = defaultdict(list)
        for known in self._left:
            if known.path not in spared:
                waiting[key_of(known), _rank(known)].append(known)
        met: dict[int, Entry] = {}
        for at, wanted in keys.items():
            # Of those that differ in nothing but how grave they were, the nearest that is enough.
            enough = range(_rank(found[at]), len(Severity))
            for place in ((key, rank) for key in wanted for rank in enough):
                if waiting.get(place):
                    met[at] = waiting[place].pop()
                    del self._left[met[at]]
                    break
        return met

    def stale(self, others: Iterable[Entry | None], *, complete: bool) -> Iterator[BaselineEntry]:
        """Yield the entries that are left, with the reason why they hold nothing any more."""
        there = {_identity(entry): entry for entry in others if entry is not None}
        for entry in self._left:
            now = there.get(_identity(entry))
            if now is not None:
                status = "worse" if _worse(now, entry) else "changed"
                yield BaselineEntry(str(entry), status, entry.fingerprint)
            elif complete:
                yield BaselineEntry(str(entry), "gone", entry.fingerprint)


def _of_finding(finding: Finding, contents: Mapping[str, str]) -> Entry | None:
    place = finding.location
    # In a text the diff shows what changes; a policy's thresholds are lowered in the policy.
    bound = finding.check is Check.MODELS and (place.line is None or place.member is not None)
    digest = contents.get(place.path) if bound else None
    if finding.check not in (Check.MODELS, Check.DEPENDENCIES) or (bound and digest is None):
        return None
    return Entry(
        path=place.path,
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        severity=finding.severity,
        member=place.member,
        subject=finding.subject,
        advisory=finding.advisory or "",
        sha256=digest,
    )


def _of_gap(gap: NotChecked, own: str, contents: Mapping[str, str]) -> Entry | None:
    """Return an entry for what a file itself makes unreadable; None for what the run lacked."""
    requirement = gap.check is Check.DEPENDENCIES and gap.reason in _REQUIREMENTS
    digest = contents.get(gap.location.path) if gap.check is Check.MODELS else None
    if not requirement and digest is None:
        return None
    return Entry(
        path=gap.location.path,
        fingerprint=own,
        reason=gap.reason,
        member=gap.location.member,
        subject=gap.subject,
        sha256=digest,
    )


def _rated(entry: Entry | None, finding: Finding) -> Entry | None:
    """Return the entry as grave as it is known to be: another threshold makes nothing worse."""
    return replace(entry, severity=Severity.INFO) if entry is not None and not finding.rated else entry


def _names(finding: Finding) -> frozenset[str]:
    return frozenset(name for name in (finding.advisory, *finding.aliases) if name)


def _identity(entry: Entry) -> _Key:
    said = entry.path, entry.rule, entry.reason, entry.member, entry.subject, entry.advisory
    return entry.fingerprint, *said


def _in_place(entry: Entry) -> _Key:
    return *_identity(entry), entry.sha256


def _by_bytes(entry: Entry) -> _Key:
    return entry.sha256, entry.rule, entry.reason, entry.member, entry.subject


def _by_advisory(entry: Entry) -> _Key:
    return entry.path, entry.rule, entry.subject, entry.advisory


def _rank(entry: Entry | None) -> int:
    return entry.severity.rank if entry is not None and entry.severity is not None else 0


def _worse(now: Entry, then: Entry) -> bool:
    return now.severity is not None and (then.severity is None or now.severity > then.severity)


def _without(found: Mapping[int, Entry | None], met: Mapping[int, Entry]) -> dict[int, Entry]:
    return {at: entry for at, entry in found.items() if entry is not None and at not in met}
