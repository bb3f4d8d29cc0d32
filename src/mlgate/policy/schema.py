"""The policy's types. The JSON Schema for editors is derived from them."""

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from mlgate.core.facts import Check
from mlgate.core.limits import Limits
from mlgate.core.severity import Severity

Glob: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="Glob over paths from the repository's root: *, ?, [..] and **.",
    ),
]
Path: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=4096, description="Path from the repository's root, with forward slashes."),
]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4096)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping of the policy: unknown keys are errors."""


class Models(Section, frozen=True):
    """What the model check looks at, and which formats and globals it accepts.

    Attributes:
        include: Only these files; the default is every file, routed by its content.
        exclude: Not these.
        allow_formats: If given, a model file in any other format is a finding.
        allow_globals: ``module.name`` of pickle globals that the team trusts.
        fail_on: Severity at which a finding of this check fails the run.
    """

    include: tuple[Glob, ...] = ("**",)
    exclude: tuple[Glob, ...] = ()
    allow_formats: tuple[str, ...] | UnsetType = UNSET
    allow_globals: tuple[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$", description="module.name, in full")],
        ...,
    ] = ()
    fail_on: Severity | UnsetType = UNSET


class Threshold(Section, frozen=True):
    """When a vulnerable dependency fails the run: at either of the two.

    Attributes:
        severity: The severity at which it does.
        cvss: The CVSS base score at which it does.
    """

    severity: Severity | UnsetType = UNSET
    cvss: Annotated[float, Meta(ge=0, le=10)] | UnsetType = UNSET


class Advisories(Section, frozen=True):
    """Which advisories are used.

    Attributes:
        path: A directory or zip of OSV records.
        max_age_days: An older database is "not checked".
    """

    path: Path | UnsetType = UNSET
    max_age_days: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Dependencies(Section, frozen=True):
    """What the dependency check reads, and how it judges.

    Attributes:
        manifests: Manifests to audit; the default is to discover them, and an empty
            list says that the repository has none.
        exclude: Discovered manifests that are left out.
        auditors: Which auditors answer; they are merged by alias.
        advisories: Which advisories are used.
        fail_on: Severity, CVSS score, or both.
        unpinned: What a requirement without an exact version does to the run.
    """

    manifests: tuple[Path, ...] | UnsetType = UNSET
    exclude: tuple[Glob, ...] = ()
    auditors: Annotated[tuple[str, ...], Meta(min_length=1)] = ("osv",)
    advisories: Advisories = Advisories()
    fail_on: Threshold | Severity | UnsetType = UNSET
    unpinned: Literal["fail", "undecided", "warn"] = "undecided"


class ModelFile(Section, frozen=True):
    """The model that is assessed.

    Attributes:
        path: The model file.
        sha256: If given, another digest is an error.
    """

    path: Path
    sha256: Sha256 | UnsetType = UNSET


class Data(Section, frozen=True):
    """The data that it is assessed on.

    Attributes:
        path: An ``.npz`` or ``.csv`` file.
        label: Array name or column of the label.
        features: Array name (npz), or columns (csv; the default is all but the label).
        range: Smallest and largest value that a feature can take.
        sha256: If given, another digest is an error.
        limit: Use at most so many samples, drawn with the seed.
    """

    path: Path
    label: Word
    features: Word | Annotated[tuple[Word, ...], Meta(min_length=1)] | UnsetType = UNSET
    range: tuple[float, float] | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Floor(Section, frozen=True):
    """A smallest acceptable value.

    Attributes:
        min: The figure must not lie below it.
    """

    min: Share


class Performance(Section, frozen=True):
    """How well the model must do.

    Attributes:
        accuracy: Share of samples whose top score is the label's.
        confidence: Confidence of the interval.
    """

    accuracy: Floor
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95


class Robustness(Section, frozen=True):
    """How well the model must withstand an attacker.

    Attributes:
        epsilon: Radius of the ball around each sample, in the features' unit.
        min_accuracy: Robust accuracy below it fails the run.
        norm: The ball's norm.
        attacks: Which attacks run, each on the samples that the ones before left standing.
        confidence: Of the confidence sequence that decides when to stop.
        queries: Most model queries an attack may spend on one sample.
        budget_seconds: Wall time after which the assessment ends as inconclusive.
        seed: Seed of every random choice.
    """

    epsilon: Annotated[float, Meta(gt=0)]
    min_accuracy: Share
    norm: Literal["linf"] = "linf"
    attacks: Annotated[tuple[str, ...], Meta(min_length=1)] = ("square",)
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    queries: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    budget_seconds: Annotated[float, Meta(gt=0)] = 120.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0


class Assessment(Section, frozen=True):
    """One model, its data, and what is asked of it.

    Attributes:
        name: Chosen by the user; names the figures in reports.
        model: The model file.
        data: The data file.
        performance: Thresholds on clean data.
        robustness: Thresholds under attack.
    """

    name: Annotated[str, Meta(pattern=r"^[\w][\w.-]{0,99}$")]
    model: ModelFile
    data: Data
    performance: Performance | UnsetType = UNSET
    robustness: Robustness | UnsetType = UNSET


class Waiver(Section, frozen=True):
    """An accepted finding. It stays in the report, as waived, until it expires.

    Attributes:
        reason: Why it is accepted; a reviewer reads this.
        expires: Last day on which it holds.
        rule: Rule id of the finding. Either this or ``not_checked``.
        not_checked: Reason slug of something that could not be checked.
        path: Only in files that match.
        subject: Only for this subject (``posix.system``, ``torch==2.1.0``).
        package: Only for this package, whatever its version.
        advisory: Only for this advisory; any alias matches.
        until_fixed: True ends it as soon as the advisories know a version that fixes the flaw.
    """

    reason: Annotated[
        str, Meta(min_length=10, description="Why this is acceptable; at least ten characters.")
    ]
    expires: dt.date
    rule: Annotated[str, Meta(pattern=r"^MLG-[A-Z]{3}-\d{3}$")] | UnsetType = UNSET
    not_checked: Annotated[str, Meta(pattern=r"^[a-z][a-z-]*$")] | UnsetType = UNSET
    path: Glob | UnsetType = UNSET
    subject: Word | UnsetType = UNSET
    package: Word | UnsetType = UNSET
    advisory: Word | UnsetType = UNSET
    until_fixed: bool = False


class Policy(Section, frozen=True):
    """The whole policy file.

    Attributes:
        version: Of this format; 1.
        extends: A local policy whose keys hold where this one says nothing.
        fail_on: Severity at which a finding fails the run, unless a check says otherwise.
        models: The model check.
        dependencies: The dependency check.
        assessment: The assessments.
        waivers: Accepted findings.
        limits: What hostile input may cost.
    """

    version: Literal[1]
    extends: Path | UnsetType = UNSET
    fail_on: Severity = Severity.HIGH
    models: Models = Models()
    dependencies: Dependencies = Dependencies()
    assessment: tuple[Assessment, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    limits: Limits = Limits()

    def threshold(self, check: Check) -> Severity:
        """Severity at which a finding of ``check`` fails the run."""
        own: object = UNSET
        if check is Check.MODELS:
            own = self.models.fail_on
        elif check is Check.DEPENDENCIES:
            own = self.dependencies.fail_on
            if isinstance(own, Threshold):
                own = own.severity
        return own if isinstance(own, Severity) else self.fail_on
