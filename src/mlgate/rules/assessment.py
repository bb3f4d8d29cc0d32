"""Rules about measured models: too often wrong, too easily fooled, or not the model that was meant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed, spoken


def _inaccurate(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "performance"):
        detail = fact.detail
        message = (
            f"The {spoken(detail['name'])} of the model {detail['model']} on {detail['data']} is "
            f"{'below' if detail['limit'] == 'min' else 'above'} what the policy demands."
        )
        yield Hit(fact, message, evidence=evidence(detail))


def _fragile(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "robustness"):
        detail = fact.detail
        # After a verification, nothing is left for the attacks to do.
        made = {name: tally for name, tally in detail["attacks"].items() if tally["attacked"]}
        names = ", ".join(made or detail["attacks"])
        message = (
            f"The model {detail['model']} withstands the attacks on {detail['data']} ({names}) "
            "less often than the policy demands."
        )
        lines = [
            evidence(detail),
            f"norm {detail['norm']}, epsilon {detail['epsilon']:g}, {detail['bound']}",
            *([] if _ranged(detail) else ["the policy names no data.range, so none was kept to"]),
            *(
                f"{name}: {tally['broken']} of {tally['attacked']} samples broken, {tally['queries']} queries"
                for name, tally in made.items()
            ),
        ]
        yield Hit(fact, message, evidence="\n".join(lines))


def _ranged(detail: Mapping[str, Any]) -> bool:
    return bool(detail["clipped_to"] or detail.get("constraints", {}).get("ranged"))


def _swapped(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        detail = fact.detail
        if detail["expected"] != detail["found"]:
            message = (
                f"The {detail['which']} file {detail['file']} is not the one whose SHA-256 the policy names."
            )
            yield Hit(fact, message, evidence=f"expected {detail['expected']}\nfound    {detail['found']}")


RULES = (
    Rule(
        id="MLG-ASM-001",
        name="performance-below-threshold",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model does worse on clean data than the policy demands",
        what=(
            "The model was run in a sandbox on the data that the policy names, and a figure of `performance` "
            "does not keep to its bound. The comparison uses the measured figure itself; the interval "
            "beside it says how far chance could move it."
        ),
        why=(
            "Whoever uses the model relies on the accuracy that the team promised. A change to training, "
            "data or export can lower it without any test of the code noticing."
        ),
        fix=(
            "Find out what changed: the model, the data, or the order of classes. An accuracy near chance "
            "usually means that labels and score columns are numbered differently, or that features are "
            "scaled differently from training. Run the assessment alone with\n\n"
            "```sh\nmlgate assess NAME\n```\n\n"
            "and lower the minimum only if the lower accuracy is acceptable to those who use the model."
        ),
        references=("Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404",),
        cwe=(440,),
        judge=_inaccurate,
        security=False,
        precision="very-high",
    ),
    Rule(
        id="MLG-ASM-002",
        name="robustness-below-threshold",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model is fooled by small changes of its input more often than the policy allows",
        what=(
            "Each sample was attacked: changed by at most `robustness.epsilon`, within `data.range`, until "
            "the model got it wrong or the queries were spent. The share of samples that withstood lies "
            "below `robustness.min_accuracy`, with the confidence that the policy asks for: the whole "
            "interval lies below it. Every success was checked again outside the attack."
        ),
        why=(
            "An attacker who can change the input a little decides what the model answers. What attacks "
            "leave standing is an upper bound: a stronger attacker does better. Where the model gave no "
            "gradients, the attacks saw its scores only, and the report says so."
        ),
        fix=(
            "Train against such changes (adversarial training at the same epsilon), or take the model out "
            "of the attacker's reach. If the epsilon is larger than any change that an attacker could "
            "make, correct it in the policy:\n\n"
            "```yaml\nrobustness: {norm: linf, epsilon: 0.03, min_accuracy: 0.6}\n```\n\n"
            "Noise, rounding or other preprocessing in front of the model hides the weakness from some "
            "attacks and not from better ones."
        ),
        references=(
            "arXiv:1706.06083",
            "arXiv:2003.01690",
            "arXiv:1912.00049",
            "https://atlas.mitre.org/techniques/AML.T0015",
        ),
        cwe=(1039,),
        atlas=("AML.T0015", "AML.T0043"),
        owasp=("ML01:2023",),
        judge=_fragile,
        security=False,
        precision="high",
    ),
    Rule(
        id="MLG-ASM-003",
        name="assessed-file-digest-mismatch",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.digest",),
        summary="The model or the data of an assessment is not the file that the policy names",
        what=(
            "The policy names a SHA-256 for the model or the data of an assessment, and the file has another "
            "one. Nothing was loaded, so there are no figures either."
        ),
        why=(
            "The figures of an assessment hold for one model on one set of data. Somebody who can swap "
            "either without touching the policy can pass the gate with another model, or with easier data."
        ),
        fix=(
            "If the new file is the intended one, put its digest into the policy, for a reviewer to see:\n\n"
            "```sh\nsha256sum models/model.onnx\n```\n\n"
            "Otherwise restore the file."
        ),
        references=("CWE-353", "CWE-494"),
        cwe=(353, 494),
        atlas=("AML.T0010.003", "AML.T0058"),
        owasp=("ML06:2023", "ML10:2023"),
        judge=_swapped,
        precision="very-high",
    ),
)
