"""Read the little Markdown that rule help and fixes are written in, and set it as plain text."""

import textwrap
from collections.abc import Iterator

from msgspec import Struct


class Block(Struct, frozen=True):
    """A piece of prose.

    Attributes:
        kind: ``text``, ``item`` (of a list) or ``code``.
        text: Its words on one line; for code, its lines as they are.
    """

    kind: str
    text: str


def blocks(markdown: str) -> tuple[Block, ...]:
    """Split Markdown into paragraphs, list items and fenced code; other markup stays as written."""
    return tuple(block for block in _split(textwrap.dedent(markdown)) if block.text.strip())


def _split(markdown: str) -> Iterator[Block]:
    lines: list[str] = []
    kind, fence = "text", ""
    for line in markdown.split("\n"):
        bare = line.strip()
        if fence:
            if bare == fence:
                yield Block("code", "\n".join(lines))
                kind, lines, fence = "text", [], ""
            else:
                lines.append(line)
        elif bare.startswith("```"):
            yield Block(kind, " ".join(lines))
            fence = "`" * (len(bare) - len(bare.lstrip("`")))
            kind, lines = "code", []
        elif not bare or bare.startswith(("- ", "* ")):
            yield Block(kind, " ".join(lines))
            kind, lines = ("item", [bare[2:].strip()]) if bare else ("text", [])
        else:
            lines.append(bare)
    yield Block("code", "\n".join(lines)) if fence else Block(kind, " ".join(lines))


def set_plain(markdown: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Return Markdown as plain lines of at most ``width`` columns.

    Args:
        markdown: Rule help or a fix.
        width: Columns; words longer than a line are broken, so that none is wider.
        indent: Stands before every line.
        first: Stands before the first line instead of ``indent``.
    """
    lines: list[str] = []
    for block in blocks(markdown):
        if block.kind == "code":
            lines += _code(block.text, width, f"{indent}    ")
            continue
        mark = "- " if block.kind == "item" else ""
        lead = first if first is not None and not lines else indent
        lines += textwrap.wrap(
            block.text,
            width,
            initial_indent=lead + mark,
            subsequent_indent=indent + " " * len(mark),
            break_on_hyphens=False,
        )
    return lines


def _code(text: str, width: int, indent: str) -> list[str]:
    room = max(width - len(indent), 1)
    cut = [
        line[start : start + room]
        for line in textwrap.dedent(text).split("\n")
        for start in range(0, max(len(line), 1), room)
    ]
    return [f"{indent}{piece}".rstrip() for piece in cut]
