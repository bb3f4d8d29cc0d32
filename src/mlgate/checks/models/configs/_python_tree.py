"""The syntax tree of Python source, also where some lines are of a newer Python."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

_REPAIRS = 20


class Effect(Struct, frozen=True):
    """Something that the code does beyond computing.

    Attributes:
        subject: Dotted name of what is called.
        act: ``executes``, ``evaluates``, ``loads``, ``native``, ``network``, ``imports``, ``writes``.
        where: ``import``, ``load`` in a method that loaders call, or ``function``.
        source: Of what is evaluated or loaded: ``decoded``, ``downloaded``, ``file`` or "".
        line: 1-based.
        function: Of where ``function``: which function or class it is that does so.
    """

    subject: str
    act: str
    where: str
    source: str
    line: int
    function: str = ""


def parsed(source: str | bytes) -> tuple[ast.Module | None, list[Effect]]:
    """Return the syntax tree of a source, and what lines do that were left out of it.

    A newer Python may read lines that this one cannot: those are put aside, a few at
    most, and the tree of the rest is returned; None where Python could not read it either.

    Raises:
        RecursionError: It is nested too deep.
        MemoryError: It is nested too deep, too.
    """
    import warnings  # noqa: PLC0415 - what is odd in the source is not ours to say

    left_out: list[Effect] = []
    lines: list[bytes] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_REPAIRS):
            try:
                return ast.parse(source), left_out
            except SyntaxError as error:
                if isinstance(source, str) or error.lineno is None:
                    return None, []
                lines = lines or source.splitlines(keepends=True)
                at = error.lineno - 1
                if not 0 <= at < len(lines) or lines[at].strip() in (b"", b"pass"):
                    return None, []
                left_out += _of_line(lines[at], at + 1)
                indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
                opens = lines[at].rstrip().endswith(b":")
                lines[at] = indent + (b"if 1:" if opens else b"pass") + b"\n"
                source = b"".join(lines)
            except ValueError:
                return None, []
    return None, []


def _of_line(line: bytes, number: int) -> list[Effect]:
    """Say what a line does that cannot be parsed, by its words."""
    if line[:1].isspace():
        return []
    found = _commands().search(line)
    subject = found[0].decode().rstrip("( ") if found else ""
    return [Effect(subject, "executes", "import", "", number)] if found else []


@cache
def _commands() -> re.Pattern[bytes]:
    return re.compile(
        rb"os\.(?:system|popen|exec\w+|spawn\w+)\s*\(|subprocess\.\w+\s*\(|\b(?:exec|eval)\s*\("
    )


def parsed_text(text: str | bytes) -> ast.Module | None:
    """Return the syntax tree of a text, or None where there is none to be had."""
    try:
        return parsed(text)[0]
    except (RecursionError, MemoryError):
        return None


def branches(node: ast.If) -> Iterator[list[ast.stmt]]:
    """Yield the branches that can run on import."""
    test = node.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and "__main__" in ast.unparse(test)[:60]:
        sides = {ast.unparse(each).strip("'") for each in (test.left, *test.comparators)}
        if sides == {"__name__", "__main__"} and isinstance(test.ops[0], (ast.Eq, ast.NotEq)):
            yield node.orelse if isinstance(test.ops[0], ast.Eq) else node.body
            return
    yield node.orelse
    yield node.body
