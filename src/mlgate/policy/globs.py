"""Globs over paths: ``*``, ``?``, ``[..]`` within a name, ``**`` across folders."""

import re
from collections.abc import Callable, Iterable


def compile_globs(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a test for paths relative to the root, with ``/``.

    A pattern is matched against the whole path. ``**`` as a whole part stands for any
    number of folders; a pattern that ends in ``/`` means everything below.

    Raises:
        ValueError: A pattern is empty, absolute, leaves the root, or has an open bracket.
    """
    # DOTALL: a name may hold a newline, and must not slip past `**` by it.
    expressions = [re.compile(_translate(pattern), re.DOTALL) for pattern in patterns]
    return lambda path: any(expression.fullmatch(path) for expression in expressions)


def _translate(pattern: str) -> str:
    if not pattern or pattern.startswith("/") or "\\" in pattern:
        raise ValueError(
            f"bad glob {pattern!r}: write a path from the repository's root, with forward slashes"
        )
    parts = (pattern + "**" if pattern.endswith("/") else pattern).split("/")
    if ".." in parts:
        raise ValueError(f"bad glob {pattern!r}: `..` leaves the repository")
    expression = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            expression += ".*" if last else "(?:[^/]+/)*"
        elif part != ".":
            expression += _translate_part(part, pattern) + ("" if last else "/")
    return expression


def _translate_part(part: str, pattern: str) -> str:
    expression = ""
    index = 0
    while index < len(part):
        character = part[index]
        index += 1
        if character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "[":
            # A bracket that comes first in the set is one of its members.
            end = part.find("]", index + (2 if part[index : index + 1] in ("!", "^") else 1))
            if end < 0:
                raise ValueError(f"bad glob {pattern!r}: `[` without `]`")
            members = part[index:end]
            negated = members[:1] in ("!", "^")
            body = re.sub(r"([\\\]\[^&~|])", r"\\\1", members[1:] if negated else members)
            expression += f"(?!/)[{'^' if negated else ''}{body}]"
            index = end + 1
        else:
            expression += re.escape(character)
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"bad glob {pattern!r}: {error}") from error
    return expression
