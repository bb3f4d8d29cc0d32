"""Findings: what the rules object to, each with a fingerprint that outlives an edit."""

import hashlib

from msgspec import Struct

from mlgate.core.facts import Check, Location
from mlgate.core.severity import Severity


class Waived(Struct, frozen=True):
    """The waiver that accepts a finding or an item that was not checked.

    Attributes:
        reason: Why, in the policy's words.
        expires: ISO date of the last day on which the waiver holds.
        line: The waiver's line in the policy.
    """

    reason: str
    expires: str
    line: int | None = None


class Finding(Struct, frozen=True):
    """A fact that a rule objects to, ready for the policy and the reports.

    Attributes:
        rule: Rule id.
        name: Rule name.
        severity: Of this finding.
        check: The check it came from.
        location: Where.
        subject: What it is about.
        message: One sentence for a person.
        fix: The next step for a person.
        fingerprint: 64 hex digits; the same thing in the same file has the same one,
            whatever lines or bytes are inserted around it.
        evidence: What was seen, readable, may span lines.
        advisory: Advisory id.
        aliases: Its other ids.
        cvss: Base score, 0 to 10.
        fixed_in: A version that fixes it, where the advisories know one.
        rated: False where nobody rated it, and the severity is the policy's threshold.
        blocks: True where the policy lets it fail the run.
        waived: The waiver that accepts it.
        baseline: True where the baseline knows it: it was there when the gate was adopted.
    """

    rule: str
    name: str
    severity: Severity
    check: Check
    location: Location
    subject: str
    message: str
    fix: str
    fingerprint: str
    evidence: str | None = None
    advisory: str | None = None
    aliases: tuple[str, ...] = ()
    cvss: float | None = None
    fixed_in: str | None = None
    rated: bool = True
    blocks: bool = False
    waived: Waived | None = None
    baseline: bool = False


def fingerprint(*parts: str | None) -> str:
    """Digest the parts that identify a finding.

    Lines and offsets must not be among them: an inserted line would make an old
    finding new. Each part is prefixed by its length, so that ("ab", "c") and
    ("a", "bc") differ.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = (part or "").encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()
