"""Rules about R's serialized data."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_RUNNING = frozenset(("eval",))
_HIDING = frozenset(("rawToChar", "intToUtf8", "memDecompress", "base64decode", "url"))
# What starts programs or loads native code; the rest fetches or changes files, or is a word for other things.
_PROGRAMS = frozenset(("system", "system2", "shell.exec", "dyn.load"))


def _code(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    words: dict[tuple[str, str | None], list[Fact]] = {}
    for fact in facts:
        if fact.kind == "r.word":
            words.setdefault((fact.location.path, fact.location.member), []).append(fact)
    for found in words.values():
        names = {fact.subject for fact in found}
        if names & _RUNNING and ("parse" in names or "str2lang" in names) and names & _HIDING:
            last = next(fact for fact in found if fact.subject in _HIDING)
            yield Hit(
                last,
                f"Code in the data runs a text that it takes from {last.subject}.",
                severity=Severity.HIGH,
            )
    for fact in facts:
        if fact.kind == "r.word":
            continue
        message, severity = _verdict(fact)
        yield Hit(fact, message, severity=severity)


def _verdict(fact: Fact) -> tuple[str, Severity]:
    if fact.kind == "r.promise":
        if fact.detail["frame"]:
            return "An environment in the data holds a value that is computed when it is used.", Severity.LOW
        return "The data holds a promise, whose code runs when the value is first used.", Severity.CRITICAL
    if fact.kind == "r.mapped":
        return f"The data is a vector of the class {fact.subject}, which opens a file.", Severity.HIGH
    if fact.kind == "r.hook":
        return f"R calls {fact.subject} of a workspace by itself, when it starts or ends.", Severity.HIGH
    if fact.kind == "r.call":
        if fact.detail["promised"]:
            return f"A promise in the data calls {fact.subject}.", Severity.CRITICAL
        severity = Severity.HIGH if fact.subject in _PROGRAMS else Severity.MEDIUM
        return f"Code in the data calls {fact.subject}.", severity
    if fact.kind == "r.bytecode":
        return "The data holds compiled functions.", Severity.LOW
    return "The data holds functions.", Severity.INFO


RULES = (
    Rule(
        id="MLG-RDS-001",
        name="r-data-runs-code",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("r.promise", "r.mapped", "r.call", "r.hook", "r.word", "r.bytecode", "r.closure"),
        summary="An R data file holds code that runs when it is loaded or used",
        what=(
            "R's serialization can hold promises (code that runs when the value is first touched), functions "
            "and bytecode. A promise that stands as a value, or that calls a program, is critical; a "
            "vector that maps a file is high, as are functions that start programs and those that R calls by "
            "itself (`.First`); functions that fetch or remove files are medium. Promises in the "
            "environments of functions and the functions themselves are ordinary in models."
        ),
        why=(
            "`readRDS` and `load` hand over a promise, and printing or looking at the object runs it: R "
            "before 4.4.0 in all cases."
        ),
        fix=(
            "Do not load it. Ask the author for the model in a format without code (PMML, ONNX, or "
            "coefficients as CSV), or review it in R 4.4 or later in a sandbox."
        ),
        references=("CVE-2024-27322", "https://cran.r-project.org/doc/manuals/r-release/R-ints.html"),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_code,
    ),
)
