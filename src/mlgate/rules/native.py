"""Rules about models that have their runtime load code, or files from elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_OWASP = ("ML06:2023", "LLM03:2025")


def _code(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        what = fact.detail["what"]
        if fact.kind == "native.module":
            # A name that is none is pasted into the statement that imports it.
            plain = fact.detail.get("plain", True)
            yield Hit(
                fact,
                f"A {what} imports {fact.subject} and runs it."
                if plain
                else f"A {what} has text executed as Python: {fact.subject}.",
                severity=Severity.HIGH if plain else Severity.CRITICAL,
                evidence=fact.detail.get("arguments") or None,
            )
        elif fact.kind == "native.library":
            yield Hit(fact, f"A {what} loads the library {fact.subject}.", severity=Severity.HIGH)
        elif fact.kind == "native.function":
            yield Hit(fact, f"The {what} {fact.subject} calls a Python function of the process.")
        else:
            yield Hit(fact, f"A {what} needs the class {fact.subject} of the program.", severity=Severity.LOW)


def _path(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"A part of the model is read from {fact.subject}, outside its folder.")


def _name(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"An operator has a name that no operator has: {fact.subject}.")


RULES = (
    Rule(
        id="MLG-NAT-001",
        name="runtime-loads-code",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("native.class", "native.function", "native.module", "native.library"),
        summary="A model has its runtime run code that is not in the model",
        what=(
            "Caffe's Python layers and CNTK's user functions name a module to import or a library to load "
            "(high; critical where CNTK would execute what is no name). MXNet's custom operators and "
            "Paddle's `py_func` call Python of the process (medium). Core ML's custom layers and models need "
            "a class that the program brings along (low)."
        ),
        why=(
            "Which code runs is decided by a name in the file: whoever writes the model chooses among all "
            "modules and libraries that are within reach, and can put one beside it."
        ),
        fix=(
            "Export the model without custom layers, for example to ONNX with "
            "`torch.onnx.export(model, args, path, dynamo=True)`. Where the layer is needed, review and pin "
            "the code that implements it, and waive this finding."
        ),
        references=(
            "https://apple.github.io/coremltools/mlmodel/Format/NeuralNetwork.html#customlayerparams",
            "https://github.com/BVLC/caffe/blob/master/include/caffe/layers/python_layer.hpp",
        ),
        cwe=(829, 470),
        atlas=("AML.T0011.000", "AML.T0018.002"),
        owasp=_OWASP,
        judge=_code,
    ),
    Rule(
        id="MLG-NAT-002",
        name="model-part-outside-folder",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("native.path",),
        summary="A model reads a part of itself from outside its folder",
        what=(
            "The path of weights, of a linked model or of a package's item is absolute or climbs out with "
            "`..`. Parts beside the model are ordinary."
        ),
        why="Whoever loads the model reads a file of the machine that its author chose.",
        fix="Save the model again with the framework's own exporter: all parts then lie in one folder.",
        references=("https://apple.github.io/coremltools/mlmodel/Format/MIL.html",),
        cwe=(22,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_path,
        precision="very-high",
    ),
    Rule(
        id="MLG-NAT-003",
        name="overlong-operator-name",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("native.name",),
        summary="An operator in an MXNet graph has a name of more than a thousand characters",
        what="The name or type of a node in `-symbol.json` is longer than 1,000 characters.",
        why=(
            "MXNet before 1.9.1 matches names with a regular expression that such a name keeps busy without "
            "end when the model is loaded."
        ),
        fix="Use MXNet 1.9.1, and export the graph again with `net.export(path)`.",
        references=("CVE-2022-24294",),
        cwe=(1333,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_name,
    ),
)
