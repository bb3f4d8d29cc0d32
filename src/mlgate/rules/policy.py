"""Rules about the policy: what a change to it would let through."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _loosened(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        known = fact.detail["effect"] == "loosened"
        verb = "loosens the policy" if known else "changes the policy, which may loosen it"
        yield Hit(
            fact,
            f"This change {verb}: {fact.subject}.",
            severity=Severity.MEDIUM if known else Severity.LOW,
            evidence=f"{fact.subject}: {fact.detail['words']}\njudged by the policy at {fact.detail['ref']}",
        )


RULES = (
    Rule(
        id="MLG-POL-001",
        name="policy-loosened",
        check=Check.POLICY,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("policy.changed",),
        summary="A change loosens the policy that it would be judged by",
        what=(
            "With `--policy-ref`, the policy judges as it is at that commit. Where the policy of this "
            "change lets more through (a higher threshold, a waiver, a path left out, a smaller epsilon, "
            "an entry of the baseline), each difference is a finding. One whose direction is not known "
            "has the severity low."
        ),
        why=(
            "A pull request can edit its own policy. Once it is merged, what it loosened holds for every "
            "change after it, so a person should have agreed to it."
        ),
        fix=(
            "Have the owner of the policy look at each difference; nothing else in this run was judged "
            "by it:\n\n```sh\nmlgate policy diff origin/main\n```\n\n"
            "Loosen the policy in a pull request of its own, where nothing hides it."
        ),
        references=("https://owasp.org/www-project-top-10-ci-cd-security-risks/",),
        cwe=(693,),
        atlas=("AML.T0010.003",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_loosened,
        precision="very-high",
    ),
)
