"""Rules about the models of tree boosters and their like."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _booster(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "booster.pickle":
            yield Hit(fact, f"The attribute {fact.subject} of the model holds a pickle.")
        else:
            yield Hit(fact, f"The {fact.detail['format']} model is malformed: {fact.subject}.")


RULES = (
    Rule(
        id="MLG-GBT-001",
        name="malformed-tree-model",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("booster.malformed", "booster.pickle"),
        summary="A tree model is malformed, or carries a pickle",
        what=(
            "A model of XGBoost, LightGBM, CatBoost or CRFsuite whose trees have children outside "
            "themselves, whose sizes or offsets lead out of the file, or whose attributes hold a pickle. "
            "The pickle itself is judged as one."
        ),
        why=(
            "Native loaders follow these numbers without asking: a child that lies elsewhere is a read, "
            "or a write, outside the model's memory."
        ),
        fix=(
            "Fetch the model again, or train it anew and save it with the library's own method, for "
            'example\n\n```python\nbooster.save_model("model.ubj")\n```'
        ),
        references=("https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",),
        cwe=(125, 787, 502),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_booster,
        precision="high",
    ),
)
