"""Rules about models that are flatbuffers: TensorFlow Lite, ExecuTorch, PyTorch mobile, ONNX Runtime."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mlgate.core import toml_table
from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_OWASP = ("ML06:2023", "LLM03:2025")
_TORCH = frozenset({"executorch", "torch-mobile"})

_FLEX = "Flex"
_PYTHON = ("PyFunc", "EagerPyFunc")


def _custom(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        kernel = fact.subject.removeprefix(_FLEX)
        if not fact.subject.startswith(_FLEX):
            if fact.subject not in _known():
                yield Hit(fact, f"The model needs the custom operator {fact.subject or 'without a name'}.")
        elif kernel in _reaching() or kernel.startswith(_PYTHON):
            does = _reaching().get(kernel, "calls a Python function")
            # What a kernel is given is in the model's tensors, which nobody reads here.
            severity = Severity.MEDIUM if kernel.startswith("Print") else Severity.HIGH
            yield Hit(fact, f"The model runs TensorFlow's {kernel}, which {does}.", severity=severity)
        else:
            message = f"The model runs TensorFlow's {kernel} through the Flex delegate."
            yield Hit(fact, message, severity=Severity.INFO, fix=_FLEX_FIX)


@cache
def _known() -> frozenset[str]:
    return frozenset(_data("tflite")["known"])


@cache
def _reaching() -> Mapping[str, str]:
    """Return what kernels of TensorFlow do besides computing."""
    categories = _data("tensorflow").values()
    return {name: each["does"] for each in categories if "severity" in each for name in each["ops"]}


def _data(name: str) -> dict[str, Any]:
    return toml_table.read(Path(__file__).parent / "data" / f"{name}.toml")


def _mobile_bounds(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    yield from (_bounds(fact) for fact in facts if fact.detail["format"] in _TORCH)


def _lite_bounds(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    yield from (_bounds(fact) for fact in facts if fact.detail["format"] not in _TORCH)


def _bounds(fact: Fact) -> Hit:
    return Hit(fact, f"This {fact.detail['format']} file leads its reader out of bounds: {fact.subject}.")


_FLEX_FIX = "Nothing, where you expect it: such a model needs TensorFlow's kernels beside the interpreter."

_BOUNDS = (
    "Every table, vector, text, index and range that the schema knows is followed and held against the "
    "file's size and against what it counts. One leads out: the file is cut off, or was built so."
)
_BOUNDS_WHY = (
    "Most runtimes trust these numbers, because checking is slow. They read, and write, memory that is "
    "not the model's: the way from a file to code."
)

RULES = (
    Rule(
        id="MLG-TFL-001",
        name="custom-tflite-operator",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("tflite.custom",),
        summary="A TensorFlow Lite model needs an operator that does not come with the runtime",
        what=(
            "The model names a custom operator that is none of those of TensorFlow Lite, MediaPipe and the "
            "microcontroller runtimes. Operators of TensorFlow that run through the Flex delegate are "
            "mentioned; those that reach files, other machines or Python are of high severity."
        ),
        why=(
            "Somebody has to supply a custom operator, as native code; whoever takes model and library from "
            "one place runs what is in it. TensorFlow's own kernels can read and write files."
        ),
        fix=(
            "Use builtin operators: convert again with "
            "`converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]`. Where the operator "
            "is your own, waive this with the library's name."
        ),
        references=("https://www.tensorflow.org/lite/guide/ops_custom",),
        cwe=(829,),
        atlas=("AML.T0010.001",),
        owasp=_OWASP,
        judge=_custom,
    ),
    Rule(
        id="MLG-TFL-002",
        name="flatbuffer-out-of-bounds",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("flatbuffer.bounds",),
        summary="A TensorFlow Lite or ONNX Runtime model leads its reader out of the file",
        what=_BOUNDS,
        why=_BOUNDS_WHY,
        fix="Do not load it. Fetch the file again and compare its hash, or convert it again from its source.",
        references=("CVE-2022-23558", "CVE-2022-23559", "CVE-2020-15209", "CVE-2020-15211"),
        cwe=(125, 787),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_lite_bounds,
    ),
    Rule(
        id="MLG-TOR-005",
        name="mobile-torch-out-of-bounds",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("flatbuffer.bounds",),
        summary="An ExecuTorch or PyTorch mobile model leads its reader out of the file",
        what=_BOUNDS,
        why=_BOUNDS_WHY,
        fix="Do not load it. Fetch the file again and compare its hash, or export it again from its source.",
        references=("CVE-2025-54949", "CVE-2025-54950", "CVE-2025-54951", "CVE-2025-54952"),
        cwe=(125, 787),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_mobile_bounds,
    ),
)
