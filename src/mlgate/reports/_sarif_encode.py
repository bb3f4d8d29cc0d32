"""From sarif-om objects to plain values: the library has no serializer of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Written even where they equal the schema's default: a reader that takes the level from
# the rule would otherwise turn a warning under an error rule into an error.
_ALWAYS = frozenset({"level", "kind"})


def plain(value: Any) -> Any:
    """Return objects as mappings by their schema names, without nulls and defaults.

    ``level`` and ``kind`` are kept whatever they are.
    """
    fields = getattr(type(value), "__attrs_attrs__", None)
    if fields is not None:
        found = {}
        for field in fields:
            name = field.metadata["schema_property_name"]
            item = getattr(value, field.name)
            if item is None or (name not in _ALWAYS and item == _default(field)):
                continue
            found[name] = plain(item)
        return found
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _default(field: Any) -> Any:
    factory = getattr(field.default, "factory", None)
    return factory() if factory is not None else field.default
