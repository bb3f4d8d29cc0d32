"""Rules about GGUF files that contradict themselves. What their templates do is judged with templates."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_FORMAT = "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"
_FIX = (
    "Do not load the file. Fetch it again from its author and compare the checksums, or convert the "
    "original weights anew:\n\n```sh\npython convert_hf_to_gguf.py --outfile model.gguf path/to/model\n```"
)
_ATLAS = ("AML.T0011.000",)
_OWASP = ("ML06:2023", "LLM03:2025")


def _bounds(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The GGUF file contradicts itself at {fact.subject}: {fact.detail['problem']}.")


def _type(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        problem = fact.detail["problem"]
        yield Hit(fact, f"The value of {fact.subject} is not what loaders take it for: {problem}.")


RULES = (
    Rule(
        id="MLG-GGF-003",
        name="gguf-out-of-bounds",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("gguf.bounds",),
        summary="A GGUF header has counts, lengths or places that cannot be true",
        what=(
            "A count or length that no file has, dimensions that overflow, tensors that overlap, are not "
            "aligned or lie beyond the end of the file, an alignment that is no power of two, or a key or "
            "tensor that is there twice. A download that was cut off looks the same."
        ),
        why=(
            "Loaders in C and C++ have allocated too little and read or written beyond it, in each case: "
            "from a crash to the memory of a server in a tensor to code that runs."
        ),
        fix=_FIX,
        references=(
            _FORMAT,
            "CVE-2024-21802",
            "CVE-2024-23605",
            "CVE-2025-53630",
            "CVE-2026-27940",
            "CVE-2026-33298",
            "CVE-2026-7482",
        ),
        cwe=(190, 787, 125),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_bounds,
        precision="very-high",
    ),
    Rule(
        id="MLG-GGF-004",
        name="gguf-type-confusion",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("gguf.type",),
        summary="A GGUF value is of another type than its loaders take it for",
        what=(
            "A well-known key has a list where a value belongs or the reverse, items of another type, or "
            "fewer items than the vocabulary that it describes: `tokenizer.ggml.scores` that are no 32-bit "
            "floats, a chat template inside a list."
        ),
        why=(
            "Loaders read such values as raw memory without asking for the type, and scanners that look only "
            "at plain texts miss a template in a list."
        ),
        fix=_FIX,
        references=(_FORMAT, "CVE-2024-34359"),
        cwe=(843, 125),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_type,
    ),
)
