"""What the expressions of a template may come to, as far as its own text decides it.

A name that is put together when the template runs (``x['__cla' ~ 'ss__']``) is the same
name as one that is written out. Values are followed through ``set``, namespaces, loops
over lists, macros' parameters, and the filters and methods that build texts. Whatever
depends on the conversation stays unknown; the model's special tokens are as good as texts
that the model's author chose, and so are parts of the text that some object has.
"""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from mlgate.checks.models.configs._jinja_texts import (
    BINARY,
    CHOSEN,
    FILTERS,
    LONGEST,
    METHODS,
    MOST,
    NOTHING,
    TOKENS,
    Value,
    apply,
    begins,
    built,
    either,
    exactly,
    formatted,
    is_number,
    joined,
    small,
    tainted,
    underlined,
)
from mlgate.checks.models.reader import Clock

# Loops and macros are followed so many times around.
_ROUNDS = 20


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
                self._note(f"{node.name}()", joined([self._text(each) for each in node.body]))
            elif kind == "AssignBlock":
                self._note(_place(node.target), joined([self._text(each) for each in node.body]))
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
            known=known[:MOST],
            # One of too many is as good as unknown; a number is no name.
            built=before.built or value.built or (len(known) > MOST and not all(map(is_number, known))),
            barred=before.barred or value.barred,
            leads=before.leads or value.leads,
        )

    def _element(self, value: Value) -> Value:
        parts = [part for each in value.known if isinstance(each, tuple | str) for part in each]
        known = tuple(dict.fromkeys(parts))
        return Value(
            known=known[:MOST],
            built=value.built or len(known) > MOST,
            barred=value.barred or any(map(underlined, known)),
            leads=value.barred or any(map(underlined, known)),
        )

    def _text(self, node: Any) -> Value:
        """Return what a statement writes."""
        if type(node).__name__ != "Output":
            return Value(built=True)
        return joined([self.of(each) for each in node.nodes])

    def _const(self, node: Any) -> Value:
        if isinstance(node.value, str | int) and small(node.value):
            return exactly(node.value)
        return NOTHING

    def _data(self, node: Any) -> Value:
        return exactly(node.data) if len(node.data) <= LONGEST else NOTHING

    def _name(self, node: Any) -> Value:
        if node.ctx != "load":
            return NOTHING
        value = self._names.get(node.name, NOTHING)
        return either([value, CHOSEN]) if node.name.endswith(TOKENS) else value

    def _list(self, node: Any) -> Value:
        return apply(lambda *items: tuple(items), [self.of(item) for item in node.items], builds=False)

    def _dict(self, node: Any) -> Value:
        return apply(lambda *keys: tuple(keys), [self.of(pair.key) for pair in node.items], builds=False)

    def _concat(self, node: Any) -> Value:
        return joined([self.of(each) for each in node.nodes])

    def _binary(self, node: Any) -> Value:
        left, right = self.of(node.left), self.of(node.right)
        act = BINARY[type(node).__name__]
        # A sum of unknown things is a number as likely as not.
        texts = [each for side in (left, right) for each in side.known if isinstance(each, str | tuple)]
        made = apply(act, [left, right], builds=bool(texts) or left.built or right.built)
        if type(node).__name__ == "Mod":
            return formatted(made, left)
        return replace(made, leads=begins([left, right])) if type(node).__name__ == "Add" else made

    def _choice(self, node: Any) -> Value:
        sides = [self.of(node.expr1), self.of(node.expr2) if node.expr2 is not None else NOTHING]
        return either(sides)

    def _logic(self, node: Any) -> Value:
        return either([self.of(node.left), self.of(node.right)])

    def _field(self, node: Any) -> Value:
        place = f"{_place(node.node)}.{node.attr}"
        return self._names[place] if place in self._names else tainted([self.of(node.node)])

    def _item(self, node: Any) -> Value:
        base = self.of(node.node)
        owner = _place(node.node)
        if type(node.arg).__name__ == "Slice":
            bounds = [
                self.of(each) if each is not None else Value(known=(None,))
                for each in (node.arg.start, node.arg.stop, node.arg.step)
            ]
            return apply(
                lambda text, *ends: text[slice(*ends)], [base, *bounds], builds=base.built or bool(base.known)
            )
        if owner:
            for key in self.of(node.arg).known:
                if f"{owner}.{key}" in self._names:
                    return self._names[f"{owner}.{key}"]
        return apply(lambda items, at: items[at], [base, self.of(node.arg)], builds=base.built)

    def _filter(self, node: Any) -> Value:
        if node.node is None:
            return NOTHING
        operands = [
            self.of(node.node),
            *(self.of(arg) for arg in node.args),
            *(self.of(k.value) for k in node.kwargs),
        ]
        return built(node.name, operands, FILTERS)

    def _call(self, node: Any) -> Value:
        operands = [self.of(arg) for arg in (*node.args, *(keyword.value for keyword in node.kwargs))]
        name = getattr(node.node, "name", "")
        if name in self._macros or name == "caller":
            # A macro gives what it writes.
            return either([self._names.get(f"{name}()", NOTHING), Value(built=True)])
        if type(node.node).__name__ != "Getattr":
            return tainted([self.of(node.node), *operands])
        return built(node.node.attr, [self.of(node.node.node), *operands], METHODS)


def _place(node: Any) -> str:
    """Return the name that a value is kept under, or ""."""
    kind = type(node).__name__
    if kind == "Name":
        return str(node.name)
    if kind == "NSRef":
        return f"{node.name}.{node.attr}"
    return ""


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
