"""Rules about ONNX models: the files and operators that they take from elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables

# Stands for names beyond those that were kept.
_MORE = "*"
_OWASP = ("ML06:2023", "LLM03:2025")


def _external(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "onnx.external-link":
            yield Hit(
                fact, f"Tensor data is read from {fact.subject}, behind a link that leaves the repository."
            )
        elif fact.detail["escape"] == "memory":
            yield Hit(fact, "Tensor data is said to be at an address in the memory of the process.")
        elif fact.detail["escape"] is not None:
            yield Hit(fact, f"Tensor data is read from {fact.subject}, outside the model's folder.")


def _domain(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "onnx.python":
            named = _dangerous(fact.detail["names"])
            what = named or "a function of Python or PyTorch by its name"
            yield Hit(
                fact,
                f"The operator {fact.subject} calls {what}.",
                severity=Severity.HIGH if named else Severity.MEDIUM,
            )
        elif fact.kind == "onnx.service":
            yield Hit(
                fact, f"The operator {fact.subject} sends its input to a service.", severity=Severity.MEDIUM
            )
        else:
            yield Hit(fact, f"The model uses operators of the domain {fact.subject}.")


def _dangerous(names: Sequence[str]) -> str | None:
    """Return the function that runs code among those that texts name, one by one or as module and name."""
    pairs = sorted(permutations(names, 2), key=lambda pair: pair[0] not in sys.stdlib_module_names)
    for name in (*names, *map(".".join, pairs)):
        if "." in name and _callables.danger(name) in ("executes", "code", "resolves", "loads"):
            return name
    return "one of too many functions" if _MORE in names else None


def _damage(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(
            fact,
            f"{fact.subject[:1].upper()}{fact.subject[1:]}.",
            severity=Severity.HIGH if fact.detail["grave"] else Severity.MEDIUM,
        )


RULES = (
    Rule(
        id="MLG-ONX-001",
        name="onnx-external-data-escapes",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        kinds=("onnx.external", "onnx.external-link"),
        summary="An ONNX model reads tensor data from outside its folder",
        what=(
            "The `location` of a tensor's external data is absolute, climbs out with `..`, or lies behind a "
            "symbolic link that leaves the repository, or is one of the tags that onnxruntime takes for an "
            "address in memory. Subgraphs, functions, sparse tensors, training graphs and the contexts of "
            "compilers are looked at. A file beside the model is ordinary."
        ),
        why=(
            "Whoever loads the model reads, and whoever saves it again overwrites, a file of the machine: "
            "credentials end up in weights."
        ),
        fix=(
            "Put the data beside the model and save it again:\n\n```python\nonnx.save(model, "
            '"model.onnx", save_as_external_data=True, location="model.onnx.data")\n```'
        ),
        references=("CVE-2022-25882", "CVE-2024-27318", "CVE-2024-5187", "CVE-2025-51480"),
        cwe=(22, 59),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_external,
        precision="very-high",
    ),
    Rule(
        id="MLG-ONX-002",
        name="onnx-custom-domain",
        check=Check.MODELS,
        severity=Severity.INFO,
        varies=True,
        kinds=("onnx.domain", "onnx.python", "onnx.service"),
        summary="An ONNX model uses operators that do not come with the standard",
        what=(
            "Nodes name a domain other than the standard ones, which the model does not define itself. "
            "Operators that call Python (`PyOp`, `PythonOp`) or any operator of PyTorch (`ATen`) by a name "
            "in the model are medium (high where it is one that runs code), as are those that send their "
            "input to a service."
        ),
        why=(
            "The runtime needs a library for them, which is native code, or runs a function that the model "
            "chose. Many honest models have operators of their vendors."
        ),
        fix=(
            "Nothing, where you know the library that provides them. Export the model again without Python "
            "operators, with `torch.onnx.export(..., dynamo=True)`."
        ),
        references=("https://onnx.ai/onnx/repo-docs/IR.html",),
        cwe=(829,),
        atlas=("AML.T0010.001",),
        owasp=_OWASP,
        judge=_domain,
    ),
    Rule(
        id="MLG-ONX-004",
        name="onnx-damaged-tensor",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("onnx.damage",),
        summary="Sizes in an ONNX model make no sense",
        what=(
            "A tensor's shape is negative or overflows, its external data has an offset or length that is "
            "no size, or messages are nested deeper than parsers read (high); or its bytes are more or "
            "fewer than its shape says (medium)."
        ),
        why="No exporter writes such a thing. A runtime that trusts it reads or writes past its buffers.",
        fix="Export the model again, and compare: `onnx.checker.check_model(path, full_check=True)`.",
        references=("https://onnx.ai/onnx/repo-docs/IR.html",),
        cwe=(190, 125, 674),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_damage,
    ),
)
