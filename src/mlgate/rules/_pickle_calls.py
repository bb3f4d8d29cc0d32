"""Whether a call in a pickle is one that honest writers make: what is called, and with what."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.rules._argument_shapes import NUMBERS, fits, fits_kind, methods, reaches
from mlgate.rules._globals import class_like, exception, harmless, known
from mlgate.rules._pickle_tables import tables

# A word is no file, no address and no command.
_WORD = re.compile(r"[A-Za-z][\w+-]{0,40}\Z")
_TYPES = ("types.GenericAlias", "operator.getitem", "_operator.getitem", "builtins.type")


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
        return args is not None and fits(module, shape, args) and not reaches(shape, args)
    if subject in look.allowed or (module == "builtins" and exception(name)):
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
        rest = all(fits_kind("plain", arg, "") for arg in args[1:])
        return args[0]["type"] == "text" and args[0].get("value") in methods() and rest
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
    if exception(name):
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
    return arg["type"] == "global" and harmless(subject) and (class_like(subject) or listed)


def _word(arg: Mapping[str, Any]) -> bool:
    return _WORD.match(str(arg.get("value", ""))) is not None


def _number(arg: Mapping[str, Any]) -> bool:
    if arg["type"] in ("tuple", "list"):
        return all(_number(item) for item in arg["items"])
    return arg["type"] in NUMBERS


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
