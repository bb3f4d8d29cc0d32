"""Hold mlgate's matcher against two others, over every version that a snapshot of advisories lists.

    python benchmarks/agreement.py PyPI-all.zip

The first other one is written here, plainly, after the pseudocode of the OSV schema's section
on evaluation, on ``packaging``. The second is pip-audit's own OSV service, as far as it has
logic of its own: OSV's servers match for it, so it is given the matches found here, and what it
makes of them is compared. Exit code 1 where a difference has no explanation.
"""

import argparse
import json
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mlgate.checks import Scope
from mlgate.checks.dependencies.auditor import Pin
from mlgate.checks.dependencies.auditors import osv
from mlgate.policy import load
from mlgate.target import working_tree


def read(path):
    """Return the records that are not withdrawn by normalised package name."""
    found = defaultdict(list)
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            record = json.loads(archive.read(member))
            if record.get("withdrawn"):
                continue
            names = {
                canonicalize_name(entry["package"]["name"])
                for entry in record.get("affected", ())
                if entry["package"]["ecosystem"] == "PyPI"
            }
            for name in names:
                found[name].append(record)
    return found


def entries(record, name):
    return [
        entry
        for entry in record.get("affected", ())
        if entry["package"]["ecosystem"] == "PyPI" and canonicalize_name(entry["package"]["name"]) == name
    ]


def in_range(version, events):
    """Walk one range's events in order. Raises InvalidVersion where one is no version."""
    order = {"introduced": 0, "fixed": 1, "last_affected": 2}
    steps = []
    for event in events:
        for kind, text in event.items():
            if kind != "limit":
                first = kind == "introduced" and text == "0"
                steps.append(((0,) if first else (1, Version(text), order[kind]), kind, text))
    vulnerable = False
    for key, kind, _ in sorted(steps, key=lambda step: step[0]):
        at = None if len(key) == 1 else key[1]
        if kind == "introduced" and (at is None or version >= at):
            vulnerable = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            vulnerable = False
    limits = [event["limit"] for event in events if event.get("limit", "*") != "*"]
    return vulnerable and (not limits or any(version < Version(limit) for limit in limits))


def affects(record, name, text, version):
    """Return True or False, or None where the record cannot be evaluated."""
    doubt = False
    for entry in entries(record, name):
        if text in entry.get("versions", ()):
            return True
        for each in entry.get("ranges", ()):
            if each["type"] != "ECOSYSTEM" or version is None:
                continue
            try:
                if in_range(version, each["events"]):
                    return True
            except InvalidVersion:
                doubt = True
    return None if doubt else False


def reopened(record, name):
    """Say whether a range has a version that is both introduced and fixed."""
    return any(
        {event.get("introduced") for event in each["events"]}
        & {event["fixed"] for event in each["events"] if "fixed" in event}
        for entry in entries(record, name)
        for each in entry.get("ranges", ())
    )


def parse(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def pairs(records):
    return sorted(
        Pin(name, text)
        for name, known in records.items()
        for text in {
            text for record in known for entry in entries(record, name) for text in entry.get("versions", ())
        }
    )


def ours(path, pins):
    with tempfile.TemporaryDirectory() as folder:
        scope = Scope(
            target=working_tree(Path(folder)), policy=load.DEFAULT, advisories=Path(path), offline=True
        )
        audit = osv.audit(pins, scope)
    if audit.not_checked:
        sys.exit("\n".join(gap.message for gap in audit.not_checked))
    return audit.answers


def difference(pin, answer, records):
    """Say how mlgate's answer differs from the plain evaluation, or return None."""
    version = parse(pin.version)
    verdicts = {record["id"]: affects(record, pin.name, pin.version, version) for record in records}
    yes = {known for known, verdict in verdicts.items() if verdict}
    unsure = {known for known, verdict in verdicts.items() if verdict is None}
    named = {known for each in answer.advisories for known in (each.id, *each.aliases)} & verdicts.keys()
    missed = yes - named
    # Records of one flaw are one advisory: it is there where any of them affects the version.
    extra = [each for each in answer.advisories if not yes & {each.id, *each.aliases}]
    if version is None:
        kind = "no PEP 440 version: said, and listed versions count"
        return None if not missed and not extra and answer.unknown else f"UNEXPLAINED ({kind})"
    if version.local and (missed or extra):
        return "a local label, which mlgate leaves out"
    if extra and all({each.id, *each.aliases} & unsure for each in extra):
        return "an event that is no version: mlgate bounds it, and the version lies before the bound"
    by_id = {record["id"]: record for record in records}
    if (
        extra
        and not missed
        and all(
            reopened(by_id[known], pin.name)
            for each in extra
            for known in {each.id, *each.aliases} & by_id.keys()
        )
    ):
        return "fixed and introduced at one version, an order that the schema leaves open: affected"
    if missed or extra:
        return f"UNEXPLAINED: {pin}: missed {sorted(missed)}, extra {[each.id for each in extra]}"
    if unsure and not answer.unknown:
        return "an event that is no version: mlgate bounds it, and the version lies beyond the bound"
    if answer.unknown and not unsure:
        return f"UNEXPLAINED: {pin} is {answer.unknown}"
    return None


def fixes_differ(records, name, advisory, theirs):
    """Say why mlgate names another fix than the first one that pip-audit names."""
    own = [record for record in records if record["id"] in (advisory.id, *advisory.aliases)]
    if theirs.is_prerelease:
        return "mlgate names a final release, pip-audit a pre-release before it"
    if any(affects(record, name, str(theirs), theirs) or reopened(record, name) for record in own):
        return "the fix that pip-audit names first is affected by another range or list"
    return "UNEXPLAINED difference of the fixes"


def pip_audits(records, pins, answers):
    """Count what pip-audit's OSV service makes of the same matches."""
    from pip_audit._service.interface import ResolvedDependency
    from pip_audit._service.osv import OsvService

    counts = Counter()
    service = OsvService(cache_dir=Path(tempfile.mkdtemp()))
    for pin in pins:
        version = parse(pin.version)
        if version is None:
            counts["no PEP 440 version: pip-audit cannot be asked"] += 1
            continue
        vulns = [record for record in records[pin.name] if affects(record, pin.name, pin.version, version)]
        reply = SimpleNamespace(
            raise_for_status=lambda: None, json=lambda vulns=vulns: {"vulns": vulns} if vulns else {}
        )
        service.session = SimpleNamespace(post=lambda reply=reply, **_: reply)
        try:
            _, results = service.query(ResolvedDependency(pin.name, version))
        except InvalidVersion:
            counts["pip-audit crashes on a fix that is no PEP 440 version"] += 1
            continue
        theirs = {known for result in results for known in (result.id, *result.aliases)}
        own = {known for each in answers[pin].advisories for known in (each.id, *each.aliases)}
        if {each for each in theirs if each in {record["id"] for record in vulns}} - own:
            counts["UNEXPLAINED: named by pip-audit alone"] += 1
            continue
        if any(not theirs & {each.id, *each.aliases} for each in answers[pin].advisories):
            counts["named by mlgate alone: see above"] += 1
            continue
        counts["the same advisories"] += 1
        for each in answers[pin].advisories:
            fixes = [
                fix
                for result in results
                if {result.id, *result.aliases} & {each.id, *each.aliases}
                for fix in result.fix_versions
            ]
            later = [fix for fix in fixes if fix > version]
            if each.fixed is not None and not later:
                counts["  of which: mlgate knows a fix, pip-audit none that is later than the pin"] += 1
            elif each.fixed is None and later:
                counts["  of which: the only fix that pip-audit names is itself listed as affected"] += 1
            elif each.fixed is not None and min(later) != Version(each.fixed):
                counts[f"  of which: {fixes_differ(records[pin.name], pin.name, each, min(later))}"] += 1
    return counts


def show(title, counts):
    print(f"\n| {title} | pairs |\n|---|---|")
    for what, count in sorted(counts.items(), key=lambda item: item[0].lstrip()):
        print(f"| {what.strip()} | {count:,} |")


def main() -> int:
    """Compare, and print the differences by their reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("snapshot", help="a zip of OSV records")
    options = parser.parse_args()
    records = read(options.snapshot)
    pins = pairs(records)
    answers = ours(options.snapshot, pins)
    counts = Counter()
    for pin in pins:
        counts[difference(pin, answers[pin], records[pin.name]) or "the same"] += 1
    print(f"{len(pins):,} pairs of package and version, {len(records):,} packages")
    show("mlgate against the OSV schema's evaluation", counts)
    try:
        counts += (theirs := pip_audits(records, pins, answers))
    except ImportError:
        print("\npip-audit is not installed; its part is left out")
    else:
        show("mlgate against pip-audit's OSV service", theirs)
    return 1 if any("UNEXPLAINED" in what for what in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
