"""Rules about exported programs of PyTorch (``.pt2``)."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._globals import category, ordinary, split

_OWASP = ("ML06:2023", "LLM03:2025")
# Members that torch.export.load unpickles: first with a list of safe names, then without.
_UNPICKLED = ("data/sample_inputs/", "data/weights/", "data/constants/", "serialized_")
_ARCHIVE = "torch-export.archive"
_FORMS = {
    "python": ("calls {}, which is none of PyTorch's operators", Severity.HIGH),
    "operator": ("calls {}, which is more than arithmetic", Severity.HIGH),
    "import": ("has {} imported, to describe its inputs", Severity.MEDIUM),
    "extension": ("calls {}, an operator that a library has to register", Severity.INFO),
}


def _fallback(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    homes = {_home(fact) for fact in facts if fact.kind == _ARCHIVE}
    seen = set()
    for fact in facts:
        member = fact.location.member or ""
        home = next((home for path, home in homes if _within(fact, path, home)), None)
        if fact.kind == _ARCHIVE or home is None or fact.subject in policy.models.allow_globals:
            continue
        module, name = split(fact.subject)
        grave = category(module, name) is not None
        if (not grave and ordinary(module, name)) or (fact.location.path, member, fact.subject) in seen:
            continue
        seen.add((fact.location.path, member, fact.subject))
        yield Hit(
            fact,
            f"torch.export.load falls back to unprotected unpickling for {fact.subject}.",
            severity=None if grave else Severity.MEDIUM,
        )


def _home(fact: Fact) -> tuple[str, str]:
    member = fact.location.member or ""
    return fact.location.path, member[: len(member) - len(fact.subject)]


def _within(fact: Fact, path: str, home: str) -> bool:
    member = fact.location.member or ""
    return fact.location.path == path and any(member.startswith(home + each) for each in _UNPICKLED)


def _evaluated(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "torch-export.target":
            does, severity = _FORMS[fact.detail["form"]]
            if fact.detail["form"] == "import" and category(*split(fact.subject)) is not None:
                severity = Severity.HIGH
            message = f"The exported program {does.format(fact.subject)}."
            yield Hit(fact, message, severity=severity)
        else:
            yield Hit(
                fact,
                f"A {fact.detail['where']} in the exported program is evaluated at loading and "
                f"{fact.detail['does']}.",
                severity=Severity.CRITICAL if fact.detail["free"] else Severity.MEDIUM,
                evidence=fact.subject,
            )


def _compiled(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    seen = set()
    for fact in facts:
        if fact.location.path not in seen:
            seen.add(fact.location.path)
            yield Hit(fact, "The package brings code that AOTInductor compiled, or sources that it compiles.")


RULES = (
    Rule(
        id="MLG-TOR-004",
        name="unprotected-export-pickle",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("torch-export.archive", "pickle.import"),
        summary="An exported program holds a pickle that is loaded without protection",
        what=(
            "A member with sample inputs, weights or constants is a pickle that names more than tensors. "
            "Where `torch.load(weights_only=True)` refuses such a member, `torch.export.load` loads it again "
            "with `weights_only=False`. A class of your own among the sample inputs is of medium severity; "
            "names that run code are critical."
        ),
        why="The protection that others rely on is absent: opening the archive runs what the pickle says.",
        fix=(
            "Export again with plain tensors, tuples and dicts as sample inputs, or drop them: "
            "`program.example_inputs = None` before `torch.export.save`."
        ),
        references=("https://pytorch.org/docs/stable/export.html",),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_fallback,
    ),
    Rule(
        id="MLG-TOR-007",
        name="evaluated-export-text",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("torch-export.expression", "torch-export.target"),
        summary="An exported program has a text that is run as Python when it is loaded",
        what=(
            "Sizes and guards in an exported program's JSON are evaluated as Python, and the targets of its "
            "nodes are looked up in Python's modules. One is more than PyTorch writes: an attribute, a text "
            "within a text, a second expression, a function that is no operator. A function that is merely "
            "unknown is of medium severity."
        ),
        why=(
            "`torch.export.load` hands sizes to SymPy, which evaluates them, and pastes guards into source "
            "that it executes. No pickle is needed."
        ),
        fix=(
            "Do not load the archive. Export the program again from its source; where a newer PyTorch "
            "wrote the function that is unknown here, waive this for the file."
        ),
        references=("https://docs.sympy.org/latest/modules/core.html#sympy.core.sympify.sympify",),
        cwe=(95,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_evaluated,
    ),
    Rule(
        id="MLG-TOR-008",
        name="compiled-export",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("torch-export.compiled",),
        summary="An exported program is a package of compiled code",
        what=(
            "The archive has members of AOTInductor: C++ sources, kernels, libraries, or the flags that they "
            "are compiled with. Libraries are reported by their own rule as well."
        ),
        why=(
            "Loading such a package compiles its sources where there is no library, loads the library, and "
            "runs native code that nobody has read."
        ),
        fix=(
            "Ship the exported program, and compile it where it runs: "
            "`torch._inductor.aoti_compile_and_package(torch.export.load(path))`."
        ),
        references=("https://pytorch.org/docs/stable/torch.compiler_aot_inductor.html",),
        cwe=(829,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_compiled,
        precision="very-high",
    ),
)
