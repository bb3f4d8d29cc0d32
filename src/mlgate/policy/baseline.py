"""The baseline's file: what was there when the gate was adopted, one line an entry."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mlgate.core.facts import Location
from mlgate.core.limits import DEFAULT as LIMITS
from mlgate.core.severity import Severity
from mlgate.policy.document import PolicyError

NAME = ".mlgate-baseline.json"
_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that was there.

    Attributes:
        path: Of the file, relative to the root.
        fingerprint: The finding's, or what :func:`mlgate.policy.recognition.entries` makes.
        rule: Id of the finding's rule, or "" for something that could not be checked.
        severity: Of the finding, when it was written down.
        reason: Why it could not be checked, or "" for a finding.
        member: Path inside an archive.
        subject: What it is about.
        advisory: Of a vulnerable dependency; any alias of it meets.
        sha256: Of the file, where the entry holds for these bytes alone.
    """

    path: str
    fingerprint: _Digest
    rule: str = ""
    severity: Severity | None = None
    reason: str = ""
    member: str | None = None
    subject: str = ""
    advisory: str = ""
    sha256: _Digest | None = None

    def __str__(self) -> str:
        """Render as ``MLG-PKL-002 posix.system in models/a.pkl``."""
        place = str(Location(self.path, self.member))
        words = (self.rule or self.reason, self.advisory, self.subject, "in", place)
        return " ".join(word for word in words if word)


class _TwiceError(ValueError):
    """A key stands twice: a reviewer reads one value, and a parser takes the other."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    entries: tuple[Entry, ...]


class Baseline(Struct, frozen=True):
    """A baseline, and where it was read.

    Attributes:
        entries: In the file's order; none stands twice.
        path: Of the file, relative to the root.
        sha256: Digest of the file.
    """

    entries: tuple[Entry, ...]
    path: str
    sha256: str


def parse(raw: bytes, path: str) -> Baseline:
    """Read a baseline file.

    Raises:
        PolicyError: It is too large, or not what :func:`render` writes.
    """
    import json  # noqa: PLC0415 - a scan without a baseline does not need it

    if len(raw) > LIMITS.manifest_bytes:
        raise PolicyError(path, None, f"the baseline is larger than {LIMITS.manifest_bytes} bytes")
    try:
        # Names of files that are no text hold lone surrogates, which msgspec's own parser refuses.
        data = msgspec.convert(json.loads(raw.decode("ascii"), object_pairs_hook=_once), _File)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        known = isinstance(error, msgspec.ValidationError | _TwiceError)
        problem = str(error) if known else "it is not plain JSON in ASCII"
        raise PolicyError(
            path,
            line,
            f"not a baseline: {problem}; restore it, or remove it and run `mlgate baseline`",
        ) from error
    for entry in data.entries:
        if bool(entry.rule) == bool(entry.reason) or (entry.rule and entry.severity is None):
            raise PolicyError(
                path, None, f"not a baseline: the entry {entry} is neither a finding nor a reason"
            )
    return Baseline(tuple(dict.fromkeys(data.entries)), path, hashlib.sha256(raw).hexdigest())


def render(entries: Iterable[Entry]) -> str:
    """Return the text of a baseline file: one line an entry, in an order that does not change."""
    import json  # noqa: PLC0415 - only `mlgate baseline` writes one

    ordered = sorted(entries, key=lambda entry: (entry.path, entry.rule, entry.reason, entry.fingerprint))
    # ASCII alone: no character of a file's name can hide another in a review.
    lines = [json.dumps(_plain(entry)) for entry in ordered]
    listed = "[\n" + ",\n".join(f"  {line}" for line in lines) + "\n ]" if lines else "[]"
    return f'{{"version": 1,\n "entries": {listed}\n}}\n'


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError("a key stands twice in an entry")
    return found


def _plain(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return plain
