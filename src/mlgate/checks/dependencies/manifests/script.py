"""Python files that name their own dependencies in a comment (PEP 723)."""

import re
from collections.abc import Iterator
from typing import Any

from mlgate.checks.dependencies.manifest import Reading, Unreadable, shown
from mlgate.checks.dependencies.manifests import _toml
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "script"
LOCK = False
ALONE = True
MARK = rb"(?m)^# /// script[ \t]*\r?$"

_OPENING = re.compile(r"# /// ([a-zA-Z0-9-]+)")
_CLOSING = "# ///"


def claims(path: str) -> bool:
    """Python files; their content decides."""
    return path.endswith((".py", ".pyw"))


def covered(name: str, beside: frozenset[str]) -> bool:
    """Say whether uv's lock of the script stands beside it."""
    return f"{name}.lock" in beside


def read(data: bytes, limits: Limits) -> Reading:
    """Read the block ``script``. A file without one is empty.

    Raises:
        Unreadable: The block is not TOML, is not closed, or stands there twice.
    """
    # As Python reads a source file: line ends of every kind are one.
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    blocks = [(first, last) for kind, first, last in _blocks(lines) if kind == "script"]
    if not blocks:
        opened = next((at for at, line in enumerate(lines, 1) if line.rstrip() == "# /// script"), None)
        if opened is None:
            return Reading()
        message = "a `# /// script` block is opened and not closed by `# ///`; close it, or remove it"
        raise Unreadable("unparseable", message, opened)
    first, last = blocks[0]
    if len(blocks) > 1:
        message = "holds more than one `# /// script` block; keep one"
        raise Unreadable("unparseable", message, blocks[1][0] + 1)
    content = [each.removeprefix("#").removeprefix(" ") for each in lines[first + 1 : last]]
    return _declared("\n".join(content), first + 1, limits)


def _blocks(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield kind, first and last line of each block, as the standard's expression finds them.

    A block reaches to the last closing line of the comments that it starts in. Written
    out, because that expression takes quadratic time.
    """
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            end += 1
        closings = [index for index in range(at, end) if lines[index] == _CLOSING]
        while at < end:
            found = _OPENING.fullmatch(lines[at])
            if found and closings and closings[-1] > at + 1:
                yield found[1], at, closings[-1]
                at = closings[-1]
            at += 1
        at = max(at, end) + (at == end)


def _declared(text: str, line: int, limits: Limits) -> Reading:
    import tomllib  # noqa: PLC0415 - start-up time

    try:
        document: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"the `# /// script` block is not valid TOML: {shown(str(error))}"
        raise Unreadable("unparseable", message, line) from error
    listed = document.get("dependencies", [])
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise Unreadable("unparseable", "`dependencies` of the script is not a list of requirements", line)
    entries = Entries(limits)
    where: dict[str, int] = {}
    for each, number in _toml.strings(text.split("\n"), {*listed}):
        where.setdefault(each, number)
    for each in listed:
        entries.line(each, line + where.get(each, 0))
    return entries.reading()
