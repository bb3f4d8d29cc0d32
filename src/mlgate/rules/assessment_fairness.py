"""Rules about models that treat groups more differently than the policy allows."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed, spoken

_MOST_LINES = 12


def _unequal(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "fairness"):
        detail = fact.detail
        message = (
            f"The model {detail['model']} treats the groups of {detail['group']} in {detail['data']} more "
            f"differently than the policy allows: {spoken(detail['name'])}."
        )
        lines = [evidence(detail)]
        for group, rates in detail["by_group"].items():
            told = ", ".join(f"{spoken(name)} {rate:.3f}" for name, rate in rates.items() if name != "n")
            lines.append(f"{group}: {told} (n={rates['n']})")
        yield Hit(fact, message, evidence="\n".join(lines[:_MOST_LINES]))


RULES = (
    Rule(
        id="MLG-ASM-006",
        name="unequal-treatment-of-groups",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model treats groups of people, or of cases, more differently than the policy allows",
        what=(
            "The model's answers were compared between the groups of `fairness.group`: how often each gets "
            "the favourable answer (demographic parity), how often those who should get it do (equal "
            "opportunity), and how often those who should not do as well (equalized odds). One of the "
            "figures does not keep to its bound. They are fairlearn's; the intervals are exact, "
            "with the error split over the groups."
        ),
        why=(
            "Such a model gives one group what it denies another. Where it decides about people that is "
            "often against the law, and it is learned from data without anyone meaning it. No test of the "
            "code notices."
        ),
        fix=(
            "Compare the rates of the groups in the evidence. If one group has few samples, or other "
            "labels, mend the data first. Otherwise weight or resample the training data, or choose a "
            "threshold by group (`fairlearn.postprocessing`). Not every measure of fairness can hold at "
            "once when base rates differ; bound the one that fits the decision:\n\n```yaml\nfairness: "
            "{group: sex, positive: approved, equalized_odds_difference: {max: 0.10}}\n```"
        ),
        references=(
            "arXiv:1610.02413",
            "arXiv:1609.05807",
            "https://fairlearn.org",
            "NIST AI RMF MEASURE 2.11",
        ),
        cwe=(440,),
        judge=_unequal,
        security=False,
        precision="high",
    ),
)
