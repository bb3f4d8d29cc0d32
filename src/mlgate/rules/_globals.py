"""What an imported global means in a data file, from the tables of ``data/pickle.toml``.

An exact allowlist says what may be called, and with what arguments; the categories of
danger never grant safety, they only say how grave a thing is that is not allowed.
"""

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

# Gravest first: a global in several categories counts for the first.
CATEGORIES = ("executes", "code", "resolves", "loads", "network", "file", "process")

_WORD = re.compile(r"[A-Za-z][\w.+-]{0,40}\Z")
_NUMBERS = frozenset(("int", "float", "bool", "none", "number"))
# Names under which packages are imported.
_ALIASES = frozenset(
    ("np", "pd", "sp", "tf", "nn", "plt", "xp", "jnp", "cp", "mp", "dist", "hub", "jit", "utils")
)
_GENERIC = ("typing.", "types.", "collections.", "builtins.", "typing_extensions.")


class Tables(Struct, frozen=True):
    """The tables, ready for look-up.

    Attributes:
        exact: Category by ``module.name``.
        whole: Category by module, for all that is in it and below it.
        telling: Category by name, whatever the module.
        allowed: What may be called with any arguments.
        plain: What may be imported, but is not called while a file loads.
        shapes: What may be called with certain arguments.
        computed: Beginnings of calls of results that are ordinary.
        known: Packages that honest models are made of.
        stdlib: Modules of the standard library whose classes are plain data.
    """

    exact: Mapping[str, str]
    whole: Mapping[str, str]
    telling: Mapping[str, str]
    allowed: frozenset[str]
    plain: frozenset[str]
    shapes: Mapping[str, tuple[str, ...]]
    computed: tuple[str, ...]
    known: frozenset[str]
    stdlib: frozenset[str]


@cache
def tables() -> Tables:
    """Read the tables, once."""
    with (Path(__file__).parent / "data" / "pickle.toml").open("rb") as stream:
        data = tomllib.load(stream)
    exact: dict[str, str] = {}
    whole: dict[str, str] = {}
    for category in CATEGORIES:
        for module, names in data["danger"].get(category, {}).items():
            for name in names:
                if name == "*":
                    whole.setdefault(module, category)
                else:
                    exact.setdefault(f"{module}.{name}", category)
    telling = dict.fromkeys(data["telling"]["modules"], "resolves")
    for category in ("network", "resolves", "executes"):
        telling |= dict.fromkeys(data["telling"][category], category)
    return Tables(
        exact=exact,
        whole=whole,
        telling=telling,
        allowed=_names(data["allowed"]),
        plain=_names(data["plain"]),
        shapes={
            name: tuple(part.strip() for part in shape.split(",")) for name, shape in data["shapes"].items()
        },
        computed=tuple(data["computed"]["starts"]),
        known=frozenset(data["known"]["packages"]),
        stdlib=frozenset(data["known"]["stdlib"]),
    )


def _names(table: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for module, names in table.items() for name in names)


def category(module: str, name: str) -> str | None:
    """Return the gravest category of danger of ``module.name``, or None."""
    look = tables()
    subject = f"{module}.{name}"
    found = look.exact.get(subject)
    if found is not None or subject in look.allowed:
        return found
    parent = subject
    while "." in parent:
        parent = parent.rpartition(".")[0]
        found = look.whole.get(parent) or look.exact.get(parent)
        if found is not None:
            return found
    last = name.rpartition(".")[2]
    return look.telling.get(last) or _dunder(last)


def _dunder(name: str) -> str | None:
    return "resolves" if name.startswith("__") and name.endswith("__") else None


def known(module: str) -> bool:
    """Say whether a module belongs to a package that honest models are made of."""
    return module.partition(".")[0] in tables().known


def ordinary(module: str, name: str) -> bool:
    """Say whether importing ``module.name``, or making an instance of it, is no news at all."""
    look = tables()
    subject = f"{module}.{name}"
    if subject in look.allowed or subject in look.shapes or subject in look.plain or known(module):
        return True
    root = module.partition(".")[0]
    return root in look.stdlib or (module in ("builtins", "__builtin__") and _exception(name))


def callable_with(module: str, name: str, args: Sequence[Mapping[str, Any]] | None) -> bool | None:
    """Say whether honest writers call ``module.name`` with such arguments.

    Returns:
        None where the tables say nothing of it.
    """
    look = tables()
    subject = f"{module}.{name}"
    shape = look.shapes.get(subject)
    if shape is not None:
        return args is not None and _fits(shape, args) and not _reaches(shape, args)
    if subject in look.allowed or (module == "builtins" and _exception(name)):
        return True
    if known(module) and args is not None:
        if name.startswith("__pyx_unpickle_"):
            return True
        if class_like(name) and not _texts(args):
            return True
    return None


def mild(module: str, name: str, args: Sequence[Mapping[str, Any]] | None) -> bool:
    """Say whether calling an unknown class with such arguments leaves little to choose.

    Numbers alone (the value of an enumeration), or single words for a class of a known package.
    """
    if args is None or not class_like(name):
        return False
    if all(_number(arg) for arg in args):
        return True
    return known(module) and all(_WORD.match(text or "/") for text in _texts(args))


def nested_name(module: str, name: str) -> bool:
    """Say whether a dotted name looks like something inside a class, and not inside a module."""
    parts = name.split(".")
    if any(category(module, ".".join(parts[: end + 1])) for end in range(len(parts))):
        return False
    if all(class_like(part) for part in parts):
        return True
    outer = parts[0]
    modules = sys.stdlib_module_names | tables().known | _ALIASES
    return known(module) and "." in module and len(parts) == 2 and outer not in modules


def class_like(name: str) -> bool:
    """Say whether a name is written as classes are."""
    last = name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and not (last.isupper() and len(last) > 1)


def _exception(name: str) -> bool:
    return name.endswith(("Error", "Exception", "Warning", "Interrupt", "Exit", "Iteration"))


def _number(arg: Mapping[str, Any]) -> bool:
    if arg["type"] in ("tuple", "list"):
        return all(_number(item) for item in arg["items"])
    return arg["type"] in _NUMBERS


def _texts(args: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Texts and bytes among the arguments, at any depth that is shown; None for unknown ones."""
    found: list[str | None] = []
    waiting = list(args)
    while waiting:
        arg = waiting.pop()
        if arg["type"] == "text":
            found.append(arg.get("value"))
        elif arg["type"] in ("bytes", "bytearray", "unknown", "nested"):
            found.append(None)
        waiting.extend(arg.get("items", ()))
    return found


def _fits(shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    more = shape[-1] == "..."
    wanted = shape[:-1] if more else shape
    if len(args) < len(wanted) or (len(args) > len(wanted) and not more):
        return False
    return all(
        any(_is(kind, arg) for kind in alternatives.split("/"))
        for alternatives, arg in zip(wanted, args, strict=False)
    )


def _reaches(shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a name among the arguments leads from the first of them to something dangerous."""
    for kind, arg in zip(shape, args, strict=False):
        if kind == "name":
            name = str(arg.get("value", ""))
            owner = str(args[0].get("value", "")) if args[0]["type"] == "global" else ""
            if category(owner, name) is not None:
                return True
    return False


def _is(kind: str, arg: Mapping[str, Any]) -> bool:
    kind, _, texts = kind.partition("=")
    actual, value = arg["type"], str(arg.get("value", ""))
    if kind == "any":
        return True
    if kind == "text":
        return actual == "text" and (not texts or value in texts.split("|"))
    if kind == "name":
        return actual == "text" and _public(value)
    if kind in ("none", "bytes"):
        return bool(actual == kind)
    if kind == "storage":
        return actual in ("persistent", "call", "instance", "unknown")
    if kind == "made":
        return actual in ("call", "instance") and _harmless(value)
    if actual != "global":
        return kind == "callable" and actual in ("call", "instance") and _harmless(value)
    if kind == "class":
        return _harmless(value) and (class_like(value) or ordinary(*split(value)))
    if kind == "rebuild":
        return value.startswith("torch._utils._rebuild_")
    if kind == "generic":
        return value.startswith(_GENERIC) and _harmless(value)
    return kind in ("global", "callable") and _harmless(value)


def _public(text: str) -> bool:
    return all(part.isidentifier() and not part.startswith("__") for part in text.split("."))


def _harmless(subject: str) -> bool:
    return category(*split(subject)) is None or subject in tables().shapes


def split(subject: str) -> tuple[str, str]:
    """Return module and name of a subject."""
    module, _, name = subject.rpartition(".")
    return module, name
