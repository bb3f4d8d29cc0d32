"""The rule about names that differ by one slip of a finger from a well-known package's."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy

# Shorter names have too many honest neighbours.
_SHORTEST = 5
_LONGEST = 80


@cache
def _tables() -> tuple[frozenset[str], Mapping[str, Sequence[str]], Mapping[tuple[str, ...], str]]:
    """Return what is known to be real, and the well-known names by variant and by words."""
    tables = json.loads((Path(__file__).parent / "data" / "typosquat.json").read_bytes())
    variants: defaultdict[str, list[str]] = defaultdict(list)
    words: dict[tuple[str, ...], str] = {}
    for name in tables["well_known"]:
        if len(name) >= _SHORTEST:
            for variant in _variants(name):
                variants[variant].append(name)
        if "-" in name:
            words[tuple(sorted(name.split("-")))] = name
    return frozenset(tables["well_known"] + tables["real_neighbours"]), variants, words


def _variants(name: str) -> Iterator[str]:
    """Yield the name, and the name without each of its characters."""
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]


def resembles(name: str) -> str | None:
    """Return the well-known package that a normalised name could be mistaken for, or None.

    One character more, less or other, two neighbours swapped (Damerau-Levenshtein
    distance 1), or the same words in another order.
    """
    real, variants, words = _tables()
    if name in real or not _SHORTEST - 1 <= len(name) <= _LONGEST:
        return None
    candidates = {known for variant in _variants(name) for known in variants.get(variant, ())}
    near = sorted(known for known in candidates if _one_slip(name, known))
    return near[0] if near else words.get(tuple(sorted(name.split("-"))))


def _one_slip(left: str, right: str) -> bool:
    at = 0
    while at < min(len(left), len(right)) and left[at] == right[at]:
        at += 1
    if len(left) == len(right):
        swapped = left[at : at + 2] == right[at : at + 2][::-1] and left[at + 2 :] == right[at + 2 :]
        return swapped or left[at + 1 :] == right[at + 1 :]
    short, long = sorted((left, right), key=len)
    return len(long) - len(short) == 1 and short[at:] == long[at + 1 :]


def _judge(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        known = resembles(fact.subject)
        if known is not None:
            yield Hit(
                fact=fact,
                message=f"{fact.subject} is one slip away from {known}, a package that many look for",
                fix=f"write {known} if that is meant; if {fact.subject} is, waive this with the reason",
            )


RULES = (
    Rule(
        id="MLG-DEP-006",
        name="possible-typosquat",
        check=Check.DEPENDENCIES,
        severity=Severity.LOW,
        kinds=("dependency.required",),
        summary="A required name differs by one slip from that of a well-known package",
        what=(
            "A required package's name has one character more, less or other than the name of a package that "
            "machine-learning projects use, or two of its characters or its words swapped. Names of other "
            "packages that are known to be real are left in peace. Whether the package does harm is not "
            "looked at."
        ),
        why=(
            "Names next to those of popular packages are registered on purpose: whoever mistypes installs a "
            "stranger's code, which runs during the installation, next to data, models and credentials."
        ),
        fix=(
            "Compare the name with the project's own documentation. Where the slip is one, correct it and "
            "treat machines that installed it as compromised:\n\n"
            "```\npip uninstall reqeusts && pip install requests\n```\n\n"
            "Where the package is meant, waive the finding with a reason:\n\n"
            "```yaml\nwaivers:\n  - rule: MLG-DEP-006\n    path: requirements.txt\n"
            "    reason: our own package\n    expires: 2027-01-31\n```"
        ),
        references=("https://attack.mitre.org/techniques/T1195/002/", "https://arxiv.org/abs/2005.09535"),
        cwe=(1357, 829),
        atlas=("AML.T0010.001",),
        owasp=("ML06:2023", "LLM03:2025"),
        precision="medium",
        judge=_judge,
    ),
)
