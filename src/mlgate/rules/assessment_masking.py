"""Rules about robustness that only misled attacks show."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import failed


def _masked(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "robustness", "masked"):
        detail = fact.detail
        if detail.get("if_masked") == "undecided":
            continue  # the assessment itself says that nothing is decided
        message = (
            f"The model {detail['model']} hides its gradients from the attacks on {detail['data']}, so the "
            "robustness that they leave shows nothing."
        )
        lines = [
            f"robust accuracy {detail['value']:.3f} is what misled attacks left standing (n={detail['n']})",
            *(
                f"{sign['signal'].replace('_', ' ')}: {sign['value']:.2f} of {sign['n']} samples (limit "
                f"{sign['limit']:g}): {sign['meaning']}"
                for sign in detail.get("masking", ())
                if sign["raised"]
            ),
        ]
        severity = Severity.MEDIUM if detail.get("if_masked") == "warn" else None
        yield Hit(fact, message, severity=severity, evidence="\n".join(lines))


RULES = (
    Rule(
        id="MLG-ASM-004",
        name="masked-gradients",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        varies=True,
        kinds=("assessment.measurement",),
        summary="A model looks robust only because attacks that follow its gradients are misled",
        what=(
            "Too few samples were broken for the robust accuracy to fail, and there are signs that this is "
            "the attacks' failure and not the model's strength: gradients that are exactly zero, a loss that "
            "no step raises, scores that do not move as the gradient says, samples that withstand even "
            "changes without limit, or a search without gradients that beats the one with them. Each sign "
            "is in the report with its value and its limit. The finding is of medium severity where the "
            "policy says `masked: warn`."
        ),
        why=(
            "Rounding the input, scaling the scores until the softmax saturates, or an operator without a "
            "derivative stops an attacker who follows gradients, and nobody else: the same model falls to an "
            "attacker who goes round the obstacle. A figure from misled attacks would pass a fragile model."
        ),
        fix=(
            "Assess the model without what hides its gradients: export its scores before the softmax and "
            "without a scale, and leave rounding and other preprocessing out of the graph. Then run\n\n"
            "```sh\nmlgate assess NAME\n```\n\n"
            "again. If the signs are wrong about this model, let black-box attacks alone decide, or say what "
            "masking shall do:\n\n"
            "```yaml\nrobustness: {epsilon: 0.1, min_accuracy: 0.6, attacks: [square, uniform, rays]}\n"
            "robustness: {epsilon: 0.1, min_accuracy: 0.6, masked: undecided}\n```"
        ),
        references=("arXiv:1802.00420", "arXiv:1902.06705", "arXiv:2003.01690"),
        cwe=(1039,),
        atlas=("AML.T0015", "AML.T0043"),
        owasp=("ML01:2023",),
        judge=_masked,
        security=False,
        precision="high",
    ),
)
