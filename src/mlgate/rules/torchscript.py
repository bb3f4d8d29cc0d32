"""Rules about TorchScript: what its code and its bytecode name."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

# What preprocessing in a model may do; writing and calling out are another matter.
_MILD = frozenset({"reads a file"})
_ESCAPES = {
    "alias": "hands the namespace {} on, under which any operator can be called",
    "builtin": "calls Python's {}",
    "dunder": "reaches for {}",
    "import": "imports {}",
    "module": "reaches into the Python module {}",
    "python": "calls the Python function {}",
}


def _code(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "torchscript.namespace":
            message = f"The model uses operators of {fact.subject}, a namespace from elsewhere."
            yield Hit(fact, message, severity=Severity.INFO, fix=_NAMESPACE)
        elif fact.kind == "torchscript.operator":
            effect = fact.detail["effect"]
            severity = Severity.MEDIUM if effect in _MILD else None
            yield Hit(fact, f"The model's code uses {fact.subject}, which {effect}.", severity=severity)
        else:
            does = _ESCAPES[fact.detail["how"]].format(fact.subject)
            yield Hit(fact, f"The model's code {does}.")


_NAMESPACE = "Nothing, where you know the library that provides these operators: it is native code."

RULES = (
    Rule(
        id="MLG-TOR-001",
        name="unsafe-torchscript",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("torchscript.operator", "torchscript.escape", "torchscript.namespace"),
        summary="TorchScript uses an operator that does more than compute",
        what=(
            "The source or the bytecode of a TorchScript archive names an operator that opens or writes "
            "files, calls other machines or Python, or something that no exporter writes: an import, a "
            "namespace under another name, an attribute of Python's machinery. Reading a file is of medium "
            "severity. Operators of namespaces that PyTorch does not have are mentioned."
        ),
        why=(
            "`torch.jit.load` compiles this source and the model runs it, with the rights of whoever loads "
            "it: `aten::save` alone writes any file."
        ),
        fix=(
            "Read the code (`torch.jit.load(path).code`, in a sandbox), remove the operator from the module "
            "and export it again; or ship weights as safetensors and keep the code in the repository."
        ),
        references=("CVE-2022-45907", "https://pytorch.org/docs/stable/jit_builtin_functions.html"),
        cwe=(94, 73),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_code,
    ),
)
