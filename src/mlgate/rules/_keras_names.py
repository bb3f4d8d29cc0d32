"""How grave it is that a Keras configuration names something, from ``data/keras.toml``."""

import builtins
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlgate.core import toml_table
from mlgate.core.facts import Fact
from mlgate.core.severity import Severity
from mlgate.rules import _globals as meaning


class Tables(Struct, frozen=True):
    """The tables, ready for look-up. They are explained where they stand."""

    parts: frozenset[str]
    names: frozenset[str]
    harmless: frozenset[str]
    everywhere: frozenset[str]
    operations: frozenset[str]
    starts: tuple[str, ...]


@cache
def tables() -> Tables:
    """Read the tables, once."""
    data = toml_table.read(Path(__file__).parent / "data" / "keras.toml")
    return Tables(
        parts=frozenset(data["switches"]["parts"]),
        names=frozenset(data["switches"]["names"]),
        harmless=frozenset(data["harmless"]["modules"]),
        everywhere=frozenset(data["switches"]["everywhere"]),
        starts=tuple(data["operations"]["starts"]),
        operations=frozenset(data["operations"]["names"]),
    )


def switch(fact: Fact) -> bool:
    """Say whether a reference is to a function of Keras that is for programs, and not for models."""
    detail = fact.detail
    look = tables()
    name = detail["name"]
    if detail["family"] is None:
        # Under "builtins", Keras looks for functions in a few of its own modules.
        return detail["module"] == "builtins" and detail["function"] and name in look.everywhere
    return name in look.names or (detail["part"] in look.parts and (detail["function"] or not _class(name)))


def outside(fact: Fact) -> Severity:
    """Return how grave a reference is that leads to nothing of Keras' own, or to nothing known of it."""
    detail = fact.detail
    if detail["family"] is not None:
        # Of a newer version, perhaps: modules of Keras hold functions of others, too.
        ordinary = not detail["function"] and detail["part"] not in tables().parts
        return Severity.LOW if ordinary else Severity.MEDIUM
    if not detail["module"]:
        return Severity.LOW  # the loader has to be given it
    if _dangerous(detail):
        return Severity.CRITICAL
    if detail["module"] == "builtins":
        return Severity.LOW
    # Keras writes functions by name alone, under "builtins": only classes have modules.
    return Severity.CRITICAL if detail["function"] else Severity.MEDIUM


def reaching(operation: str) -> bool:
    """Say whether an operation of TensorFlow reaches files, or Python."""
    look = tables()
    name = operation.removeprefix("tf.").removeprefix("compat.v1.")
    return name in look.operations or name.startswith(look.starts) or name.endswith(" of a file")


def _dangerous(detail: Mapping[str, Any]) -> bool:
    module, name = detail["module"], detail["name"]
    root = module.partition(".")[0]
    if module == "builtins":
        return hasattr(builtins, name) and meaning.category(module, name) is not None
    if root in tables().harmless:
        return meaning.category(module, name) is not None
    return root in sys.stdlib_module_names or meaning.category(module, name) is not None


def _class(name: str) -> bool:
    return name[:1].isupper()
