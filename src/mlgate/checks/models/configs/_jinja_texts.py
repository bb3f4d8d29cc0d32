"""Texts that a template puts together: what operations on them give, where that can be told."""

from collections.abc import Callable, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

# No name is longer, and nobody needs more variants of one.
LONGEST = 1000
MOST = 8
_LARGEST = 1 << 62


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
CHOSEN = Value(built=True, barred=True, leads=True)
TOKENS = ("_token", "_tokens", "special_tokens_map")
_STARTS = ("_", "gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_", "im_")


def built(name: str, operands: list[Value], table: "MappingProxyType[str, Callable[..., Any]]") -> Value:
    """Return what a filter or method gives."""
    act = table.get(name)
    if act is None:
        return tainted(operands)
    made = apply(act, operands, builds=name in _BUILDING, keeps=name in _KEEPING)
    return formatted(made, operands[0]) if name == "format" else made


def tainted(operands: list[Value]) -> Value:
    """Return what anything may give that was given these."""
    if any(each.barred or each.leads for each in operands):
        return CHOSEN
    return Value(built=True, leads=True) if any(each.built for each in operands) else NOTHING


def formatted(made: Value, pattern: Value) -> Value:
    """Say of what a pattern was filled in to whether it may begin with an underscore."""
    if made.known or not pattern.known:
        return made
    plain = all(isinstance(each, str) and each[:1].isalnum() for each in pattern.known)
    # A number that is written as a character can be any.
    character = any(isinstance(each, str) and "c" in each for each in pattern.known)
    return replace(made, leads=not plain and (made.leads or character))


def joined(parts: list[Value]) -> Value:
    """Return what these give, one behind the other."""
    made = apply(lambda *texts: "".join(map(str, texts)), parts, builds=len(parts) > 1)
    return replace(made, leads=begins(parts))


def either(sides: list[Value]) -> Value:
    """Return what is one of these."""
    known = tuple(dict.fromkeys(each for side in sides for each in side.known))
    return Value(
        known=known[:MOST],
        built=any(side.built for side in sides) or len(known) > MOST,
        barred=any(side.barred for side in sides),
        leads=any(side.leads for side in sides),
    )


def apply(act: Callable[..., Any], operands: list[Value], *, builds: bool, keeps: bool = False) -> Value:
    """Return what an operation on these gives: exact where all are known."""
    barred = any(each.barred for each in operands)
    exact = bool(operands) and len(operands) <= 200
    variants = 1
    for each in operands:
        variants *= len(each.known)
        exact = exact and 0 < variants <= MOST
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
            if small(result):
                made.append(result)
    known = tuple(dict.fromkeys(made))
    barred = barred or any(map(underlined, known))
    # What is known needs no suspicion.
    part = any(each.built for each in operands)
    if known and not part:
        return Value(known=known, barred=barred, leads=any(map(_leading, known)))
    leads = any(each.leads for each in operands) if keeps else barred or part
    return Value(known=known, built=part or builds, barred=barred, leads=leads)


def begins(parts: Sequence[Value]) -> bool:
    """Say whether a text that is put together of these may begin with an underscore."""
    for part in parts:
        if part.leads or any(map(_leading, part.known)):
            return True
        if not part.known and not part.built:
            return any(each.barred for each in parts)
        if "" not in part.known:
            return False
    return False


def exactly(value: Any) -> Value:
    """Return a value that is written out."""
    return Value(known=(value,), barred=underlined(value), leads=_leading(value))


def _leading(value: Any) -> bool:
    """Say whether a text begins as the names do that lead into Python."""
    return isinstance(value, str) and value.startswith(_STARTS)


def is_number(value: Any) -> bool:
    """Say whether a value is one, and no text."""
    return isinstance(value, int)


def small(value: Any) -> bool:
    """Say whether a value is worth keeping."""
    if isinstance(value, str | tuple):
        return len(value) <= LONGEST
    return isinstance(value, int) and abs(value) < _LARGEST


def underlined(value: Any) -> bool:
    """Say whether a text, or one in a list, could be a piece of an inner name."""
    if isinstance(value, tuple):
        return any(underlined(each) for each in value)
    return isinstance(value, str) and (value.startswith("_") or value.endswith("_") or "__" in value)


def _times(left: Any, right: Any) -> Any:
    size = (
        len(left) * right
        if isinstance(left, str | tuple)
        else len(right) * left
        if isinstance(right, str)
        else 0
    )
    return left * right if size <= LONGEST and (size or isinstance(left, int)) else None


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
    return text.replace(old, new) if len(text) * (len(new) + 1) <= 100 * LONGEST else None


def _join(items: Any, between: Any = "", *_: Any) -> Any:
    return str(between).join(map(str, items))


BINARY: MappingProxyType[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"Add": lambda a, b: a + b, "Mul": _times, "Mod": _percent, "Sub": lambda a, b: a - b}
)
_TEXT: dict[str, Callable[..., Any]] = {
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "title": lambda text: str(text).title(),
    "capitalize": lambda text: str(text).capitalize(),
    "replace": _replace,
}
FILTERS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
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
METHODS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
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
