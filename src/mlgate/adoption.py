"""Write the baseline: adopt the gate on a repository as it stands, and let what is old only shrink."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlgate import contents, gate
from mlgate.core.facts import Check
from mlgate.core.report import Report
from mlgate.policy.baseline import NAME, Entry, parse, render
from mlgate.policy.recognition import entries

# Where one of these is not checked, nothing was: a baseline of that would accept nothing.
_GROUND = frozenset({"policy", "target", "nothing-in-scope"})


class AdoptionError(Exception):
    """The baseline cannot be written. The text says why, and what to do next."""


class Adoption(Struct, frozen=True):
    """A baseline that was written, and how it differs from the one before.

    Attributes:
        path: Of the file, relative to the root.
        policy: The policy's path, or None where the defaults held.
        named: True where the policy names the file.
        kept: How many entries of the one before stay.
        added: Entries that are new.
        removed: How many entries of the one before are gone.
        refused: What would be new entries, and is not: a baseline only shrinks unless it is
            told otherwise.
        left: What counts and no baseline can hold: the run lacked something, a threshold
            is not met, or nothing says that it will stay as it is.
    """

    path: str
    policy: str | None
    named: bool
    kept: int
    added: tuple[Entry, ...]
    removed: int
    refused: tuple[Entry, ...]
    left: tuple[str, ...]


def write(request: gate.Request, *, accept_new: bool = False) -> Adoption:
    """Run the gate, and write what it finds as the baseline.

    A baseline that is there already only loses entries, unless ``accept_new``. An entry of
    a check that did not finish stays: nobody looked for it.

    Raises:
        AdoptionError: The policy or the target is at fault, or the file cannot be written.
    """
    report = gate.run(replace(request, writes_baseline=True))
    for each in report.not_checked:
        if each.item.reason in _GROUND and each.counts:
            raise AdoptionError(f"{each.item.location}: {each.item.message}")
    path = report.baseline.path if report.baseline else NAME
    place = request.root / path
    if place.resolve() != request.root.resolve() / path:
        raise AdoptionError(f"{path} lies behind a symbolic link, which is not followed; remove it")
    there = place.exists()
    if there and report.baseline is None:
        raise AdoptionError(f"there is a {path} that no policy names; add `baseline: {path}`, or remove it")
    known, new, left = _sorted(report)
    held = (*known, *_unlooked(place, report))
    added = new if accept_new or not there else ()
    try:
        place.write_text(render((*held, *added)), encoding="utf-8")
    except OSError as error:
        raise AdoptionError(f"cannot write {path}: {error.strerror or error}") from error
    return Adoption(
        path=path,
        policy=report.policy.path,
        named=report.baseline is not None,
        kept=len(held),
        added=added,
        removed=(report.baseline.entries if report.baseline else 0) - len(held),
        refused=() if added else new,
        left=left,
    )


def _sorted(report: Report) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[str, ...]]:
    """Return the entries for what is known, those for what is new, and what no entry can hold."""
    gaps = [each.item for each in report.not_checked]
    found, unread = entries(report.findings, gaps, contents.by_path(report.inventory))
    known: list[Entry] = []
    new: list[Entry] = []
    left: list[str] = []
    for finding, entry in zip(report.findings, found, strict=True):
        if finding.baseline and entry is not None:
            known.append(entry)
        elif finding.waived is None and entry is not None:
            new.append(entry)
        elif finding.blocks:
            left.append(f"{finding.rule} {finding.subject} in {finding.location}")
    for each, entry in zip(report.not_checked, unread, strict=True):
        if each.baseline and entry is not None:
            known.append(entry)
        elif each.waived is None and entry is not None:
            new.append(entry)
        elif each.counts:
            left.append(f"{each.item.reason} in {each.item.location}: {each.item.message}")
    return tuple(known), tuple(new), tuple(left)


def _unlooked(place: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries that met nothing, of a check that did not finish."""
    if report.baseline is None or not place.exists():
        return
    checks = {rule.id: rule.check for rule in report.rules}
    unread = [each for each in report.not_checked if not each.baseline and each.waived is None]
    unfinished = {each.item.check for each in unread}
    if Check.TARGET in unfinished:
        unfinished |= {Check.MODELS, Check.DEPENDENCIES}
    gone = {entry.fingerprint for entry in report.baseline.stale if entry.status == "gone"}
    for entry in parse(place.read_bytes(), report.baseline.path).entries:
        check = checks.get(entry.rule, Check.MODELS if entry.sha256 else Check.DEPENDENCIES)
        if entry.fingerprint in gone and check in unfinished:
            yield entry
