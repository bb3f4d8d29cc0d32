"""Rules about ONNX models: the files and operators that they take from elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_OWASP = ("ML06:2023", "LLM03:2025")


def _external(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "onnx.external-link":
            yield Hit(
                fact, f"Tensor data is read from {fact.subject}, behind a link that leaves the repository."
            )
        elif fact.detail["escape"] is not None:
            yield Hit(fact, f"Tensor data is read from {fact.subject}, outside the model's folder.")


def _domain(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The model uses operators of the domain {fact.subject}.")


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
            "symbolic link that leaves the repository. Subgraphs, functions, sparse tensors and training "
            "graphs are looked at. A file beside the model is ordinary."
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
        kinds=("onnx.domain",),
        summary="An ONNX model uses operators that do not come with the standard",
        what="Nodes name a domain other than the standard ones, which the model does not define itself.",
        why=(
            "The runtime needs a library for them, which is native code. Many honest models have "
            "such operators."
        ),
        fix="Nothing, where you know the library that provides them.",
        references=("https://onnx.ai/onnx/repo-docs/IR.html",),
        cwe=(829,),
        atlas=("AML.T0010.001",),
        owasp=_OWASP,
        judge=_domain,
    ),
)
