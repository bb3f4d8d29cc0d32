"""Python literals, as NumPy writes its headers: parsed without recursion or evaluation."""

import re
from functools import cache
from typing import Any

_DEEPEST = 32


class NotLiteral(ValueError):  # noqa: N818 - reads well where it is raised
    """The text is no literal of strings, whole numbers, tuples, lists and dictionaries."""


def parse(text: str) -> Any:
    """Return the value of a literal.

    Raises:
        NotLiteral: It is none, or it is nested more than 32 deep.
    """
    stack: list[tuple[str, list[Any]]] = [("", [])]
    at = 0
    apart = True
    for token in _tokens().finditer(text):
        if token.start() != at:
            raise NotLiteral("a character that no literal has")
        at = token.end()
        kind = token.lastgroup
        if kind == "space":
            continue
        if not apart and kind not in ("comma", "close"):
            # Python joins texts that stand side by side.
            raise NotLiteral("values with nothing between them")
        apart = kind in ("comma", "open")
        _take(token, stack)
    if at != len(text) or len(stack) != 1 or len(stack[0][1]) != 1:
        raise NotLiteral("not one whole literal")
    return stack[0][1][0]


def _take(token: re.Match[str], stack: list[tuple[str, list[Any]]]) -> None:
    kind, value = token.lastgroup, token[0]
    if kind == "open":
        if len(stack) > _DEEPEST:
            raise NotLiteral("nested too deep")
        stack.append((value, []))
    elif kind == "close":
        opened, items = stack.pop()
        if not stack or opened + value not in ("()", "[]", "{}"):
            raise NotLiteral("brackets that do not match")
        stack[-1][1].append(_closed(opened, items))
    elif kind == "text":
        if "\\" in value:
            raise NotLiteral("an escape in a string")
        stack[-1][1].append(value[1:-1])
    elif kind == "number":
        stack[-1][1].append(int(value.rstrip("L")))
    elif kind == "word":
        stack[-1][1].append({"True": True, "False": False, "None": None}[value])


def _closed(opened: str, items: list[Any]) -> Any:
    if opened == "[":
        return items
    if opened == "(":
        return tuple(items)
    if len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
        raise NotLiteral("a dictionary whose keys are no text")
    made = dict(zip(items[::2], items[1::2], strict=True))
    if len(made) * 2 != len(items):
        raise NotLiteral("a dictionary with a key twice")
    return made


@cache
def _tokens() -> re.Pattern[str]:
    # Commas and colons only separate here: a header that bends their grammar means the same.
    return re.compile(
        r"(?P<space>\s+)|(?P<comma>[,:])|(?P<open>[(\[{])|(?P<close>[)\]}])"
        r"|(?P<text>'[^'\n]*'|\"[^\"\n]*\")|(?P<number>-?\d{1,40}L?)|(?P<word>True|False|None)"
    )
