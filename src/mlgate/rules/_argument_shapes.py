"""What kinds of arguments honest writers give: the words of ``[shapes]`` in ``data/pickle.toml``."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from mlgate.rules._globals import category, class_like, harmless, ordinary, split
from mlgate.rules._pickle_tables import tables

NUMBERS = frozenset(("int", "float", "bool", "none", "number"))
# What torch and NumPy write as the function that makes a tensor or an array.
_NESTED = "torch.nested._internal.nested_tensor._rebuild_njt"
_REBUILT = ("numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct")
_SCALARS = (
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
)
_NEW = "__new__"
# What DEAP's individuals are derived from.
_BASES_OF_INDIVIDUALS = frozenset(
    ("builtins.list", "builtins.set", "builtins.dict", "numpy.ndarray", "array.array")
)
_GENERIC = ("typing.", "types.", "collections.", "builtins.", "typing_extensions.")


def fits(module: str, shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether arguments are of the kinds that a shape names, for a call of something of ``module``."""
    more = shape[-1] == "..."
    wanted = shape[:-1] if more else shape
    if (len(args) < len(wanted) and not _optional(wanted)) or (len(args) > len(wanted) and not more):
        return False
    return all(
        any(fits_kind(kind, arg, module) for kind in alternatives.split("/"))
        for alternatives, arg in zip(wanted, args, strict=False)
    )


def _optional(wanted: tuple[str, ...]) -> bool:
    """Say whether a constructor of plain data is meant, which may go without arguments."""
    return set(wanted) <= {
        "content",
        "pairs",
        "plain",
        "value",
        "own/text",
        "constructor",
        "factory",
        "nothing",
    }


def reaches(shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a name among the arguments leads from the first of them to something dangerous."""
    held = args[0]["type"] if args else ""
    plain = "plain" in shape[0] and held not in ("global", "call", "instance", "unknown")
    for place, (kind, arg) in enumerate(zip(shape, args, strict=False)):
        if kind == "name":
            name = str(arg.get("value", ""))
            if place and plain and name not in methods():
                return True
            owner = str(args[0].get("value", "")) if args[0]["type"] == "global" else ""
            # Of a class, `__new__` makes the instance that NEWOBJ makes.
            if name in tables().bound if not owner else name == _NEW and harmless(owner):
                continue
            if category(owner, name) is not None:
                return True
    return False


def fits_kind(kind: str, arg: Mapping[str, Any], module: str) -> bool:
    """Say whether an argument is of one kind; the words stand in the table."""
    kind, _, texts = kind.partition("=")
    actual, value = arg["type"], str(arg.get("value", ""))
    if kind == "nothing":
        return False
    if kind in ("any", "factory"):
        return True
    if kind == "pairs":
        # Each item is taken apart, which runs methods of an object's own.
        items = arg.get("items", ()) if actual in ("list", "tuple") else ()
        return fits_kind("content", arg, module) and all(fits_kind("content", item, module) for item in items)
    if kind in ("content", "plain", "value"):
        if actual == "call":
            return value in tables().content or (kind == "plain" and value in tables().lazy)
        if actual in ("int", "number"):
            return kind != "content"
        return actual not in ("instance", "persistent", "unknown", "global")
    if kind == "base":
        listed = value in _BASES_OF_INDIVIDUALS or value.startswith("deap.")
        return listed and (actual == "global" or value == "deap.creator.meta_create")
    if kind == "array":
        return actual == "array" or (actual == "call" and value in (*_REBUILT, *_SCALARS))
    if kind == "scalar":
        return actual in NUMBERS
    if kind == "owns":
        return actual == "tuple" and all(
            item["type"] == "global" and fits_kind("own", item, module) and class_like(str(item["value"]))
            for item in arg["items"]
        )
    if kind == "namespace":
        keys, values = arg.get("items", [])[::2], arg.get("items", [])[1::2]
        return actual == "dict" and all(map(_class_attribute, keys)) and all(map(_held_by_class, values))
    if kind == "encoded":
        return bool(actual == "call" and value == "_codecs.encode")
    if kind == "own":
        own = value.partition(".")[0] == module.partition(".")[0] and actual in ("global", "call", "instance")
        # Where names are given it is one of these classes, and no function.
        return own and (not texts or (actual == "global" and value.endswith(tuple(texts.split("|")))))
    if kind == "constructor":
        return actual == "global" and value.startswith("numpy.random.") and value.endswith("_ctor")
    if kind == "text":
        return actual == "text" and (not texts or value in texts.split("|"))
    if kind == "name":
        return actual == "text" and (_public(value) or value in tables().bound or value == _NEW)
    if kind in ("none", "bytes", "tuple", "nested"):
        return bool(actual == kind)
    if kind == "storage":
        return actual in ("persistent", "call", "instance", "unknown") and harmless(value)
    if kind == "flags":
        return actual == "dict" and all(map(_flag, arg["items"]))
    if kind in ("int", "ints"):
        return _numbers(arg, several=kind == "ints")
    if kind == "tensor":
        return actual == "unknown" or (actual in ("call", "instance") and harmless(value))
    if kind == "layout":
        listed = actual == "global" and value.startswith("torch.")
        return listed or value == "torch.serialization._get_layout"
    if kind == "dtype":
        return actual == "global" and value.startswith("torch.") and value.count(".") == 1
    if kind == "made":
        return actual in ("call", "instance") and harmless(value)
    if actual != "global":
        return kind == "callable" and actual in ("call", "instance") and harmless(value)
    if kind == "class":
        return harmless(value) and (class_like(value) or ordinary(*split(value)))
    if kind == "rebuild":
        torch = value.startswith("torch._utils._rebuild_") or value == _NESTED
        return torch if module.startswith("torch") else value in _REBUILT
    if kind == "generic":
        return value.startswith(_GENERIC) and harmless(value)
    # A getattr that waits to be called reaches anything, and some names are only ever named.
    held = value.endswith("builtins.getattr") or tables().shapes.get(value) == ("never",)
    return kind in ("global", "callable") and harmless(value) and not held


def _flag(arg: Mapping[str, Any]) -> bool:
    """Say whether a key or a value is a name, or yes or no."""
    return arg["type"] == "bool" or (arg["type"] == "text" and _public(str(arg.get("value", "_"))))


def _class_attribute(arg: Mapping[str, Any]) -> bool:
    """Say whether a key of a class' namespace is a public name, and of no method that an unpickler calls."""
    name = str(arg.get("value", "_"))
    return arg["type"] == "text" and _public(name) and not name.startswith("_") and name not in methods()


def _held_by_class(arg: Mapping[str, Any]) -> bool:
    """Say whether a value of a class' namespace is nothing to call, or another such class."""
    return arg["type"] in ("text", "int", "float", "bool", "none", "tuple") or (
        arg["type"] == "call" and arg["value"] == "deap.creator.meta_create"
    )


@cache
def methods() -> frozenset[str]:
    """Return the methods of plain data; `format` goes where its text says, through attributes."""
    names = {
        name for kind in (str, bytes, bytearray, list, dict, set, tuple, int, float) for name in dir(kind)
    }
    return frozenset(name for name in names if not name.startswith(("_", "format")))


def _numbers(arg: Mapping[str, Any], *, several: bool) -> bool:
    """Say whether an argument is a whole number, or several."""
    actual = arg["type"]
    if not several:
        return actual in ("int", "number")
    if actual == "call":
        return bool(arg["value"] == "torch.Size")
    whole = ("int", "number", "unknown")
    return actual in ("tuple", "list") and all(item["type"] in whole for item in arg["items"])


def _public(text: str) -> bool:
    return all(part.isidentifier() and not part.startswith("__") for part in text.split("."))
