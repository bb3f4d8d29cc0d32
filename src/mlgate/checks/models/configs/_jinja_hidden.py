"""Instructions that a template slips in when the conversation holds a certain word."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from mlgate.checks.models.stream import printable

# What people write, as opposed to marks such as ``<think>`` or ``/no_think``.
_WORDS_OF_INSTRUCTION = 5


def hidden(nodes: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Yield the line and the word of each condition on what was said that writes sentences.

    Conditions on roles, tools and settings are ordinary, and so are conditions on marks.
    """
    for node in nodes:
        if type(node).__name__ != "If":
            continue
        trigger = _trigger(node.test)
        if trigger is not None and _writes_sentences(node.body):
            yield node.lineno, printable(trigger, 100)


def _trigger(test: Any) -> str | None:
    """Return the natural word that a condition looks for in what was said."""
    stack = [test]
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        if kind == "Compare" and len(node.ops) == 1 and node.ops[0].op in ("in", "eq"):
            sides = (node.expr, node.ops[0].expr)
            word = _word(sides[0]) or (_word(sides[1]) if node.ops[0].op == "eq" else None)
            if word is not None and any(map(_is_content, sides)):
                return word
        elif kind == "Call" and getattr(node.node, "attr", "") in ("startswith", "endswith", "find", "count"):
            word = _word(node.args[0]) if node.args else None
            if word is not None and _is_content(node.node.node):
                return word
        elif kind in ("And", "Or"):
            stack += [node.left, node.right]
    return None


def _word(node: Any) -> str | None:
    value = getattr(node, "value", None)
    return value if isinstance(value, str) and _natural().fullmatch(value) else None


def _is_content(node: Any) -> bool:
    """Say whether an expression is what somebody said."""
    while True:
        kind = type(node).__name__
        if kind == "Getattr":
            if node.attr == "content":
                return True
            node = node.node
        elif kind == "Getitem":
            if getattr(node.arg, "value", "") == "content":
                return True
            node = node.node
        elif kind == "Call" or (kind == "Filter" and node.node is not None):
            node = node.node
        else:
            return kind == "Name" and node.name in ("content", "prompt", "user_message", "query")


def _writes_sentences(body: Sequence[Any]) -> bool:
    stack = list(body)
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        if kind == "Output":
            texts = [getattr(each, "data", None) or getattr(each, "value", None) for each in node.nodes]
            if any(
                isinstance(text, str) and len(_plain().findall(text)) >= _WORDS_OF_INSTRUCTION
                for text in texts
            ):
                return True
        if kind in ("If", "For", "Output", "Concat", "Add", "CondExpr"):
            stack.extend(node.iter_child_nodes())
    return False


@cache
def _natural() -> re.Pattern[str]:
    return re.compile(r"[^\W\d_][\w '.,!?-]{2,200}")


@cache
def _plain() -> re.Pattern[str]:
    # Not what stands in marks: <|im_start|>user.
    return re.compile(r"(?<![\w<|/\[{\"'])[^\W\d_]{2,}(?=[\s.,!?:;]|$)")
