"""Text for GitHub's Markdown that says what it says and does nothing else."""

import re
from collections.abc import Iterable

from mlgate.reports._text import clip, printable

# A blank of no width, between the sign and the name, keeps GitHub from notifying people,
# linking issues and turning addresses into links.
_GAP = "&#8203;"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})
_MARKUP = re.compile(r"([\\`*_\[\]#~$])")
_REACHES_OUT = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")


def plain(text: str, limit: int = 1_000) -> str:
    """Return text on one line without markup, mentions, references or links; safe in a table too."""
    gapped = _REACHES_OUT.sub("\0", clip(printable(text), limit))
    return _MARKUP.sub(r"\\\1", gapped).translate(_ENTITIES).replace("\0", _GAP)


def folded(title: str, body: str) -> str:
    """Return Markdown that opens on a click on its title, which is text."""
    return f"<details><summary>{printable(title).translate(_ENTITIES)}</summary>\n\n{body}\n\n</details>"


def code(text: str, limit: int = 300) -> str:
    """Return text as a code span that no backtick in it can end; safe in a table too."""
    text = clip(printable(text), limit).replace("|", "\\|")
    if not text.strip():
        return ""
    fence = "`" * (_longest(text) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(lines: Iterable[str], indent: str = "") -> str:
    """Return printable lines as a code block that no line in it can end."""
    lines = list(lines)
    fence = "`" * max(3, max((_longest(line) for line in lines), default=0) + 1)
    return "\n".join(f"{indent}{line}".rstrip() for line in [f"{fence}text", *lines, fence])


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; its cells are Markdown already."""
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _longest(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
