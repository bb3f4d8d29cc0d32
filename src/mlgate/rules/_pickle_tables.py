"""The tables of ``data/pickle.toml``, ready for look-up."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from mlgate.core import toml_table

# Gravest first: a global in several categories counts for the first.
CATEGORIES = ("executes", "code", "resolves", "loads", "network", "file", "process")


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
