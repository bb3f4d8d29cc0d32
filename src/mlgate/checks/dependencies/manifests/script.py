"""Python files that name their own dependencies in a comment (PEP 723)."""

import re
import tomllib
from typing import Any

from mlgate.checks.dependencies.manifest import Reading, Unreadable, shown
from mlgate.checks.dependencies.manifests import _toml
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "script"
LOCK = False
ALONE = True
MARK = rb"(?m)^# /// script[ \t]*\r?$"

# The expression of the standard, with which every tool finds the blocks.
_BLOCK = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"


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
    opened = re.search(r"(?m)^# /// script\s*$", text)
    blocks = [found for found in re.finditer(_BLOCK, text) if found["type"] == "script"]
    if not blocks:
        if opened is None:
            return Reading()
        line = text.count("\n", 0, opened.start()) + 1
        message = "a `# /// script` block is opened and not closed by `# ///`; close it, or remove it"
        raise Unreadable("unparseable", message, line)
    line = text.count("\n", 0, blocks[0].start()) + 1
    if len(blocks) > 1:
        raise Unreadable("unparseable", "holds more than one `# /// script` block; keep one", line)
    lines = [each.removeprefix("#").removeprefix(" ") for each in blocks[0]["content"].splitlines()]
    return _declared("\n".join(lines), line, limits)


def _declared(text: str, line: int, limits: Limits) -> Reading:
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
