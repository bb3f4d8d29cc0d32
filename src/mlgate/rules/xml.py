"""Rules about models in XML: what their documents declare and hold besides data."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _active(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    entities = {(fact.location.path, fact.location.member) for fact in facts if fact.kind == "xml.entity"}
    for fact in facts:
        if fact.kind == "xml.entity" and fact.detail["external"]:
            yield Hit(
                fact, f"The entity {fact.subject} reads a file or an address.", evidence=fact.detail["value"]
            )
        elif fact.kind == "xml.entity":
            yield Hit(
                fact, f"The document declares the entity {fact.subject}.", evidence=fact.detail["value"]
            )
        elif fact.kind == "xml.doctype":
            # Exporters of the first versions of PMML name its grammar.
            if (fact.location.path, fact.location.member) not in entities:
                yield Hit(fact, "The document has a type declaration.", severity=Severity.MEDIUM)
        elif fact.kind == "xml.script":
            yield Hit(fact, "The model holds a script.")
        elif fact.kind == "xml.include":
            yield Hit(fact, f"The document includes {fact.subject or 'another one'}.")
        else:
            yield Hit(
                fact,
                f"The model calls the function {fact.subject}, which some evaluators look up as a class.",
                severity=Severity.MEDIUM,
            )


RULES = (
    Rule(
        id="MLG-XML-001",
        name="xml-model-not-only-data",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("xml.entity", "xml.doctype", "xml.script", "xml.include", "pmml.function"),
        summary="A model in XML declares entities, includes documents or holds scripts",
        what=(
            "A PMML or OpenVINO document, by its root element, that declares entities, includes another "
            "document or has `script` elements. A type declaration alone is medium, and so is a PMML "
            "function with the name of a class. Namespaces and extensions are ordinary."
        ),
        why=(
            "Parsers that expand entities read files and addresses that the document names, or run out of "
            "memory; evaluators run the scripts that they find in a model."
        ),
        fix=(
            "Export the model again with its own library, and parse it without entities, for "
            "example\n\n```python\nfrom defusedxml.ElementTree import parse\n\ntree = parse(path)\n```"
        ),
        references=(
            "https://cwe.mitre.org/data/definitions/611.html",
            "https://dmg.org/pmml/v4-4-1/GeneralStructure.html",
        ),
        cwe=(611, 776, 94),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_active,
        precision="high",
    ),
)
