"""The policy's types. The JSON Schema for editors is derived from them, docstrings included."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from mlgate.core.facts import Check
from mlgate.core.limits import Limits
from mlgate.core.severity import Severity
from mlgate.policy._words import Glob, Path, Section, Word
from mlgate.policy.assessment import Assessment

Unpinned = Literal["fail", "undecided", "warn"]
Globals = tuple[
    Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$", description="module.name, in full")],
    ...,
]


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
    allow_globals: Globals = ()
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
    unpinned: Unpinned = "undecided"


class ModelsOverride(Section, frozen=True):
    """What else holds for model files in some paths.

    Attributes:
        allow_formats: In place of the policy's.
        allow_globals: In place of the policy's.
        fail_on: Severity at which a finding of this check fails the run.
    """

    allow_formats: tuple[str, ...] | UnsetType = UNSET
    allow_globals: Globals | UnsetType = UNSET
    fail_on: Severity | UnsetType = UNSET


class DependenciesOverride(Section, frozen=True):
    """What else holds for manifests in some paths.

    Attributes:
        fail_on: Severity, CVSS score, or both.
        unpinned: What a requirement without an exact version does to the run.
    """

    fail_on: Threshold | Severity | UnsetType = UNSET
    unpinned: Unpinned | UnsetType = UNSET


class Override(Section, frozen=True):
    """What holds in some paths in place of what the policy says for all.

    Attributes:
        path: The files that match.
        fail_on: Severity at which a finding fails the run, whatever its check.
        models: For model files.
        dependencies: For manifests.
    """

    path: Glob
    fail_on: Severity | UnsetType = UNSET
    models: ModelsOverride = ModelsOverride()
    dependencies: DependenciesOverride = DependenciesOverride()


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
        overrides: What holds in some paths; of several that match, the later ones hold.
        waivers: Accepted findings.
        baseline: The file of `mlgate baseline`: what was there when the gate was adopted.
        limits: What hostile input may cost.
    """

    version: Literal[1]
    extends: Path | UnsetType = UNSET
    fail_on: Severity = Severity.HIGH
    models: Models = Models()
    dependencies: Dependencies = Dependencies()
    assessment: tuple[Assessment, ...] = ()
    overrides: tuple[Override, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    baseline: Path | UnsetType = UNSET
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
