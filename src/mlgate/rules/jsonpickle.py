"""Rules about JSON that jsonpickle decodes: it makes, looks up and calls what the text names."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._objects import python

_DOING = {"call": "calls", "new": "instantiates", "instance": "instantiates", "name": "looks up"}


def _objects(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in policy.models.allow_globals:
            continue
        how = fact.detail["how"]
        severity, does = python(fact.subject, how)
        if severity is Severity.LOW and how == "name":
            # Looking a name up imports its module, as making an instance of it does.
            severity, does = python(fact.subject, "instance")
        if severity is not None:
            message = f"Decoding this file with jsonpickle {_DOING[how]} {fact.subject}{does}."
            yield Hit(fact, message, severity=severity)


RULES = (
    Rule(
        id="MLG-JSP-001",
        name="jsonpickle-object",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("jsonpickle.object",),
        summary="A JSON file makes jsonpickle call or instantiate Python objects",
        what=(
            "A key such as `py/reduce`, `py/object` or `py/repr` names a function that is called, a class "
            "that is instantiated, or an expression that is evaluated. What is called decides: code and "
            "commands are critical, unknown functions high; classes and modules of which nothing is known "
            "are medium, since looking them up imports them."
        ),
        why=(
            "`jsonpickle.decode` does what the keys say while it reads: to it, JSON is as much a program as "
            "a pickle is."
        ),
        fix="Write plain values, and read them with `json.load`, which makes nothing else.",
        references=("https://jsonpickle.readthedocs.io/en/latest/#jsonpickle-usage", "CVE-2020-22083"),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_objects,
    ),
)
