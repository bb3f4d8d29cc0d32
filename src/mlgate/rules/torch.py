"""Rules about PyTorch's containers."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _legacy(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"This checkpoint is in PyTorch's old {fact.subject} format.")


RULES = (
    Rule(
        id="MLG-TOR-002",
        name="legacy-torch-container",
        check=Check.MODELS,
        severity=Severity.LOW,
        kinds=("torch.legacy",),
        summary="A checkpoint is in a format from before PyTorch 0.4",
        what=(
            "The file is a tar archive with the members that `torch.save` wrote in PyTorch's first versions."
        ),
        why=(
            "Before PyTorch 2.6, `torch.load(..., weights_only=True)` did not protect against such a file. "
            "An old file is no attack; its pickles were judged like any others."
        ),
        fix=(
            "Convert it once, with PyTorch 2.6 or newer:\n\n```python\nstate = torch.load(path, "
            'weights_only=True)\nsafetensors.torch.save_file(state, "model.safetensors")\n```'
        ),
        references=("CVE-2025-32434", "GHSA-53q9-r3pm-6pq6"),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_legacy,
    ),
)
