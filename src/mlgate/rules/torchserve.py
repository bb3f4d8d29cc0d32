"""Rules about TorchServe's model archives: what the server imports and installs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _requirements


def _archive(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    required = defaultdict(set)
    for fact in facts:
        if fact.detail.get("key") == "requirementsFile":
            required[fact.location.path].add(fact.subject.lower())
    for fact in facts:
        if fact.kind == "torch-model-archive.requirement":
            if fact.detail["file"] in required[fact.location.path]:
                yield from _requirement(fact)
        elif fact.detail["escape"] is not None:
            yield Hit(fact, f"The manifest names {fact.subject}, outside the archive.")
        elif fact.detail["key"] == "handler" and _own(fact.subject):
            yield Hit(
                fact, f"The server imports the archive's handler {fact.subject}.", severity=Severity.MEDIUM
            )
        elif fact.detail["key"] == "modelFile":
            yield Hit(
                fact, f"The server imports the archive's model {fact.subject}.", severity=Severity.MEDIUM
            )


def _own(handler: str) -> bool:
    """Say whether a handler is a file; those that come with the server are bare names."""
    return not handler.isidentifier()


def _requirement(fact: Fact) -> Iterator[Hit]:
    severity = _requirements.severity(fact.subject, fact.detail["form"])
    if severity is not None:
        yield Hit(fact, f"The server installs packages from {fact.subject}.", severity=severity)


RULES = (
    Rule(
        id="MLG-TOR-006",
        name="torchserve-archive-code",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=(
            "torch-model-archive.handler",
            "torch-model-archive.file",
            "torch-model-archive.requirement",
        ),
        summary="A TorchServe archive makes the server import or install something",
        what=(
            "The manifest names a handler or a model's source in the archive, which is of medium severity: "
            "most archives have one, and what it does is judged by itself. Of high severity are a path that "
            "leaves the archive and requirements that come from an index of their own or an address without "
            "encryption. A handler of TorchServe's own is no finding."
        ),
        why=(
            "Whoever may register an archive runs its Python in the server, and its requirements are "
            "installed before anything is served."
        ),
        fix=(
            "Use a handler of TorchServe's own (`--handler image_classifier`), or review the handler and "
            "build the archive from the repository; pin requirements by hash, from your own index."
        ),
        references=("CVE-2023-48299", "https://github.com/pytorch/serve/tree/master/model-archiver"),
        cwe=(829, 22),
        atlas=("AML.T0011.000", "AML.T0010.001"),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_archive,
    ),
)
