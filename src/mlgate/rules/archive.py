"""Rules about archives: members that leave the folder, bombs, and records that contradict each other."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_ATLAS = ("AML.T0011.000",)
_OWASP = ("ML06:2023", "LLM03:2025")
_ESCAPES = {
    "absolute": "has an absolute path",
    "drive": "names a drive",
    "parent": "climbs out of the folder with `..`",
    "nul": "has a NUL byte in its name, where some readers stop",
}


def _escape(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The member {fact.subject} {_ESCAPES[fact.detail['how']]}.")


def _link(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "archive.device":
            message = f"The member {fact.subject} is a {fact.detail['device']}."
        elif fact.detail["how"] == "name through a link":
            message = f"The name {fact.subject} goes through a link of the archive and up again behind it."
        else:
            how, target = fact.detail["how"], fact.detail["target"]
            message = f"The member {fact.subject} is a {how} to {target}, outside the archive's folder."
        yield Hit(fact, message)


def _bomb(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["how"] == "overlap":
            yield Hit(fact, f"The data of {fact.subject} overlaps that of another member.")
        else:
            yield Hit(fact, f"{fact.subject} unpacks to far more bytes than the limit on the ratio allows.")


def _disagreement(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "archive.checksum":
            message = f"The content of {fact.subject} does not have the checksum that the archive states."
            yield Hit(fact, message, severity=Severity.MEDIUM)
        else:
            fields = ", ".join(fact.detail["fields"])
            yield Hit(fact, f"The records of {fact.subject} contradict each other ({fields}).")


def _duplicate(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        severity = Severity.HIGH
        if fact.detail["identical"]:
            severity = Severity.LOW
        elif fact.detail["container"] == "tar":
            # Appending a newer version is what tar was made for.
            severity = Severity.MEDIUM
        yield Hit(fact, f"The archive holds more than one member named {fact.subject}.", severity=severity)


def _prefix(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        kind = fact.subject
        if kind == "script" or fact.detail["native"]:
            severity = Severity.INFO
        elif kind != "data":
            severity = Severity.HIGH
        else:
            severity = Severity.LOW if fact.detail["archive"] == "zip" else Severity.MEDIUM
        what = {"data": "other data", "script": "a script"}.get(kind, f"a {kind} executable")
        yield Hit(fact, f"The archive starts behind {what}.", severity=severity)


RULES = (
    Rule(
        id="MLG-ARC-001",
        name="archive-path-escapes",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        kinds=("archive.escape",),
        summary="An archive's member would be written outside the folder it is unpacked into",
        what=(
            "A member's name is absolute, names a drive, climbs out with `..` (with either slash), or "
            "holds a NUL byte. Both names of a zip entry are looked at."
        ),
        why=(
            "A loader that unpacks the archive overwrites files of whoever loads the model: a shell "
            "profile, a scheduled job, a Python module that runs next. No honest exporter writes such names."
        ),
        fix=(
            "Do not unpack it. Fetch the model from its author again and compare digests. To look inside "
            "without unpacking:\n\n```sh\npython -m zipfile -l FILE   # or: tar -tvf FILE\n```"
        ),
        references=("CVE-2025-12060", "https://cwe.mitre.org/data/definitions/22.html"),
        cwe=(22,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_escape,
        precision="very-high",
    ),
    Rule(
        id="MLG-ARC-002",
        name="archive-link-escapes",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        kinds=("archive.link", "archive.device"),
        summary="An archive's member is a link out of its folder, or a device",
        what=(
            "A symbolic or hard link of the archive leads outside it, a name climbs up behind a link, or a "
            "member is a device or a pipe."
        ),
        why=(
            "The next member can be written through the link to any place, and a loader that reads "
            "through it hands over files of the machine. Links that stay inside are no finding."
        ),
        fix=(
            "Do not unpack it. Pack the model again with regular files only:\n\n```sh\ntar "
            "--dereference -cf model.tar FOLDER\n```"
        ),
        references=("https://cwe.mitre.org/data/definitions/59.html", "PEP 706"),
        cwe=(59,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_link,
        precision="very-high",
    ),
    Rule(
        id="MLG-ARC-003",
        name="archive-bomb",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("archive.bomb",),
        summary="An archive unpacks to far more than it takes",
        what=(
            "A member grows by more than `limits.ratio` (and beyond 16 MiB) while it is unpacked, or "
            "entries share the same bytes. It was not unpacked further."
        ),
        why="Loading the model fills memory or disk of the machine that does, and scanners give up on it.",
        fix=(
            "Ask for the model in a format without compression. If the content really is that regular, "
            "raise `limits.ratio` in the policy."
        ),
        references=("https://www.bamsoftware.com/hacks/zipbomb/",),
        cwe=(409,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_bomb,
    ),
    Rule(
        id="MLG-ARC-004",
        name="archive-records-disagree",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("archive.disagreement", "archive.checksum"),
        summary="An archive's own records contradict each other",
        what=(
            "A zip archive says everything twice, before each member and in its directory. Here the two "
            "differ in name, size, method, checksum or encryption, entries are hidden from the directory, "
            "there is more than one directory, or flags and versions are such that some readers refuse them. "
            "In a tar, a link or folder claims to have data. A wrong checksum alone is medium."
        ),
        why=(
            "Python's zipfile and the C readers inside PyTorch and others trust different records: one "
            "sees a harmless member, or an error, where the other loads the payload. That is how models "
            "were hidden from scanners. Every reading was looked at."
        ),
        fix=(
            "Do not load it. Fetch the model again from its author; if it is yours, write it again with the "
            "framework's own `save`, and do not edit the file afterwards."
        ),
        references=("CVE-2025-1944", "CVE-2025-1945", "CVE-2025-10156"),
        cwe=(436, 345),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_disagreement,
    ),
    Rule(
        id="MLG-ARC-005",
        name="archive-duplicate-member",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("archive.duplicate",),
        summary="An archive holds two members of one name",
        what=(
            "Two entries have the same name. Different contents in a zip are high, in a tar medium; the same "
            "content twice is low. All of them were looked at."
        ),
        why="Some readers take the first, others the last: what was reviewed need not be what is loaded.",
        fix="Pack the archive again, with each member once.",
        references=("https://cwe.mitre.org/data/definitions/694.html",),
        cwe=(694,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_duplicate,
    ),
    Rule(
        id="MLG-ARC-007",
        name="archive-behind-other-data",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("archive.prefix",),
        summary="An archive starts behind something else",
        what=(
            "A zip archive is found from its end, so that anything may stand before it. An executable there "
            "is high, other data before a model archive medium and before an ordinary one low. Python "
            "zipapps and installers that say so in their names are only mentioned."
        ),
        why=(
            "The file is one thing to a loader that reads from the start, and another to one that "
            "opens the archive."
        ),
        fix="Write the model again with the framework's own `save`, and ship programs apart from it.",
        references=("CVE-2025-1944",),
        cwe=(436,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_prefix,
    ),
)
