"""What a baseline needs of the files: a digest of each that has a finding, and which are still there."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from mlgate.core.facts import Check, FileRecord, Observations
from mlgate.core.findings import Finding
from mlgate.listing import File
from mlgate.policy.baseline import Baseline
from mlgate.target import Target

_CHUNK = 1 << 20


def with_digests(seen: Target, observations: Observations, findings: Iterable[Finding]) -> Observations:
    """Return the observations with a SHA-256 of each file that a baseline may speak of."""
    spoken = {finding.location.path for finding in findings if finding.check is Check.MODELS}
    spoken |= {gap.location.path for gap in observations.not_checked if gap.check is Check.MODELS}
    inventory = tuple(
        replace(record, sha256=_digest(seen.find(record.path))) if _lacks(record, spoken) else record
        for record in observations.inventory
    )
    return replace(observations, inventory=inventory)


def by_path(inventory: Iterable[FileRecord]) -> Mapping[str, str]:
    """Return the SHA-256 of each file whose digest is known, by its path."""
    return {record.path: record.sha256 for record in inventory if record.sha256 is not None}


def staying(seen: Target, baseline: Baseline | None, known: Mapping[str, str]) -> frozenset[str]:
    """Return the baseline's files whose bytes the run met elsewhere, and which it did not look at.

    Args:
        seen: The files of the run, which finds others too.
        baseline: Of the policy.
        known: SHA-256 by path of the files that the run looked at.
    """
    met = set(known.values())
    entries = baseline.entries if baseline is not None else ()
    paths = {entry.path for entry in entries if entry.sha256 in met and entry.path not in known}
    return frozenset(path for path in paths if seen.find(path) is not None)


def _lacks(record: FileRecord, spoken: set[str]) -> bool:
    return record.sha256 is None and record.path in spoken


def _digest(file: File | None) -> str | None:
    """Return the SHA-256 of a file, or None where it cannot be read to its end."""
    if file is None or file.kind != "file":
        return None
    digest = hashlib.sha256()
    try:
        with file.open() as stream:
            for chunk in iter(partial(stream.read, _CHUNK), b""):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()
