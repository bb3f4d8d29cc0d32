"""Rules about parts of the data on which a model does worse than the policy demands."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed, spoken


def _neglected(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "subgroups"):
        detail = fact.detail
        message = (
            f"The {spoken(detail['name'])} of the model {detail['model']} on {detail['data']}, where "
            f"{detail['part']}, is {'below' if detail['limit'] == 'min' else 'above'} what the policy "
            "demands of every subgroup."
        )
        lines = [evidence(detail), f"one of {detail['comparisons']} groups compared"]
        yield Hit(fact, message, evidence="\n".join(lines))


RULES = (
    Rule(
        id="MLG-ASM-005",
        name="subgroup-below-threshold",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model does worse on a part of the data than the policy demands of every part",
        what=(
            "The samples were divided by the columns of `subgroups.by`, and in one group a figure does not "
            "keep to its bound. The comparison uses the figure itself; its interval says how far chance "
            "could move it, and among many groups one interval may miss by chance. Groups smaller than "
            "`subgroups.min_samples` are not judged, and said not to be."
        ),
        why=(
            "A good average hides a bad part: a model can be right 97 times in 100 and wrong for most of the "
            "night images, or most of the patients of one clinic. Those who belong to that part meet a model "
            "that nobody measured."
        ),
        fix=(
            "Look at the group's samples first: few of them, or labels that mean something else there, "
            "explain many such gaps. Then add training data of that group, or weight it. If the interval is "
            "wide, add evaluation data:\n\n```yaml\nsubgroups: {by: [site], accuracy: {min: 0.85}, "
            "min_samples: 50}\n```"
        ),
        references=("arXiv:1905.11361", "NIST AI RMF MEASURE 2.11"),
        cwe=(440,),
        judge=_neglected,
        security=False,
        precision="high",
    ),
)
