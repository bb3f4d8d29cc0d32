"""Rules about programs inside model files."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _executable(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        where = f"This {fact.detail['container']} archive" if fact.detail["container"] else "This file"
        yield Hit(fact, f"{where} holds a {fact.subject} executable.")


RULES = (
    Rule(
        id="MLG-BIN-001",
        name="embedded-executable",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("payload.executable",),
        summary="A model holds a native executable",
        what=(
            "An ELF, PE or Mach-O file, checked by its headers and tables and not by four bytes alone, is a "
            "member of a model archive, or lies in a file that is not named like a program or a library."
        ),
        why="Weights need no program. One that travels with them is started by the next stage of an attack.",
        fix="Remove it. If the model needs a native library, ship that as a package, with its own review.",
        references=("https://atlas.mitre.org/techniques/AML.T0018.002",),
        cwe=(506,),
        atlas=("AML.T0018.002",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_executable,
    ),
)
