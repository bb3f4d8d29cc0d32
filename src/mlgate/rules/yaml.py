"""Rules about YAML: tags that make the loader import and call what the file names."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables
from mlgate.rules._objects import python

_DOING = {
    "call": "calls",
    "new": "instantiates",
    "instance": "instantiates",
    "name": "looks up",
    "module": "imports",
    "include": "includes",
}
_JAVA_DATA = (
    "java.util.Date", "java.util.UUID", "java.math.", "java.time.", "java.lang.String", "java.lang.Integer",
)  # fmt: skip
# Parts of the names of classes by which SnakeYAML was made to run code.
_JAVA_LOADS = (
    "script", "classloader", "url", "rowset", "jndi", "naming", "runtime", "process", "template", "groovy",
    "spring", "c3p0", "resource", "socket", "reflect", "beanfactory", "marshalledobject",
)  # fmt: skip


def _tags(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in policy.models.allow_globals:
            continue
        judged = {"hyperpyyaml": _hyper, "java": _java}.get(fact.detail["dialect"], python)
        severity, does = judged(fact.subject, fact.detail["how"])
        if severity is not None:
            message = f"Loading this YAML {_DOING[fact.detail['how']]} {fact.subject}{does}."
            yield Hit(fact, message, severity=severity)


def _hyper(subject: str, how: str) -> tuple[Severity | None, str]:
    """Judge a tag of HyperPyYAML, whose files name classes and functions to be called."""
    if how == "include":
        return Severity.HIGH, ", a file outside of its folder"
    if how == "module":
        grave = _callables.grave_module(subject)
        return (Severity.HIGH, ", which holds what runs code or reaches files") if grave else (None, "")
    danger = _callables.danger(subject)
    if danger in ("executes", "code"):
        severity = Severity.HIGH if how in ("name", "module") else Severity.CRITICAL
        return severity, f", which {_callables.DOES[danger]}"
    if _callables.removes(subject):
        severity = Severity.MEDIUM if how == "name" else Severity.HIGH
        return severity, ", which removes or overwrites files"
    # Packages of models read and write as well: only Python's own say enough by their names.
    plain = danger is not None and how != "name" and subject.partition(".")[0] in sys.stdlib_module_names
    if danger in ("resolves", "loads") or plain:
        return Severity.MEDIUM, f", which {_callables.DOES[str(danger)]}"
    return None, ""


def _java(subject: str, _how: str) -> tuple[Severity | None, str]:
    """Judge a class that SnakeYAML makes an instance of: those that load code, and those that are data."""
    if subject.startswith(_JAVA_DATA):
        return None, ""
    loads = any(word in subject.lower() for word in _JAVA_LOADS)
    return (Severity.HIGH, ", which loads classes or connects") if loads else (Severity.MEDIUM, "")


RULES = (
    Rule(
        id="MLG-YML-001",
        name="yaml-python-object",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("yaml.tag",),
        summary="A YAML file makes its loader import, call or instantiate Python objects",
        what=(
            "A tag such as `!!python/object/apply:os.system`, also behind a `%TAG` directive, written out or "
            "escaped, or HyperPyYAML's `!apply:` and `!new:`. What is called decides: code and commands are "
            "critical, unknown functions high, unknown classes medium, plain data (`pathlib`, numpy scalars, "
            "`argparse.Namespace`) low. What mkdocs is configured with is only mentioned. A tag that names a "
            "class of Java, which SnakeYAML makes an instance of, is high where it loads classes or connects."
        ),
        why=(
            "`yaml.load` with an unsafe loader does what the tags say while it reads: the file is a program "
            "of its author's choice."
        ),
        fix=(
            "Write plain values (text, numbers, lists, mappings), and read them with a loader that makes "
            "nothing else:\n\n```python\nconfig = yaml.safe_load(text)\n```"
        ),
        references=("CVE-2020-14343", "CVE-2020-1747", "https://pyyaml.org/wiki/PyYAMLDocumentation"),
        cwe=(502, 94),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_tags,
        precision="high",
    ),
)
