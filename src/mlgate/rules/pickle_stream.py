"""Rules about the stream of a pickle: what hides, misleads or exhausts its readers."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Fact
from mlgate.core.rules import Hit
from mlgate.core.severity import Severity
from mlgate.rules._pickle_rule import rule


def _unresolved(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        message = "The pickle computes the name of what it imports, so that nobody can read it beforehand."
        shown = f"{fact.detail['module'] or '?'}.{fact.detail['name'] or '?'}"
        yield Hit(fact, message, evidence=f"STACK_GLOBAL {shown}")


# Differences that hide nothing by themselves, with how grave they are.
_DIFFERENCES = {
    "GLOBAL beyond ASCII": Severity.MEDIUM,
    "raw bytes in STRING": Severity.MEDIUM,
    "number in another base": Severity.HIGH,
    "FRAME ends inside an opcode": Severity.HIGH,
    "opcodes in an array's bytes": Severity.CRITICAL,
}
_ANOMALIES = {
    "PROTO in mid-stream": Severity.MEDIUM,
    "FRAME past the end": Severity.LOW,
    "out-of-band buffer": Severity.MEDIUM,
}


def _differences(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in _DIFFERENCES:
            message = f"Readers of pickles disagree about this stream ({fact.subject})."
            yield Hit(fact, message, severity=_DIFFERENCES[fact.subject], evidence=fact.detail.get("text"))


def _anomalies(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in _ANOMALIES:
            message = f"The stream holds what no pickler writes ({fact.subject})."
            yield Hit(fact, message, severity=_ANOMALIES[fact.subject])


def _trailing(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, "Bytes follow the last pickle that belong to no known format.")


def _nested(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.detail["acts"]:
            yield Hit(fact, "A pickle lies inside the data of another one; what it does is judged by itself.")


def _extension(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        message = "The pickle imports by a number whose meaning only the loading process knows."
        yield Hit(fact, message, evidence=fact.subject)


def _persistent(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject == "other":
            message = "The pickle hands its loader a persistent id of a form that PyTorch does not use."
            yield Hit(fact, message, evidence=fact.detail["text"])


def _amplified(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        message = f"A few bytes make the loader reserve a great deal of memory ({fact.subject})."
        yield Hit(fact, message)


RULES = (
    rule(
        9,
        "unresolvable-global",
        Severity.CRITICAL,
        ("pickle.unresolved",),
        _unresolved,
        summary="A pickle computes the name of what it imports",
        what="`STACK_GLOBAL` takes its module or name from something that is no plain text.",
        why="No pickler writes this. It hides what is imported from whoever reads the file.",
        references=("CVE-2025-71325",),
    ),
    rule(
        12,
        "reader-difference",
        Severity.CRITICAL,
        ("pickle.reader-difference",),
        _differences,
        varies=True,
        summary="Readers of pickles disagree about a stream",
        what="The stream holds what CPython's unpickler accepts and reference tools reject or read "
        "differently: numbers in other bases, raw bytes in text, a frame that ends inside an opcode.",
        why="A file that shows different readers different contents was made to deceive one of them.",
        cwe=(502, 436),
    ),
    rule(
        14,
        "bytes-after-stop",
        Severity.MEDIUM,
        ("pickle.trailing",),
        _trailing,
        summary="Unexplained bytes follow a pickle",
        what="After the last `STOP` come bytes that are neither a pickle nor padding nor the storages of an "
        "old PyTorch file.",
        why="Some loaders read on where a scanner stops.",
        fix="Write the file again with the library that made it, or find out what appended to it.",
    ),
    rule(
        16,
        "nested-pickle",
        Severity.MEDIUM,
        ("pickle.nested",),
        _nested,
        summary="A pickle lies inside the data of another",
        what="Bytes or text of a pickle hold another that imports something, plainly, in base64 or hex.",
        why="Something will load it later, out of sight of a check that reads only the outer one.",
        fix="Store the inner object as data of its own, or as safetensors.",
        references=("GHSA-84r2-jw7c-4r5q",),
    ),
    rule(
        17,
        "extension-opcode",
        Severity.HIGH,
        ("pickle.extension",),
        _extension,
        summary="A pickle imports through the extension registry",
        what="`EXT1`, `EXT2` or `EXT4` imports by a number registered with `copyreg.add_extension`.",
        why="The file does not say what it imports; only the process that loads it knows.",
    ),
    rule(
        18,
        "unusual-persistent-id",
        Severity.MEDIUM,
        ("pickle.persistent-id",),
        _persistent,
        summary="A persistent id has an unusual form",
        what="Persistent ids are for the loading program to interpret; PyTorch uses them for storages only.",
        why="A loader that trusts such an id may open whatever it names.",
        fix="Load the file with `torch.load(..., weights_only=True)`, or convert it to safetensors.",
        precision="medium",
    ),
    rule(
        19,
        "protocol-anomaly",
        Severity.MEDIUM,
        ("pickle.reader-difference",),
        _anomalies,
        varies=True,
        summary="A pickle holds what no pickler writes",
        what="`PROTO` in mid-stream, a frame that reaches past the end, or a buffer that lies outside.",
        why="Such streams are made by hand or damaged.",
    ),
    rule(
        20,
        "memory-amplification",
        Severity.HIGH,
        ("pickle.amplification",),
        _amplified,
        summary="A few bytes make the loader reserve a great deal of memory",
        what="A memo index or a length is out of all proportion to the file.",
        why="Loading the file can bring the machine down.",
        cwe=(789, 400),
    ),
)
