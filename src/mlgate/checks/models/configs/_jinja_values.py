"""What the expressions of a template may come to, as far as its own text decides it.

A name that is put together when the template runs (``x['__cla' ~ 'ss__']``) is the same
name as one that is written out. Values are followed through ``set``, namespaces, loops
over lists, macros' parameters, and the filters and methods that build texts. Whatever
depends on the conversation stays unknown; the model's special tokens are as good as texts
that the model's author chose, and so are parts of the text that some object has.
"""

from collections.abc import Callable, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mlgate.checks.models.reader import Clock

# No name is longer, and nobody needs more variants of one.
_LONGEST = 1000
_MOST = 8
_LARGEST = 1 << 62
# Loops and macros are followed so many times around.
_ROUNDS = 20


class Value(Struct, frozen=True):
    """What is known of an expression.

    Attributes:
        known: What it may be: texts, numbers, tuples of them; empty where that is unknown.
        built: True where text is put together.
        barred: True where a part of the text ends or begins with an underscore, or holds two.
        leads: True where the whole text may begin with an underscore.
    """

    known: tuple[Any, ...] = ()
    built: bool = False
    barred: bool = False
    leads: bool = False


NOTHING = Value()
# A text that the model's author chose, and nobody sees here.
_CHOSEN = Value(built=True, barred=True, leads=True)
_TOKENS = ("_token", "_tokens", "special_tokens_map")
_STARTS = ("_", "gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_", "im_")


class Values:
    """The values of a template's expressions.

    Args:
        nodes: Of the template, each after those below it.
        clock: Of the file.
    """

    def __init__(self, nodes: Sequence[Any], clock: Clock) -> None:
        self._nodes = nodes
        self._values: dict[int, Value] = {}
        self._names: dict[str, Value] = {}
        self._macros = {
            node.name: [arg.name for arg in node.args] for node in nodes if type(node).__name__ == "Macro"
        }
        for _ in range(_ROUNDS):
            clock.check()
            before = dict(self._names)
            self._pass()
            if before == self._names:
                break

    def of(self, node: Any) -> Value:
        """Return what is known of an expression's value."""
        return self._values.get(id(node), NOTHING)

    def _pass(self) -> None:
        for node in self._nodes:
            kind = type(node).__name__
            make = _MAKERS.get(kind)
            if make is not None:
                self._values[id(node)] = make(self, node)
            if kind == "Assign":
                self._assign(node.target, node.node)
            elif kind == "With":
                for target, source in zip(node.targets, node.values, strict=False):
                    self._assign(target, source)
            elif kind == "Macro":
                for name, default in zip(reversed(node.args), reversed(node.defaults), strict=False):
                    self._note(name.name, self.of(default))
            elif kind == "AssignBlock":
                self._note(_place(node.target), _joined([self._text(each) for each in node.body]))
            elif kind == "For":
                self._note(_place(node.target), self._element(self.of(node.iter)))
            elif kind == "Call":
                self._parameters(node)

    def _assign(self, target: Any, source: Any) -> None:
        place = _place(target)
        self._note(place, self.of(source))
        if type(source).__name__ == "Call" and getattr(source.node, "name", "") in ("namespace", "dict"):
            for keyword in source.kwargs:
                self._note(f"{place}.{keyword.key}", self.of(keyword.value))
        elif type(source).__name__ == "Dict":
            for pair in source.items:
                for key in self.of(pair.key).known:
                    self._note(f"{place}.{key}", self.of(pair.value))
        elif type(target).__name__ == "Tuple" and type(source).__name__ in ("Tuple", "List"):
            for left, right in zip(target.items, source.items, strict=False):
                self._note(_place(left), self.of(right))

    def _parameters(self, call: Any) -> None:
        names = self._macros.get(getattr(call.node, "name", ""), ())
        for name, argument in zip(names, call.args, strict=False):
            self._note(name, self.of(argument))
        for keyword in call.kwargs:
            if keyword.key in names:
                self._note(keyword.key, self.of(keyword.value))

    def _note(self, place: str, value: Value) -> None:
        if not place or value == NOTHING:
            return
        before = self._names.get(place, NOTHING)
        known = tuple(dict.fromkeys((*before.known, *value.known)))
        self._names[place] = Value(
            known=known[:_MOST],
            # One of too many is as good as unknown.
            built=before.built or value.built or len(known) > _MOST,
            barred=before.barred or value.barred,
            leads=before.leads or value.leads,
        )

    def _element(self, value: Value) -> Value:
        parts = [part for each in value.known if isinstance(each, tuple | str) for part in each]
        known = tuple(dict.fromkeys(parts))
        return Value(
            known=known[:_MOST],
            built=value.built or len(known) > _MOST,
            barred=value.barred or any(map(_barred, known)),
            leads=value.barred or any(map(_barred, known)),
        )

    def _text(self, node: Any) -> Value:
        """Return what a statement writes."""
        if type(node).__name__ != "Output":
            return Value(built=True)
        return _joined([self.of(each) for each in node.nodes])

    def _const(self, node: Any) -> Value:
        if isinstance(node.value, str | int) and _small(node.value):
            return _exactly(node.value)
        return NOTHING

    def _data(self, node: Any) -> Value:
        return _exactly(node.data) if len(node.data) <= _LONGEST else NOTHING

    def _name(self, node: Any) -> Value:
        if node.ctx != "load":
            return NOTHING
        value = self._names.get(node.name, NOTHING)
        return _either([value, _CHOSEN]) if node.name.endswith(_TOKENS) else value

    def _list(self, node: Any) -> Value:
        return _apply(lambda *items: tuple(items), [self.of(item) for item in node.items], builds=False)

    def _dict(self, node: Any) -> Value:
        return _apply(lambda *keys: tuple(keys), [self.of(pair.key) for pair in node.items], builds=False)

    def _concat(self, node: Any) -> Value:
        return _joined([self.of(each) for each in node.nodes])

    def _binary(self, node: Any) -> Value:
        left, right = self.of(node.left), self.of(node.right)
        act = _BINARY[type(node).__name__]
        # A sum of unknown things is a number as likely as not.
        texts = [each for side in (left, right) for each in side.known if isinstance(each, str | tuple)]
        made = _apply(act, [left, right], builds=bool(texts) or left.built or right.built)
        if type(node).__name__ == "Mod":
            return _formatted(made, left)
        return replace(made, leads=_leads([left, right])) if type(node).__name__ == "Add" else made

    def _choice(self, node: Any) -> Value:
        sides = [self.of(node.expr1), self.of(node.expr2) if node.expr2 is not None else NOTHING]
        return _either(sides)

    def _logic(self, node: Any) -> Value:
        return _either([self.of(node.left), self.of(node.right)])

    def _field(self, node: Any) -> Value:
        place = f"{_place(node.node)}.{node.attr}"
        return self._names[place] if place in self._names else _tainted([self.of(node.node)])

    def _item(self, node: Any) -> Value:
        base = self.of(node.node)
        owner = _place(node.node)
        if type(node.arg).__name__ == "Slice":
            bounds = [
                self.of(each) if each is not None else Value(known=(None,))
                for each in (node.arg.start, node.arg.stop, node.arg.step)
            ]
            return _apply(
                lambda text, *ends: text[slice(*ends)], [base, *bounds], builds=base.built or bool(base.known)
            )
        if owner:
            for key in self.of(node.arg).known:
                if f"{owner}.{key}" in self._names:
                    return self._names[f"{owner}.{key}"]
        return _apply(lambda items, at: items[at], [base, self.of(node.arg)], builds=base.built)

    def _filter(self, node: Any) -> Value:
        if node.node is None:
            return NOTHING
        operands = [
            self.of(node.node),
            *(self.of(arg) for arg in node.args),
            *(self.of(k.value) for k in node.kwargs),
        ]
        return _built(node.name, operands, _FILTERS)

    def _call(self, node: Any) -> Value:
        operands = [self.of(arg) for arg in (*node.args, *(keyword.value for keyword in node.kwargs))]
        if type(node.node).__name__ != "Getattr":
            return _tainted([self.of(node.node), *operands])
        return _built(node.node.attr, [self.of(node.node.node), *operands], _METHODS)


def _built(name: str, operands: list[Value], table: "MappingProxyType[str, Callable[..., Any]]") -> Value:
    act = table.get(name)
    if act is None:
        return _tainted(operands)
    made = _apply(act, operands, builds=name in _BUILDING, keeps=name in _KEEPING)
    return _formatted(made, operands[0]) if name == "format" else made


def _tainted(operands: list[Value]) -> Value:
    """Return what anything may give that was given these."""
    if any(each.barred or each.leads for each in operands):
        return _CHOSEN
    return Value(built=True, leads=True) if any(each.built for each in operands) else NOTHING


def _formatted(made: Value, pattern: Value) -> Value:
    """Say of what a pattern was filled in to whether it may begin with an underscore."""
    if made.known or not pattern.known:
        return made
    plain = all(isinstance(each, str) and each[:1].isalnum() for each in pattern.known)
    # A number that is written as a character can be any.
    character = any(isinstance(each, str) and "c" in each for each in pattern.known)
    return replace(made, leads=not plain and (made.leads or character))


def _joined(parts: list[Value]) -> Value:
    made = _apply(lambda *texts: "".join(map(str, texts)), parts, builds=len(parts) > 1)
    return replace(made, leads=_leads(parts))


def _either(sides: list[Value]) -> Value:
    known = tuple(dict.fromkeys(each for side in sides for each in side.known))
    return Value(
        known=known[:_MOST],
        built=any(side.built for side in sides) or len(known) > _MOST,
        barred=any(side.barred for side in sides),
        leads=any(side.leads for side in sides),
    )


def _apply(act: Callable[..., Any], operands: list[Value], *, builds: bool, keeps: bool = False) -> Value:
    """Return what an operation on these gives: exact where all are known."""
    barred = any(each.barred for each in operands)
    exact = bool(operands) and len(operands) <= 200
    variants = 1
    for each in operands:
        variants *= len(each.known)
        exact = exact and 0 < variants <= _MOST
    made = []
    if exact:
        for chosen in product(*(each.known for each in operands)):
            try:
                result = act(*chosen)
            except (
                TypeError,
                ValueError,
                IndexError,
                KeyError,
                OverflowError,
                AttributeError,
                ZeroDivisionError,
            ):
                continue
            if _small(result):
                made.append(result)
    known = tuple(dict.fromkeys(made))
    barred = barred or any(map(_barred, known))
    # What is known needs no suspicion.
    part = any(each.built for each in operands)
    if known and not part:
        return Value(known=known, barred=barred, leads=any(map(_leading, known)))
    leads = any(each.leads for each in operands) if keeps else barred or part
    return Value(known=known, built=part or builds, barred=barred, leads=leads)


def _leads(parts: Sequence[Value]) -> bool:
    """Say whether a text that is put together of these may begin with an underscore."""
    for part in parts:
        if part.leads or any(map(_leading, part.known)):
            return True
        if not part.known and not part.built:
            return any(each.barred for each in parts)
        if "" not in part.known:
            return False
    return False


def _exactly(value: Any) -> Value:
    return Value(known=(value,), barred=_barred(value), leads=_leading(value))


def _leading(value: Any) -> bool:
    """Say whether a text begins as the names do that lead into Python."""
    return isinstance(value, str) and value.startswith(_STARTS)


def _small(value: Any) -> bool:
    if isinstance(value, str | tuple):
        return len(value) <= _LONGEST
    return isinstance(value, int) and abs(value) < _LARGEST


def _barred(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(_barred(each) for each in value)
    return isinstance(value, str) and (value.startswith("_") or value.endswith("_") or "__" in value)


def _place(node: Any) -> str:
    """Return the name that a value is kept under, or ""."""
    kind = type(node).__name__
    if kind == "Name":
        return str(node.name)
    if kind == "NSRef":
        return f"{node.name}.{node.attr}"
    return ""


def _times(left: Any, right: Any) -> Any:
    size = (
        len(left) * right
        if isinstance(left, str | tuple)
        else len(right) * left
        if isinstance(right, str)
        else 0
    )
    return left * right if size <= _LONGEST and (size or isinstance(left, int)) else None


def _percent(left: Any, right: Any) -> Any:
    return (
        left % right
        if not isinstance(left, str) or ("*" not in left and not any(len(d) > 3 for d in _digits(left)))
        else None
    )


def _digits(text: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in text).split()


def _format(text: Any, *values: Any) -> Any:
    return _percent(text, values)


def _replace(text: Any, old: Any, new: Any, *_: Any) -> Any:
    return text.replace(old, new) if len(text) * (len(new) + 1) <= 100 * _LONGEST else None


def _join(items: Any, between: Any = "", *_: Any) -> Any:
    return str(between).join(map(str, items))


_BINARY: MappingProxyType[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"Add": lambda a, b: a + b, "Mul": _times, "Mod": _percent, "Sub": lambda a, b: a - b}
)
_TEXT: dict[str, Callable[..., Any]] = {
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "title": lambda text: str(text).title(),
    "capitalize": lambda text: str(text).capitalize(),
    "replace": _replace,
}
_FILTERS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        **_TEXT,
        "join": _join,
        "reverse": lambda items: items[::-1],
        "format": _format,
        "string": lambda value: str(value) if isinstance(value, str | int) else None,
        "trim": lambda text, *c: text.strip(*c),
        "list": tuple,
        "first": lambda items: items[0],
        "last": lambda items: items[-1],
        "safe": lambda text: text,
        "e": lambda text: text,
        "escape": lambda text: text,
        "sort": lambda items, *_: tuple(sorted(items)),
        "unique": lambda items, *_: tuple(dict.fromkeys(items)),
        "default": lambda value, *_: value,
    }
)
_METHODS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        **_TEXT,
        "join": lambda between, items: _join(items, between),
        "strip": lambda text, *c: text.strip(*c),
        "lstrip": lambda text, *c: text.lstrip(*c),
        "rstrip": lambda text, *c: text.rstrip(*c),
        "swapcase": lambda text: text.swapcase(),
        "removeprefix": lambda text, part: text.removeprefix(part),
        "removesuffix": lambda text, part: text.removesuffix(part),
        "split": lambda text, *by: tuple(text.split(*by)),
        "format": lambda text, *values: text.format(*values) if text.count("{") == text.count("{}") else None,
    }
)
# These change no text's beginning.
_KEEPING = frozenset({"lower", "upper", "title", "capitalize", "safe", "e", "escape", "default", "string"})
# These make a text out of others.
_BUILDING = frozenset(
    {"join", "reverse", "format", "string", "replace", "swapcase", "tojson", "xmlattr", "urlencode"}
)
_MAKERS: MappingProxyType[str, Callable[[Values, Any], Value]] = MappingProxyType(
    {
        "Const": Values._const,  # noqa: SLF001
        "TemplateData": Values._data,  # noqa: SLF001
        "Name": Values._name,  # noqa: SLF001
        "List": Values._list,  # noqa: SLF001
        "Tuple": Values._list,  # noqa: SLF001
        "Dict": Values._dict,  # noqa: SLF001
        "Concat": Values._concat,  # noqa: SLF001
        "Add": Values._binary,  # noqa: SLF001
        "Sub": Values._binary,  # noqa: SLF001
        "Mul": Values._binary,  # noqa: SLF001
        "Mod": Values._binary,  # noqa: SLF001
        "CondExpr": Values._choice,  # noqa: SLF001
        "Or": Values._logic,  # noqa: SLF001
        "And": Values._logic,  # noqa: SLF001
        "Getattr": Values._field,  # noqa: SLF001
        "Getitem": Values._item,  # noqa: SLF001
        "Filter": Values._filter,  # noqa: SLF001
        "Call": Values._call,  # noqa: SLF001
    }
)
