"""The policy's JSON Schema, as editors read it: what each key means, its default, its words.

Editors know draft 7 best (YAML language servers above all), so the schema keeps to it. What
is said of a key comes from the docstring of the section that holds it.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy

_DIALECT = "http://json-schema.org/draft-07/schema#"
_ATTRIBUTE = re.compile(r"^(\w+): (.+(?:\n .+)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """Return the policy's JSON Schema (draft 7)."""
    described = msgspec.json.schema(Policy)
    kinds: dict[str, Any] = described["$defs"]
    summaries = {name: _summary(kind) for name, kind in kinds.items()}
    for kind in kinds.values():
        attributes = _attributes(kind)
        for name, key in kind.get("properties", {}).items():
            _describe(key, attributes.get(name, ""), summaries)
    for kind in kinds.values():
        # Editors let the words of what is referred to hide those of the key that refers to it.
        kind.pop("description", None)
        kind.pop("title", None)
    kinds["Severity"]["enum"] = [severity.value for severity in Severity]
    for node in _nodes(described):
        _to_draft_7(node)
    return {
        "$schema": _DIALECT,
        "title": "mlgate policy",
        "description": summaries["Policy"],
        **described,
    }


def _summary(kind: Mapping[str, Any]) -> str:
    """Return what a section's docstring says before it comes to its attributes."""
    text: str = kind.get("description", "")
    return " ".join(text.partition("Attributes:")[0].split())


def _attributes(kind: Mapping[str, Any]) -> dict[str, str]:
    """Return what a section's docstring says of each attribute, on one line."""
    _, _, text = kind.get("description", "").partition("Attributes:")
    return {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(inspect.cleandoc(text))}


def _describe(key: dict[str, Any], words: str, summaries: Mapping[str, str]) -> None:
    """Give a key a description: its own, and what is true of every value of its kind."""
    general = key.get("description") or summaries.get(key.get("$ref", "").rpartition("/")[2], "")
    if words or general:
        own = words if words.endswith(".") or not words else f"{words}."
        key["description"] = " ".join(filter(None, (own, key.get("description", "")))) if own else general


def _nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a schema, from the outside inwards; it is our own, and not deep."""
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _to_draft_7(node: dict[str, Any]) -> None:
    if "prefixItems" in node:
        # Draft 7 takes `items: false` for a list that must be empty.
        node["items"] = node.pop("prefixItems")
        node["additionalItems"] = False
    if node.get("required") == []:
        del node["required"]
