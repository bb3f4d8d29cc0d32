"""Rules about safetensors files that break their own format."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_FORMAT = "https://huggingface.co/docs/safetensors#format"
_FIX = (
    "Do not use the file. Write it again with the library:\n\n```python\n"
    'safetensors.torch.save_file(tensors, "model.safetensors")\n```'
)
_ATLAS = ("AML.T0011.000",)
_OWASP = ("ML06:2023", "LLM03:2025")


def _header(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The safetensors header breaks the format: {fact.subject}.")


def _offsets(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["how"] == "remainder":
            yield Hit(fact, "There are bytes behind the tensors that no tensor covers.")
        elif fact.detail["how"] == "beyond":
            yield Hit(fact, "A tensor claims to lie where no file reaches.")
        else:
            yield Hit(fact, f"The data of {fact.subject} leaves a gap or overlaps ({fact.detail['how']}).")


def _shape(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The tensor {fact.subject} contradicts itself: {fact.detail['problem']}.")


RULES = (
    Rule(
        id="MLG-SFT-001",
        name="malformed-safetensors-header",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("safetensors.header",),
        summary="A safetensors header breaks the format",
        what=(
            "The header is longer than 100 MB, no flat JSON object of tensors and text, has a key twice, or "
            "is followed by something."
        ),
        why="The reference reader refuses it; readers that do not may each see other tensors in it.",
        fix=_FIX,
        references=(_FORMAT,),
        cwe=(20, 436),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_header,
        precision="very-high",
    ),
    Rule(
        id="MLG-SFT-002",
        name="safetensors-data-not-covered",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("safetensors.offsets",),
        summary="A safetensors file's tensors overlap, or leave bytes uncovered",
        what="The tensors must cover the data exactly, in one piece, each byte once. Here they do not.",
        why="Uncovered bytes can hold anything, and a file that is also something else needs them.",
        fix=_FIX,
        references=(_FORMAT,),
        cwe=(20, 436),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_offsets,
        precision="very-high",
    ),
    Rule(
        id="MLG-SFT-003",
        name="safetensors-shape-mismatch",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("safetensors.shape",),
        summary="A tensor's shape and its bytes disagree",
        what=(
            "Shape times element size is not the number of bytes that the tensor has, or the "
            "dtype is unknown."
        ),
        why="A reader that trusts the shape reads beyond the tensor.",
        fix=_FIX,
        references=(_FORMAT,),
        cwe=(131, 20),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_shape,
    ),
)
