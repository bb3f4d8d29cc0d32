"""Globs over paths: ``*``, ``?``, ``[..]`` within a name, ``**`` across folders."""

import re
from collections.abc import Callable, Iterable

_FOLDERS = "(?:[^/]+/)"


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
    parts = [
        part for part in (pattern + "**" if pattern.endswith("/") else pattern).split("/") if part != "."
    ]
    if ".." in parts:
        raise ValueError(f"bad glob {pattern!r}: `..` leaves the repository")
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_translate_part(part, pattern))
    first, *others = runs
    if not others:
        return "/".join(first)
    *middle, last = others
    expression = "".join(f"{part}/" for part in first)
    for run in filter(None, middle):
        # The first place that fits leaves most to what follows: no other need be tried.
        expression += f"(?>{_FOLDERS}*?{''.join(f'{part}/' for part in run)})"
    return expression + (f"{_FOLDERS}*{'/'.join(last)}" if last else ".*")


def _translate_part(part: str, pattern: str) -> str:
    """Translate the part between two slashes; it stays within one name."""
    pieces = [_translate_piece(piece, pattern) for piece in _between_stars(part, pattern)]
    first, *others = pieces
    if not others:
        return first
    *middle, last = others
    # As above: each piece has one length, and a pattern of many stars costs no more than one.
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle if piece) + f"[^/]*{last}"


def _between_stars(part: str, pattern: str) -> list[str]:
    """Split at each `*` that is not the member of a set."""
    pieces = [""]
    index = 0
    while index < len(part):
        end = index + 1
        if part[index] == "[":
            end = _set_end(part, index, pattern)
        if part[index] == "*":
            pieces.append("")
        else:
            pieces[-1] += part[index:end]
        index = end
    return pieces


def _set_end(part: str, start: int, pattern: str) -> int:
    """Return where the set that opens at ``start`` has ended."""
    # A bracket that comes first in the set is one of its members.
    first = start + (3 if part[start + 1 : start + 2] in ("!", "^") else 2)
    end = part.find("]", first)
    if end < 0:
        raise ValueError(f"bad glob {pattern!r}: `[` without `]`")
    return end + 1


def _translate_piece(piece: str, pattern: str) -> str:
    expression = ""
    index = 0
    while index < len(piece):
        character = piece[index]
        if character == "[":
            end = _set_end(piece, index, pattern)
            members = piece[index + 1 : end - 1]
            negated = members[:1] in ("!", "^")
            body = re.sub(r"([\\\]\[^&~|])", r"\\\1", members[1:] if negated else members)
            expression += f"(?!/)[{'^' if negated else ''}{body}]"
            index = end
            continue
        expression += "[^/]" if character == "?" else re.escape(character)
        index += 1
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"bad glob {pattern!r}: {error}") from error
    return expression
