"""Rules about programs inside model files."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_COMPILE = (
    "Ship the exported program instead and compile it where it runs: "
    "`torch._inductor.aoti_compile_and_package(torch.export.load(path))`."
)


def _executable(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        where = f"This {fact.detail['container']} archive" if fact.detail["container"] else "This file"
        compiled = "data/aotinductor/" in (fact.location.member or "")
        yield Hit(fact, f"{where} holds a {fact.subject} executable.", fix=_COMPILE if compiled else None)


def _program(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, "This model is a program for several systems, with the weights inside it.")


def _gadget(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"Reading these Java objects makes a {fact.subject}, which acts while it is read.")


RULES = (
    Rule(
        id="MLG-BIN-004",
        name="java-object-acts",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("java.gadget",),
        summary="Java's serialization holds a class that calls, loads or connects while it is read",
        what=(
            "A stream of Java objects names a class that chains of gadgets are made of: transformers of "
            "commons-collections, compiled templates, scripts, remote references. Other streams of Java "
            "objects are not followed, and are not checked."
        ),
        why="`ObjectInputStream.readObject` runs the methods of such objects before anybody sees them.",
        fix="Do not read it. Ask for the model as PMML, ONNX or MOJO, which hold data alone.",
        references=("https://github.com/frohoff/ysoserial", "CVE-2015-7501"),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_gadget,
        precision="high",
    ),
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
    Rule(
        id="MLG-BIN-002",
        name="executable-model",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("llamafile.program",),
        summary="A model is a program",
        what=(
            "The file is a llamafile: native code for several systems and a shell script at once, with "
            "weights in a zip archive at its end. The archive's members were looked at; the program was not."
        ),
        why="Using the model is running whatever its publisher compiled into it.",
        fix=(
            "Take the GGUF file out (`unzip model.llamafile '*.gguf'`) and run it with a llama.cpp of your "
            "own."
        ),
        references=("https://github.com/Mozilla-Ocho/llamafile",),
        cwe=(829,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_program,
        precision="very-high",
    ),
)
