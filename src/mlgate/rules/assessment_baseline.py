"""Rules about models that fall behind the one that they shall replace."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed


def _behind(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "baseline"):
        detail = fact.detail
        message = (
            f"The model {detail['model']} does worse on {detail['data']} than the baseline "
            f"{detail['baseline']}, by more than the policy allows."
        )
        lines = [evidence(detail), f"{detail['before']:.4f} before, {detail['after']:.4f} now"]
        if "mcnemar_p" in detail:
            lines.append(
                f"only the baseline is right on {detail['only_the_baseline_is_right']} samples, only this "
                f"model on {detail['only_this_model_is_right']}; chance alone does this or more with p = "
                f"{detail['mcnemar_p']:.3g} (McNemar)"
            )
        yield Hit(fact, message, evidence="\n".join(lines))


RULES = (
    Rule(
        id="MLG-ASM-008",
        name="worse-than-baseline",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model does worse than its baseline on the same data",
        what=(
            "Both models answered the same samples, each in a sandbox of its own, and the new one is less "
            "accurate (in a regression, has a larger error) by more than `baseline.max_drop`. The interval "
            "is paired, and McNemar's exact test says how easily chance alone does this."
        ),
        why=(
            "A change that keeps every absolute threshold can still take back what users already have. "
            "Against a fixed model on fixed data that shows before the merge."
        ),
        fix=(
            "Look at the samples that only the baseline gets right. If the drop is the price of something "
            "that matters more, say how much of it is acceptable:\n\n```yaml\nbaseline: {model: {path: "
            "models/last-release.onnx}, max_drop: 0.01}\n```\n\nA wide interval that reaches below the "
            "bound calls for more data, not for another model."
        ),
        references=("doi:10.1007/BF02295996",),
        cwe=(440,),
        judge=_behind,
        security=False,
        precision="high",
    ),
)
