"""Rules about PyTorch's containers."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _legacy(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"This checkpoint is in PyTorch's old {fact.subject} format.")


def _impossible(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    records: dict[tuple[str, str], dict[str, int]] = {}
    for fact in facts:
        if fact.kind == "torch.records":
            records[fact.location.path, fact.location.member or ""] = fact.detail["sizes"]
    for fact in facts:
        if fact.kind == "pickle.impossible-tensor":
            unread = fact.subject == "numbers that cannot be read"
            message = f"The pickle rebuilds a tensor that cannot exist: {fact.subject}."
            yield Hit(
                fact, message, severity=Severity.MEDIUM if unread else None, evidence=fact.detail["text"]
            )
        elif fact.kind == "pickle.fill" and not fact.detail["via"].startswith("BUILD"):
            # Below the checks of weights_only this writes through the tensor's own __setitem__.
            tensor = fact.subject.startswith("torch._utils._rebuild_") or fact.detail["how"] == "persistent"
            if tensor:
                message = "The pickle puts items into a tensor or a storage, as into a dict or a list."
                yield Hit(fact, message, evidence=fact.detail["text"])
        elif fact.kind == "pickle.storages":
            short = _short(fact, records)
            if short is not None:
                yield Hit(fact, "The pickle declares more numbers than its archive holds.", evidence=short)


def _short(fact: Fact, records: dict[tuple[str, str], dict[str, int]]) -> str | None:
    """Name the first storage that is larger than the record that holds it."""
    outer, inside, entry = (fact.location.member or "").rpartition("!/")
    sizes = records.get((fact.location.path, outer if inside else ""), {})
    folder = entry.removesuffix(".pkl")
    for key, declared in fact.detail["sizes"].items():
        held = sizes.get(f"{folder}/{key}")
        if held is not None and declared > held:
            return f"{folder}/{key}: {declared} bytes declared, {held} there"
    return None


RULES = (
    Rule(
        id="MLG-TOR-003",
        name="impossible-tensor",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("pickle.impossible-tensor", "pickle.fill", "pickle.storages", "torch.records"),
        varies=True,
        summary="A checkpoint describes a tensor that cannot exist",
        what=(
            "A tensor is rebuilt with a size, stride or offset that its storage does not have: beyond its "
            "end, negative, or so large that the sum overflows. Or a storage is declared larger than its "
            "record, or the parts of a sparse tensor do not fit each other, or items are put into a tensor "
            "as into a dict."
        ),
        why=(
            "Every tensor that was ever saved fits its storage. PyTorch releases without a check of their "
            "own read or write foreign memory here, `weights_only=True` or not."
        ),
        fix=(
            "Do not load this file. Fetch it again and compare its SHA-256 with the publisher's; ask for "
            "safetensors, where sizes are checked. If you must read it, use PyTorch 2.10 or newer."
        ),
        references=("CVE-2026-24747",),
        cwe=(125, 787, 190),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_impossible,
    ),
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
