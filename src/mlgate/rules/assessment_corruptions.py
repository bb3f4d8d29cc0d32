"""Rules about models that do not bear what goes wrong with their input."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed, spoken

_FIX = (
    "Train with the same corruption (data augmentation), or catch it before the model: check ranges, "
    "units and missing values where the data comes in. The figure by severity is drawn in the HTML "
    "report. If that severity cannot occur, say so in the policy:\n\n"
    "```yaml\ncorruptions:\n  {}: {{severity: {}, max_drop: 0.05}}\n```"
)


def _brittle(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "corruptions"):
        detail = fact.detail
        corruption, _, severity = detail["part"].partition("/")
        message = (
            f"The model {detail['model']} does not bear the corruption {spoken(corruption)}, severity "
            f"{severity}, on {detail['data']} as the policy demands ({spoken(detail['name'])})."
        )
        lines = [evidence(detail), f"{spoken(corruption)}, severities 1 to 5: {detail['severities']}"]
        if "before" in detail:
            lines.append(
                f"{detail['before']:.3f} on the data as it is, {detail['after']:.3f} on the corrupted data"
            )
        milder = max(int(severity) - 1, 1) if severity.isdigit() else 1
        yield Hit(fact, message, evidence="\n".join(lines), fix=_FIX.format(corruption, milder))


RULES = (
    Rule(
        id="MLG-ASM-007",
        name="brittle-under-corruption",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="A model does not bear noise, blur, missing values or the like as the policy demands",
        what=(
            "The data was corrupted as it happens in use, at the severity that the policy names and with a "
            "seed, and the model was asked again. Its accuracy (in a regression, its error) fell further "
            "than `max_drop` allows, or below `min`. The drop is paired: both figures come from the same "
            "samples."
        ),
        why=(
            "Nobody attacks here: cameras are out of focus, sensors fail, a supplier sends inches for "
            "centimetres. A model that was only ever measured on clean data meets such input on its first "
            "day."
        ),
        fix=_FIX.format("gaussian_noise", 2),
        references=("arXiv:1903.12261",),
        cwe=(440, 1039),
        judge=_brittle,
        security=False,
        precision="high",
    ),
)
