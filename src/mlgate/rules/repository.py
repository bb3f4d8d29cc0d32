"""Rules about the repository around the models."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _symlink(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(
            fact,
            f"The symbolic link {fact.subject} leads out of the repository.",
            evidence=f"-> {fact.detail['target']}",
        )


RULES = (
    Rule(
        id="MLG-REP-002",
        name="symlink-escapes",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("repository.symlink",),
        summary="A symbolic link leaves the repository",
        what="The link's target, resolved without following it, lies outside the root, or in a circle.",
        why=(
            "What is loaded through it is not what is in the repository: it differs from machine to machine, "
            "was not looked at, and can be a file that should stay where it is."
        ),
        fix=(
            "Put the file itself into the repository (with Git LFS where it is large), or remove "
            "the link:\n\n```sh\ngit rm LINK\n```"
        ),
        references=("https://cwe.mitre.org/data/definitions/59.html",),
        cwe=(59,),
        atlas=("AML.T0010.003",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_symlink,
        precision="very-high",
    ),
)
