"""What an imported global means in a data file, from the tables of ``data/pickle.toml``.

An exact allowlist says what may be called, and with what arguments; the categories of
danger never grant safety, they only say how grave a thing is that is not allowed.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlgate.core import toml_table

# Gravest first: a global in several categories counts for the first.
CATEGORIES = ("executes", "code", "resolves", "loads", "network", "file", "process")

# A word is no file, no address and no command.
_WORD = re.compile(r"[A-Za-z][\w+-]{0,40}\Z")
_NUMBERS = frozenset(("int", "float", "bool", "none", "number"))
# Names under which packages are imported.
_ALIASES = frozenset(
    ("np", "pd", "sp", "tf", "nn", "plt", "xp", "jnp", "cp", "mp", "dist", "hub", "jit", "utils")
)
# What torch and NumPy write as the function that makes a tensor or an array.
_NESTED = "torch.nested._internal.nested_tensor._rebuild_njt"
_REBUILT = ("numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct")
_SCALARS = (
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
)
_NEW = "__new__"
_TYPES = ("types.GenericAlias", "operator.getitem", "_operator.getitem", "builtins.type")
# What DEAP's individuals are derived from.
_BASES_OF_INDIVIDUALS = frozenset(
    ("builtins.list", "builtins.set", "builtins.dict", "numpy.ndarray", "array.array")
)
_GENERIC = ("typing.", "types.", "collections.", "builtins.", "typing_extensions.")


class Tables(Struct, frozen=True):
    """The tables, ready for look-up.

    Attributes:
        exact: Category by ``module.name``.
        whole: Category by module, for all that is in it and below it.
        telling: Category by name, whatever the module.
        loading: First words of functions that load what they are told to.
        acting: First words of functions that act.
        evaluates: Packages whose classes run texts, with the names of those that do not.
        iterators: Names of classes whose instances call what they are given.
        commands: First words of commands.
        actors: Parts of the names of classes that could run one.
        bound: Special methods that are pickled as bound methods.
        allowed: What may be called with any arguments.
        plain: What may be imported, but is not called while a file loads.
        shapes: What may be called with certain arguments.
        content: Calls whose results are as plain as their arguments.
        instances: Classes whose instances are plain, whatever their modules do.
        lazy: Calls whose results take from their arguments one by one.
        eager: Of what may be called, that which uses the methods of its arguments at once.
        texts: Calls and classes whose instances are texts, or stand for them.
        callables: Calls whose results can be called.
        attributes: Dotted names that are ordinary in every module.
        computed: Beginnings of calls of results that are ordinary.
        bare: The same, where they are ordinary without arguments alone.
        known: Packages that honest models are made of.
        stdlib: Modules of the standard library whose classes are plain data.
    """

    exact: Mapping[str, str]
    whole: Mapping[str, str]
    telling: Mapping[str, str]
    loading: frozenset[str]
    acting: frozenset[str]
    evaluates: Mapping[str, frozenset[str]]
    iterators: frozenset[str]
    commands: frozenset[str]
    actors: tuple[str, ...]
    bound: frozenset[str]
    allowed: frozenset[str]
    plain: frozenset[str]
    shapes: Mapping[str, tuple[str, ...]]
    content: frozenset[str]
    instances: frozenset[str]
    lazy: frozenset[str]
    eager: frozenset[str]
    texts: frozenset[str]
    callables: frozenset[str]
    attributes: frozenset[str]
    computed: tuple[str, ...]
    bare: tuple[str, ...]
    known: frozenset[str]
    stdlib: frozenset[str]


@cache
def tables() -> Tables:
    """Read the tables, once."""
    data = toml_table.read(Path(__file__).parent / "data" / "pickle.toml")
    exact: dict[str, str] = {}
    whole: dict[str, str] = {}
    for category in CATEGORIES:
        for module, names in data["danger"].get(category, {}).items():
            for name in names:
                if name == "*":
                    whole.setdefault(module, category)
                else:
                    exact.setdefault(f"{module}.{name}", category)
    hosts = data["telling"]["modules"]
    telling = dict.fromkeys((*hosts, *(f"_{host}" for host in hosts)), "resolves")
    for category in ("network", "loads", "resolves", "executes"):
        telling |= dict.fromkeys(data["telling"][category], category)
    return Tables(
        exact=exact,
        whole=whole,
        telling=telling,
        loading=frozenset(data["telling"]["loading"]),
        acting=frozenset(data["telling"]["acting"]),
        evaluates={package: frozenset(names) for package, names in data["evaluates"].items()},
        iterators=frozenset(data["telling"]["iterators"]),
        commands=frozenset(data["telling"]["commands"]),
        actors=tuple(data["telling"]["actors"]),
        bound=frozenset(data["telling"]["bound"]),
        allowed=_names(data["allowed"]),
        plain=_names({"builtins": data["plain"]["builtins"]}),
        shapes={
            name: tuple(part.strip() for part in shape.split(",")) for name, shape in data["shapes"].items()
        },
        content=frozenset(data["results"]["content"]),
        instances=_names(data["instances"]),
        lazy=frozenset(data["results"]["lazy"]),
        eager=frozenset(data["results"]["eager"]),
        texts=frozenset(data["results"]["texts"]),
        callables=frozenset(data["results"]["callables"]),
        attributes=frozenset(data["plain"]["attributes"]),
        computed=tuple(data["computed"]["starts"]),
        bare=tuple(data["computed"]["bare"]),
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
    if module.endswith(".__main__"):
        # Importing it runs the program of its package.
        return "executes"
    last = name.rpartition(".")[2]
    return look.telling.get(last) or _dunder(last) or _verb(module, last)


def _verb(module: str, name: str) -> str | None:
    """Category of a function of a known package by the first word of its name."""
    if class_like(name) or not known(module):
        return None
    look = tables()
    first = name.lstrip("_").partition("_")[0]
    return "loads" if first in look.loading else "process" if first in look.acting else None


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
    if idiom(subject, args):
        return True
    if subject in look.eager and args is not None and not _inert(args):
        return False
    if shape is not None:
        return args is not None and _fits(module, shape, args) and not _reaches(shape, args)
    if subject in look.allowed or (module == "builtins" and _exception(name)):
        return True
    if known(module) and args is not None:
        if name.startswith("__pyx_unpickle_"):
            return True
        if class_like(name) and not _hidden(args) and not _texts(args) and _inert(args):
            return True
    return None


def idiom(subject: str, args: Sequence[Mapping[str, Any]] | None) -> bool:
    """Say whether a call of a dangerous function is the one that Python itself writes for plain data.

    A union of types is reduced with ``operator.or_``; a caller of a method of texts or lists waits.
    """
    if not args:
        return False
    if subject in ("functools.reduce", "_functools.reduce"):
        union = args[0].get("value") in ("operator.or_", "_operator.or_") and args[0]["type"] == "global"
        return union and len(args) == 2 and args[1]["type"] == "tuple" and all(map(_member, args[1]["items"]))
    if subject in ("operator.methodcaller", "_operator.methodcaller"):
        rest = all(_is("plain", arg, "") for arg in args[1:])
        return args[0]["type"] == "text" and args[0].get("value") in _methods() and rest
    return False


def _member(arg: Mapping[str, Any]) -> bool:
    """Say whether an argument is a type, as of a union."""
    # Of these three calls nothing else is allowed either: list[int], typing.List[int], type(None).
    generic = arg["type"] == "call" and arg["value"] in _TYPES
    return _type(arg) or arg["type"] == "none" or generic


def _inert(args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether nothing among the arguments has methods that could call what its state holds.

    Whoever is given an object may ask for its length, items or hash; those of an object of a package
    that applies a function to each of its items call that function.
    """
    look = tables()
    waiting = list(args)
    while waiting:
        arg = waiting.pop()
        waiting.extend(arg.get("items", ()))
        subject = str(arg.get("value", ""))
        listed = subject in look.allowed or subject in look.shapes
        if arg["type"] in ("call", "instance") and not listed:
            return False
    return True


def makes_class(name: str, args: Sequence[Mapping[str, Any]] | None) -> bool:
    """Say whether a call or an instance makes a class: a name, bases and a namespace, for a metaclass.

    What the namespace holds under names such as ``__setstate__`` is called by the unpickler.
    """
    if args is None or len(args) < 3 or args[0]["type"] != "text" or args[1]["type"] != "tuple":
        return False
    bases = args[1]["items"]
    if args[2]["type"] != "dict" or any(base["type"] not in ("global", "call", "instance") for base in bases):
        return False
    return bool(bases) or name.rpartition(".")[2].lower().endswith(("meta", "type", "metaclass"))


def evaluates(module: str, name: str, args: Sequence[Mapping[str, Any]] | None) -> bool:
    """Say whether a class runs a text that is among its arguments, or may be."""
    harmless = tables().evaluates.get(module.partition(".")[0])
    return harmless is not None and name not in harmless and (args is None or bool(_texts(args)))


def mild(module: str, name: str, args: Sequence[Mapping[str, Any]] | None) -> bool:
    """Say whether calling an unknown class with such arguments leaves little to choose.

    Numbers, classes and single words: values of enumerations, factories, options.
    """
    if args is None or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    last = name.rpartition(".")[2]
    if not class_like(name) and not last.isupper():
        return False
    if _exception(name):
        return not _hidden(args) and all(arg["type"] not in ("unknown", "nested") for arg in args)
    words = sum(arg["type"] == "text" for arg in args)
    if len(args) == 1 and words == 1 and _label(last, str(args[0].get("value", ""))):
        return True
    return (words <= 1 or known(module)) and all(
        _number(arg) or _type(arg) or (arg["type"] == "text" and _word(arg)) for arg in args
    )


def _label(name: str, text: str) -> bool:
    """Say whether a class is called with a few words that make no command: a member of an enumeration."""
    look = tables()
    lower = name.lower()
    words = text.split(" ")
    return (
        len(words) <= 5
        and all(_WORD.match(word) for word in words)
        and not look.commands.intersection(text.lower().split(" "))
        and not any(part in lower for part in look.actors)
    )


def _type(arg: Mapping[str, Any]) -> bool:
    subject = str(arg.get("value", ""))
    look = tables()
    listed = subject in look.allowed or subject in look.shapes
    return arg["type"] == "global" and _harmless(subject) and (class_like(subject) or listed)


def _word(arg: Mapping[str, Any]) -> bool:
    return _WORD.match(str(arg.get("value", ""))) is not None


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
        if arg["type"] in ("call", "instance") and arg["value"] in tables().texts:
            found.append(None)
        elif arg["type"] == "text":
            found.append(arg.get("value"))
        elif arg["type"] in ("bytes", "bytearray", "unknown", "nested"):
            found.append(None)
        waiting.extend(arg.get("items", ()))
    return found


def _hidden(args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether functions are among the arguments, or what may stand for them."""
    waiting = list(args)
    while waiting:
        arg = waiting.pop()
        waiting.extend(arg.get("items", ()))
        subject = str(arg.get("value", ""))
        if arg["type"] == "call" and subject in tables().callables:
            return True
        if arg["type"] == "global" and not class_like(subject) and not _data(subject):
            return True
    return False


def _data(subject: str) -> bool:
    """Say whether an imported name that is not written as a class is one, or a value, all the same."""
    look = tables()
    known_value = subject in look.allowed or subject in look.content
    # torch.float32, numpy.log1p: top-level names of these are types and plain arithmetic.
    return known_value or (subject.count(".") == 1 and subject.startswith(("numpy.", "torch.")))


def _fits(module: str, shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    more = shape[-1] == "..."
    wanted = shape[:-1] if more else shape
    if (len(args) < len(wanted) and not _optional(wanted)) or (len(args) > len(wanted) and not more):
        return False
    return all(
        any(_is(kind, arg, module) for kind in alternatives.split("/"))
        for alternatives, arg in zip(wanted, args, strict=False)
    )


def _optional(wanted: tuple[str, ...]) -> bool:
    """Say whether a constructor of plain data is meant, which may go without arguments."""
    return set(wanted) <= {
        "content",
        "plain",
        "value",
        "own/text",
        "constructor",
        "factory",
        "nothing",
    }


def _reaches(shape: tuple[str, ...], args: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a name among the arguments leads from the first of them to something dangerous."""
    held = args[0]["type"] if args else ""
    plain = "plain" in shape[0] and held not in ("global", "call", "instance", "unknown")
    for place, (kind, arg) in enumerate(zip(shape, args, strict=False)):
        if kind == "name":
            name = str(arg.get("value", ""))
            if place and plain and name not in _methods():
                return True
            owner = str(args[0].get("value", "")) if args[0]["type"] == "global" else ""
            # Of a class, `__new__` makes the instance that NEWOBJ makes.
            if name in tables().bound if not owner else name == _NEW and _harmless(owner):
                continue
            if category(owner, name) is not None:
                return True
    return False


def _is(kind: str, arg: Mapping[str, Any], module: str) -> bool:
    kind, _, texts = kind.partition("=")
    actual, value = arg["type"], str(arg.get("value", ""))
    if kind == "nothing":
        return False
    if kind in ("any", "factory"):
        return True
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
        return actual in _NUMBERS
    if kind == "owns":
        return actual == "tuple" and all(
            item["type"] == "global" and _is("own", item, module) and class_like(str(item["value"]))
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
        return actual in ("persistent", "call", "instance", "unknown") and _harmless(value)
    if kind == "flags":
        return actual == "dict" and all(map(_flag, arg["items"]))
    if kind in ("int", "ints"):
        return _numbers(arg, several=kind == "ints")
    if kind == "tensor":
        return actual == "unknown" or (actual in ("call", "instance") and _harmless(value))
    if kind == "layout":
        listed = actual == "global" and value.startswith("torch.")
        return listed or value == "torch.serialization._get_layout"
    if kind == "dtype":
        return actual == "global" and value.startswith("torch.") and value.count(".") == 1
    if kind == "made":
        return actual in ("call", "instance") and _harmless(value)
    if actual != "global":
        return kind == "callable" and actual in ("call", "instance") and _harmless(value)
    if kind == "class":
        return _harmless(value) and (class_like(value) or ordinary(*split(value)))
    if kind == "rebuild":
        torch = value.startswith("torch._utils._rebuild_") or value == _NESTED
        return torch if module.startswith("torch") else value in _REBUILT
    if kind == "generic":
        return value.startswith(_GENERIC) and _harmless(value)
    # A getattr that waits to be called reaches anything, and some names are only ever named.
    held = value.endswith("builtins.getattr") or tables().shapes.get(value) == ("never",)
    return kind in ("global", "callable") and _harmless(value) and not held


def _flag(arg: Mapping[str, Any]) -> bool:
    """Say whether a key or a value is a name, or yes or no."""
    return arg["type"] == "bool" or (arg["type"] == "text" and _public(str(arg.get("value", "_"))))


def _class_attribute(arg: Mapping[str, Any]) -> bool:
    """Say whether a key of a class' namespace is a public name, and of no method that an unpickler calls."""
    name = str(arg.get("value", "_"))
    return arg["type"] == "text" and _public(name) and not name.startswith("_") and name not in _methods()


def _held_by_class(arg: Mapping[str, Any]) -> bool:
    """Say whether a value of a class' namespace is nothing to call, or another such class."""
    return arg["type"] in ("text", "int", "float", "bool", "none", "tuple") or (
        arg["type"] == "call" and arg["value"] == "deap.creator.meta_create"
    )


@cache
def _methods() -> frozenset[str]:
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


def _harmless(subject: str) -> bool:
    return category(*split(subject)) is None or subject in tables().shapes


def split(subject: str) -> tuple[str, str]:
    """Return module and name of a subject."""
    module, _, name = subject.rpartition(".")
    return module, name
