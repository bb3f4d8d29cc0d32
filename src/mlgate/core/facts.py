"""What a check may say: observations with their locations, and no opinion about them.

A check returns :class:`Observations`. Nothing else passes from a check to the
rules, and checks know nothing of each other.
"""

import enum
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct


@enum.unique
class Check(enum.Enum):
    """A family of facts. ``policy`` and ``target`` stand for the run's own input."""

    MODELS = "models"
    DEPENDENCIES = "dependencies"
    ASSESSMENT = "assessment"
    POLICY = "policy"
    TARGET = "target"


class Location(Struct, frozen=True, omit_defaults=True):
    """Where something was observed.

    Attributes:
        path: Relative to the target's root, with ``/``.
        member: Path inside an archive; nested archives are joined by ``!/``.
        line: 1-based line of a text file.
        offset: Byte offset in the file, or in the member where there is one.
    """

    path: str
    member: str | None = None
    line: int | None = None
    offset: int | None = None

    def __str__(self) -> str:
        """Render as ``path!/member:line`` or ``path!/member@offset``."""
        text = self.path if self.member is None else f"{self.path}!/{self.member}"
        if self.line is not None:
            return f"{text}:{self.line}"
        return text if self.offset is None else f"{text}@{self.offset}"


class Fact(Struct, frozen=True):
    """One observation.

    Attributes:
        kind: What was observed, dotted, family first: ``pickle.call``,
            ``safetensors.gap``, ``dependency.vulnerable``. Rules choose facts by kind.
        location: Where it was first observed.
        subject: What it is about: ``posix.system``, ``torch==2.1.0``, ``digits/accuracy``.
        detail: What a rule needs to judge the fact: plain values only (text,
            numbers, booleans, None, lists and mappings of them).
        count: How often the same observation was made in this place.
    """

    kind: str
    location: Location
    subject: str = ""
    detail: Mapping[str, Any] = {}
    count: int = 1


class NotChecked(Struct, frozen=True):
    """Something in scope that could not be judged; it makes a run undecided.

    Attributes:
        check: The check that could not do its work here.
        reason: A stable slug: ``lfs-pointer``, ``truncated``, ``unpinned``, ``limit``, ...
        location: The file, member or line that was not judged.
        message: What happened and what to do next, for a person.
        subject: What was not judged, where the path alone does not say it
            (``torch``, an assessment's name).
        written: How it stands there, where the same subject written otherwise is another
            thing (the address that a package comes from).
    """

    check: Check
    reason: str
    location: Location
    message: str
    subject: str = ""
    written: str = ""


class FileRecord(Struct, frozen=True):
    """One file of the inventory.

    Attributes:
        path: Relative to the target's root.
        format: The reader that claimed the file (``pickle``, ``safetensors``), or
            ``opaque`` where none did.
        size: Bytes.
        sha256: Hex digest; None where the file is larger than ``limits.hash_bytes``.
        status: ``checked`` or ``not-checked``.
    """

    path: str
    format: str
    size: int
    sha256: str | None
    status: str


class Package(Struct, frozen=True):
    """One required package, as a manifest names it.

    Attributes:
        name: Normalised name (PEP 503).
        version: The pinned version, or None where the manifest pins none.
        path: The manifest.
        line: 1-based line of the requirement.
        extra: Marker, extra or group under which it is required, as written.
    """

    name: str
    version: str | None
    path: str
    line: int | None = None
    extra: str | None = None


class Measurement(Struct, frozen=True):
    """One figure about a model's behaviour, with the evidence behind it.

    Attributes:
        assessment: The assessment's name in the policy.
        name: ``accuracy``, ``robust_accuracy``, ...
        family: The policy key that asked for it: ``performance``, ``robustness``, ``fairness``, ...
        part: What the figure is about, where it is not the whole: ``sex=female``,
            ``gaussian_noise/3``, ``epsilon=0.1``. Empty otherwise.
        value: The point estimate, or None where nothing could be measured.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: Samples that the figure rests on.
        threshold: What the policy asks for, or None.
        bound: ``min`` where the threshold is the smallest acceptable value, ``max`` where it
            is the largest.
        outcome: ``pass``, ``fail``, ``inconclusive``, ``masked`` (the attacks were misled, so
            the figure shows nothing) or ``info``.
        detail: Confidence, method, seed, budget, queries, stop reason, digests,
            versions, survivors by attack: all that a second run needs.
    """

    assessment: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    threshold: float | None
    outcome: str
    detail: Mapping[str, Any] = {}
    family: str = "performance"
    part: str = ""
    bound: str = "min"


class Source(Struct, frozen=True):
    """What an answer rests on: an advisory database, a sandbox, a library.

    Attributes:
        check: The check that used it.
        name: ``bundled advisories``, ``sandbox``, ...
        summary: One line for a person: count, date, coverage, what is missing.
        detail: The same as values.
    """

    check: Check
    name: str
    summary: str
    detail: Mapping[str, Any] = {}


class Observations(Struct, frozen=True):
    """All that a check saw.

    Attributes:
        facts: About what is in scope.
        not_checked: What is in scope and could not be judged.
        inventory: The files that were looked at.
        packages: What the manifests require.
        measurements: What the assessments measured.
        sources: What the answers rest on.
        context: Facts about files that did not change, beside those that did. Rules see them
            too: one file can say what becomes of another.
    """

    facts: tuple[Fact, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    inventory: tuple[FileRecord, ...] = ()
    packages: tuple[Package, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    sources: tuple[Source, ...] = ()
    context: tuple[Fact, ...] = ()

    @classmethod
    def merge(cls, parts: Iterable["Observations"]) -> "Observations":
        """Join the observations of several checks or files, in their order."""
        parts = tuple(parts)
        return cls(
            facts=tuple(fact for part in parts for fact in part.facts),
            not_checked=tuple(item for part in parts for item in part.not_checked),
            inventory=tuple(record for part in parts for record in part.inventory),
            packages=tuple(package for part in parts for package in part.packages),
            measurements=tuple(figure for part in parts for figure in part.measurements),
            sources=tuple(source for part in parts for source in part.sources),
            context=tuple(fact for part in parts for fact in part.context),
        )
