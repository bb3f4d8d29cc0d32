"""Rules about dependencies: vulnerable, malicious, unpinned, and taken from where anyone may upload."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy

_ATLAS = ("AML.T0010.001", "AML.T0011.001")
_OWASP = ("ML06:2023", "LLM03:2025")
# Ids of which OSV has no page.
_PRIVATE = ("SAFETY-", "PVE-")


def _vulnerable(facts: Sequence[Fact], policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        detail = fact.detail
        known = detail["severity"]
        severity = Severity(known) if known else policy.threshold(Check.DEPENDENCIES)
        ids = [detail["advisory"], *detail["aliases"]]
        also = f" (also {', '.join(ids[1:])})" if ids[1:] else ""
        unknown = "" if known else "; its severity is unknown, so it counts as at the policy's threshold"
        yield Hit(
            fact=fact,
            message=f"{fact.subject} has the known vulnerability {ids[0]}{also}{unknown}",
            severity=severity,
            rated=bool(known),
            fix=_upgrade(fact),
            evidence=_heard(detail, ids),
            advisory=ids[0],
            aliases=tuple(ids[1:]),
            cvss=detail["cvss"],
            fixed_in=detail["fixed"],
        )


def _heard(detail: Mapping[str, Any], ids: Sequence[str]) -> str | None:
    """Say where to read on, and which auditors do not name it where others do."""
    lines = [f"https://osv.dev/vulnerability/{each}" for each in ids if not each.startswith(_PRIVATE)][:1]
    if detail.get("silent"):
        lines.append(f"named by {', '.join(detail['auditors'])}; not by {', '.join(detail['silent'])}")
    return "\n".join(lines) or None


def _upgrade(fact: Fact) -> str:
    name, upgrade, fixed = fact.detail["name"], fact.detail["upgrade"], fact.detail["fixed"]
    if upgrade:
        return f"{name}=={upgrade}  # the smallest upgrade without a known vulnerability"
    if fixed:
        return (
            f"{name}=={fixed}  # fixes this one; no later version is known to be free of all others, which "
            "need a waiver"
        )
    return (
        "no fixed version is known: replace the package, or waive this advisory with a reason and an expiry "
        "once you know that the flaw cannot be reached"
    )


def _malicious(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        detail = fact.detail
        advisory = detail.get("advisory")
        what = detail.get("what") or f"reported as malicious in {advisory}"
        kind = "release" if "==" in fact.subject else "package"
        yield Hit(
            fact=fact,
            message=f"{fact.subject} is a malicious {kind}: {what}",
            evidence="\n".join(detail.get("references", ())) or f"https://osv.dev/vulnerability/{advisory}",
            advisory=advisory,
            aliases=tuple(detail.get("aliases", ())),
            fixed_in=detail.get("fixed"),
        )


def _unpinned(facts: Sequence[Fact], policy: Policy) -> Iterator[Hit]:
    if policy.dependencies.unpinned != "fail":
        return
    forms = {
        "unpinned": "without an exact version",
        "vcs-requirement": "from version control",
        "url-requirement": "from a URL",
        "local-requirement": "from a local file",
    }
    for fact in facts:
        how = forms.get(fact.detail["form"], "without an exact version")
        yield Hit(
            fact=fact,
            message=f"{fact.subject} is required {how}, and the policy demands released, exact versions",
            severity=max(Severity.MEDIUM, policy.threshold(Check.DEPENDENCIES)),
            evidence=fact.detail["requirement"],
        )


def _extra_index(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        hashed = fact.detail["hashed"]
        tail = "; the pinned hashes keep strangers' files out" if hashed else ""
        yield Hit(
            fact=fact,
            message=(
                f"packages are also taken from {fact.subject}: whoever owns a name on either index can "
                f"answer for it{tail}"
            ),
            severity=Severity.INFO if hashed else Severity.MEDIUM,
            evidence=f"{fact.detail['option']} {fact.subject}",
        )


def _contradiction(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        together = fact.detail["together"]
        pins = fact.detail["pins"]
        where = sorted({pin["path"] for pin in pins})
        how = "one installation asks for both" if together else f"see {' and '.join(where)}"
        yield Hit(
            fact=fact,
            message=f"{fact.subject} is pinned to different versions: {how}",
            severity=Severity.LOW if together else Severity.INFO,
            evidence="\n".join(
                f"{pin['path']}:{pin['line'] or '?'}  {fact.subject}=={pin['version']}" for pin in pins
            ),
        )


def _pin(name: str, pin: Mapping[str, object]) -> str:
    return f"{pin['path']}:{pin['line'] or '?'}  {name}=={pin['version']}"


RULES = (
    Rule(
        id="MLG-DEP-001",
        name="vulnerable-dependency",
        check=Check.DEPENDENCIES,
        severity=Severity.HIGH,
        varies=True,
        kinds=("dependency.vulnerable",),
        summary="A required version has a known vulnerability",
        what=(
            "A package is pinned to a version that an advisory of the database in use names as affected. "
            "Records about the same flaw (PYSEC, GHSA, CVE) are one finding. The severity is the "
            "advisory's, or that of its CVSS score; where neither is known, the finding counts as at the "
            "policy's threshold."
        ),
        why=(
            "Training jobs and model servers parse data from outside with these libraries, often next to "
            "credentials and with a GPU's worth of privileges. A published flaw comes with instructions."
        ),
        fix=(
            "Take the version in the finding's fix line, and run your tests:\n\n"
            "```\npip install 'torch==2.6.0'\n```\n\n"
            "Where no fixed version exists and the flaw cannot be reached, waive the advisory (any of its "
            "ids matches) with a reason and an expiry:\n\n"
            "```yaml\nwaivers:\n  - rule: MLG-DEP-001\n    advisory: PYSEC-2025-194\n"
            "    reason: torch.jit is never given untrusted programs here\n    expires: 2027-01-31\n"
            "    until_fixed: true  # ends as soon as a fixed version is known\n```"
        ),
        references=(
            "https://ossf.github.io/osv-schema/",
            "https://github.com/pypa/advisory-database",
            "https://www.first.org/cvss/v3-1/specification-document",
        ),
        cwe=(1395,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_vulnerable,
    ),
    Rule(
        id="MLG-DEP-002",
        name="malicious-release",
        check=Check.DEPENDENCIES,
        severity=Severity.CRITICAL,
        kinds=("dependency.malicious",),
        summary="A required version is known to be malicious",
        what=(
            "A package is pinned to a release that was published to do harm: by way of a stolen account, a "
            "poisoned workflow, or a name that others were expected to look for."
        ),
        why=(
            "Such a release runs its author's code when it is installed or imported; there is no safe way to "
            "use it."
        ),
        fix=(
            "Do not install it. Where it was installed, treat the machine's credentials as stolen and revoke "
            "them. Then require a release that is known to be good:\n\n"
            "```\npip install 'ultralytics==8.3.47'\n```"
        ),
        references=(
            "https://pytorch.org/blog/compromised-nightly-dependency/",
            "https://github.com/ultralytics/ultralytics/issues/18027",
            "https://github.com/BerriAI/litellm/issues/24512",
        ),
        cwe=(506, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        precision="very-high",
        judge=_malicious,
    ),
    Rule(
        id="MLG-DEP-003",
        name="unpinned-requirement",
        check=Check.DEPENDENCIES,
        severity=Severity.HIGH,
        varies=True,
        kinds=("dependency.unpinned",),
        summary="A requirement does not say which release is installed",
        what=(
            "A requirement names a range, a wildcard, a URL, a repository or a local file instead of one "
            "released version. It is a finding where the policy says `dependencies.unpinned: fail`; "
            "otherwise the requirement is listed as not checked."
        ),
        why="What is installed tomorrow is not what was audited today.",
        fix=(
            "Lock the versions, and commit the result:\n\n"
            "```\npip-compile --generate-hashes requirements.in   # or: uv lock\n```"
        ),
        references=("https://pip.pypa.io/en/stable/topics/repeatable-installs/",),
        cwe=(1357, 494),
        atlas=_ATLAS,
        owasp=_OWASP,
        precision="very-high",
        judge=_unpinned,
    ),
    Rule(
        id="MLG-DEP-004",
        name="extra-package-index",
        check=Check.DEPENDENCIES,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("dependency.extra-index",),
        summary="Packages are taken from a second index beside the default one",
        what=(
            "A requirements file adds an index (`--extra-index-url`) or a page of links (`--find-links`). "
            "Where every requirement pins its files' hashes, this is only noted."
        ),
        why=(
            "pip gives no index precedence: it takes the highest version that any of them offers. Whoever "
            "registers the name of a private package on the public index is installed instead of it, as "
            "happened to PyTorch's nightly builds in December 2022."
        ),
        fix=(
            "Take such packages from their own index alone, or pin hashes:\n\n"
            "```\npip install --index-url https://download.pytorch.org/whl/cu121 'torch==2.6.0'\n"
            "pip-compile --generate-hashes requirements.in\n```"
        ),
        references=(
            "https://pytorch.org/blog/compromised-nightly-dependency/",
            "https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-extra-index-url",
            "CVE-2018-20225",
        ),
        cwe=(427, 829),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_extra_index,
    ),
    Rule(
        id="MLG-DEP-005",
        name="contradictory-pins",
        check=Check.DEPENDENCIES,
        severity=Severity.LOW,
        varies=True,
        kinds=("dependency.contradiction",),
        summary="One package is pinned to different versions",
        what=(
            "Manifests that are installed together, or that lie side by side in one folder, pin a package to "
            "different versions for every environment. Builds of one version (`+cpu`, `+cu121`) do not count."
        ),
        why="One of the pins is not what runs, so what was audited, and what was tested, may not be either.",
        fix=(
            "Keep one of the pins, or share it: move it to a file that the others include with "
            "`-c constraints.txt`."
        ),
        references=("https://pip.pypa.io/en/stable/user_guide/#constraints-files",),
        cwe=(1357,),
        owasp=("ML06:2023",),
        security=False,
        judge=_contradiction,
    ),
)
