"""What a template does beyond filling in a conversation."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mlgate.checks.models.configs._jinja import Parsed, Unknown
from mlgate.checks.models.configs._jinja_texts import Value
from mlgate.checks.models.configs._jinja_values import Values
from mlgate.checks.models.stream import printable

_TABLE = Path(__file__).parent.parent / "data" / "jinja_names.csv"
# Callable things of Jinja itself; what a chat template does with them is to call them.
_GLOBALS = frozenset(
    {"lipsum", "cycler", "joiner", "namespace", "range", "dict", "raise_exception", "strftime_now"}
)
# Filters and tests that take the name of an attribute, or of another filter.
# Filters that give the whole of what they are given.
_PRINTING = frozenset(
    ("trim", "tojson", "length", "upper", "lower", "defined", "string", "none", "undefined")
)
_BY_NAME = frozenset({"map", "select", "selectattr", "reject", "rejectattr", "groupby", "sort", "sum"})
_BY_NAME |= {"unique", "min", "max", "join"}
_OUTSIDE = {"Include": "include", "Import": "import", "FromImport": "import", "Extends": "extends"}
# No conversation is longer.
_MOST_TURNS = 100_000
# Of loops within loops together, which take minutes.
_MOST_NESTED = 10_000_000
_MOST_STEPS = 200_000


class Act(Struct, frozen=True):
    """One thing that a template does.

    Attributes:
        kind: ``internals``, ``outside`` or ``loop``.
        how: How: ``attribute``, ``subscript``, ``built``, ``filter``, ``text``, ``global``, ``web``,
            ``tag``; or which statement, or which kind of loop.
        subject: The name.
        line: 1-based, in the template.
    """

    kind: str
    how: str
    subject: str
    line: int


def acts(parsed: Parsed, values: Values) -> Iterator[Act]:
    """Yield what a template does that chat templates have no need to do."""
    own = {node.name for node in parsed.nodes if type(node).__name__ == "Name" and node.ctx != "load"}
    own |= {node.name for node in parsed.nodes if type(node).__name__ in ("Macro", "Block")}
    pieces = any(_is_piece(node) for node in parsed.nodes)
    by_value = any(_takes_by_value(node) for node in parsed.nodes)
    for node in parsed.nodes:
        kind = type(node).__name__
        if kind == "Getattr":
            yield from _attribute(node, own)
        elif kind == "Getitem":
            value = values.of(node.arg)
            # A piece of a name that stands somewhere may have come here on ways that are not followed.
            yield from _named(replace(value, leads=value.leads or pieces), "subscript", node)
            yield from _of_global(node, own)
        elif kind in ("Filter", "Test"):
            yield from _by_name(node, values)
        elif kind == "Const":
            # A sentence that speaks of Python is only printed, where nothing could take a word out of it.
            if by_value or not _is_prose(node.value):
                yield from _text(node.value, node)
        elif kind == "TemplateData":
            # Nothing but a name: somebody takes it up.
            if _dunder().fullmatch(node.data.strip()) is not None:
                yield from _text(node.data, node)
        elif kind in ("Concat", "Add", "Mod", "Call"):
            for known in values.of(node).known:
                yield from _text(known, node)
        elif kind in _OUTSIDE:
            target = getattr(getattr(node, "template", None), "value", "")
            yield Act("outside", _OUTSIDE[kind], printable(str(target), 100), node.lineno)
        elif kind in ("Name", "Keyword"):
            name = node.name if kind == "Name" else node.key
            if _inner(name) is not None:
                yield Act("internals", "attribute", name, node.lineno)
        if kind in ("Call", "Mul"):
            yield from _endless(node, values)
    for statement in parsed.unknown:
        yield from _words(statement)
    yield from _recursion(parsed.nodes)
    yield from _nested_loops(parsed.nodes, values)


def suspicious(text: str) -> str | None:
    """Return the first inner name in code that could not be parsed, or None."""
    match = _dunder().search(text)
    return None if match is None else match[0]


def _attribute(node: Any, own: set[str]) -> Iterator[Act]:
    name = node.attr
    # Jinja's sandboxes refuse what begins with one underscore, so no template in use asks for it.
    if _inner(name) is not None or name.startswith("_") or (_names().get(name) == "inner"):
        yield Act("internals", "attribute", name, node.lineno)
    elif _names().get(name) == "acts":
        yield Act("internals", "call", name, node.lineno)
    else:
        yield from _of_global(node, own)


def _of_global(node: Any, own: set[str]) -> Iterator[Act]:
    """Yield where something is taken out of a function of Jinja's, or of a web framework's objects."""
    owner = node.node
    if type(owner).__name__ != "Name" or owner.name in own:
        return
    if owner.name in _GLOBALS or owner.name == "self":
        if owner.name != "self" or getattr(node, "attr", "") not in own:
            yield Act("internals", "global", owner.name, node.lineno)
    elif _names().get(owner.name) == "web" and type(node).__name__ == "Getattr":
        yield Act("internals", "web", owner.name, node.lineno)


def _named(value: Value, how: str, node: Any) -> Iterator[Act]:
    """Yield where a value that names an attribute is an inner one, or one that nobody can foresee."""
    for known in value.known:
        if isinstance(known, str) and (_inner(known) is not None or _names().get(known) == "inner"):
            yield Act("internals", how, printable(known, 100), node.lineno)
            return
    if value.built and value.leads:
        yield Act("internals", "built", "a name that is put together", node.lineno)


def _by_name(node: Any, values: Values) -> Iterator[Act]:
    if node.name in {"attr", *_BY_NAME} and (node.dyn_args is not None or node.dyn_kwargs is not None):
        yield Act("internals", "built", "a name that is put together", node.lineno)
    if node.name == "attr":
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            value = values.of(argument)
            yield from _named(value, "filter", node)
            if not value.known:
                yield Act("internals", "built", "a name that is put together", node.lineno)
    elif node.name in _BY_NAME:
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            value = values.of(argument)
            for known in value.known:
                if known == "attr":
                    yield Act("internals", "filter", "attr", node.lineno)
                for step in known.split(".") if isinstance(known, str) and node.name != "join" else ():
                    yield from _named(Value(known=(step,)), "filter", node)
            yield from _named(Value(built=value.built, leads=value.leads), "filter", node)


def _text(value: Any, node: Any) -> Iterator[Act]:
    """Yield the inner names in a text; nobody prints them to a model."""
    if isinstance(value, tuple):
        value = "\n".join(each for each in value if isinstance(each, str))
    if isinstance(value, str) and "__" in value:
        for name in dict.fromkeys(_dunder().findall(value)):
            yield Act("internals", "text", name, node.lineno)


def _words(statement: Unknown) -> Iterator[Act]:
    for word in statement.words:
        if _inner(word) is not None or suspicious(word) is not None:
            yield Act("internals", "tag", printable(word, 100), statement.line)


def _is_prose(value: Any) -> bool:
    return isinstance(value, str) and len(value.split()) >= 6 and "{" not in value


def _takes_by_value(node: Any) -> bool:
    """Say whether an attribute or a part of a text is taken, by anything but a name that is written out."""
    kind = type(node).__name__
    if kind == "Getitem":
        return type(node.arg).__name__ != "Const"
    if kind in ("Filter", "Test"):
        return node.name not in _PRINTING
    return kind == "Call" and type(node.node).__name__ == "Getattr"


def _is_piece(node: Any) -> bool:
    """Say whether a text could be the first piece of an inner name."""
    kind = type(node).__name__
    value = node.data.strip() if kind == "TemplateData" else node.value if kind == "Const" else None
    return isinstance(value, str) and value.startswith("_") and len(value) < 16


def _endless(node: Any, values: Values) -> Iterator[Act]:
    if type(node).__name__ == "Mul":
        sides = [*values.of(node.left).known, *values.of(node.right).known]
        large = any(isinstance(each, int) and each > _MOST_TURNS for each in sides)
        if large and any(isinstance(each, str | tuple) for each in sides):
            yield Act("loop", "repetition", "a text that is repeated", node.lineno)
    elif getattr(node.node, "name", "") in ("range", "lipsum"):
        bounds = [each for arg in node.args for each in values.of(arg).known]
        bounds += [each for word in node.kwargs for each in values.of(word.value).known]
        computed = any(type(arg).__name__ == "Pow" for arg in node.args)
        if computed or any(isinstance(each, int) and abs(each) > _MOST_TURNS for each in bounds):
            yield Act("loop", "range", node.node.name, node.lineno)


def _nested_loops(nodes: Sequence[Any], values: Values) -> Iterator[Act]:
    """Yield a loop over ranges within another that together count too far."""
    steps = 0
    for loop in nodes:
        turns = _turns(loop, values)
        stack = [(child, turns) for child in loop.body] if turns > 1 else []
        while stack:
            steps += 1
            node, so_far = stack.pop()
            inner = _turns(node, values)
            # What takes so long to follow is no conversation either.
            if inner * so_far > _MOST_NESTED or steps > _MOST_STEPS:
                yield Act("loop", "range", "range within range", node.lineno)
                return
            stack.extend((child, so_far * inner) for child in node.iter_child_nodes())


def _turns(node: Any, values: Values) -> int:
    """Return how often a loop over a range that is written out runs, or 1."""
    if type(node).__name__ != "For" or getattr(getattr(node.iter, "node", None), "name", "") != "range":
        return 1
    bounds = [each for arg in node.iter.args[:2] for each in values.of(arg).known if isinstance(each, int)]
    return max(map(abs, bounds), default=1) or 1


def _recursion(nodes: Sequence[Any]) -> Iterator[Act]:
    """Yield the macros that call themselves whatever happens."""
    for macro in nodes:
        if type(macro).__name__ != "Macro":
            continue
        stack = list(macro.body)
        while stack:
            node = stack.pop()
            kind = type(node).__name__
            if kind == "Call" and getattr(node.node, "name", "") == macro.name:
                yield Act("loop", "recursion", macro.name, node.lineno)
                break
            # What is under a condition or in a loop may end.
            if kind not in ("If", "For", "CondExpr", "Macro", "And", "Or"):
                stack.extend(node.iter_child_nodes())


def _inner(name: str) -> str | None:
    """Return a name if it is one of Python's own."""
    return name if name.startswith("__") or _mangled().match(name) else None


@cache
def _names() -> dict[str, str]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    return {row[0]: row[1] for row in rows[1:]}


@cache
def _mangled() -> re.Pattern[str]:
    return re.compile(r"_[A-Za-z]\w*?__\w", re.ASCII)


@cache
def _dunder() -> re.Pattern[str]:
    return re.compile(
        r"__(?:class|mro|bases?|subclasses|globals|builtins|init|import|getattribute|getattr|dict|code|reduce(?:_ex)?"
        r"|closure|func|self|wrapped|module|loader|spec|call|new|subclasshook|init_subclass|context|environment)__"
        r"|_TemplateReference__|\b(?:func_globals|f_builtins|f_globals|gi_frame|cr_frame)\b",
        re.ASCII,
    )
