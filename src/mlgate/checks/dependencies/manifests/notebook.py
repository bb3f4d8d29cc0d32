"""Jupyter notebooks: what their cells install (``%pip``, ``!pip``, ``%conda``, ``%%bash``)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from mlgate.checks.dependencies.manifest import Include, Reading, Unreadable
from mlgate.checks.dependencies.manifests import _calls, _installs, _json
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.core.limits import Limits

FORMAT = "notebook"
LOCK = False
ALONE = True
# A tool's name, or a line that could spell one in pieces or by escapes that no writer uses for it.
MARK = _installs.TOOLS + rb"|(?:\"|\\[nt]|=)\s*[!%]|\\u00[2-7]"

_INSTEAD = "save it anew with Jupyter, or exclude it (dependencies.exclude)"
_SHELL_CELLS = re.compile(
    r"^%%(?:bash|sh|shell|!|system|sx|script\s+(?:-\S+\s+)*(?:\S*/)?(?:bash|sh|zsh))\b|^%%!"
)
# Cells in another language, and cells that are written to a file.
_OTHER_CELLS = re.compile(
    r"(?i)^%%(?:writefile|file|html|svg|latex|markdown|js|javascript|perl|ruby|script|sql|bigquery|R|julia"
    r"|cpp|cu|cuda|mermaid|css|scala|kql|cython|fortran|ai)\b"
)
_MAGICS = r"(?:pip|conda|mamba|micromamba|uv)\b"
_LINE = re.compile(
    r"^\s*(?:%(?:time|timeit|prun|memit|mprun)\b(?:\s+-\S+)*\s+)?(?:[^\s!%=#\"'()][^!%=#\"'()]{0,200}=\s*)?"
    rf"(?:!!?|%(?:sx|system|bash|sh|shell)\s+|%(?={_MAGICS})|%(?:set_)?env\s+(?=\w+=)"
    r"|(?=(?:pip3?|conda|mamba|micromamba)\s+install\s|uv\s+(?:pip\s|add\s|tool\s)))(.*)$",
    re.DOTALL,
)
_AROUND = re.compile(r"^\s*%%(?:capture|time|timeit|prun|debug)\b")
_FOLDER = re.compile(r"^\s*%?cd\s+[\"']?([^\s\"'=(]+)")
# IPython replaces what stands in braces; the interpreter is the one thing known.
_PYTHON = re.compile(r"\{\s*sys\.executable\s*\}|\"\{\s*sys\.executable\s*\}\"")
_KEY = re.compile(r"^\"(?:source|input)\"\s*:\s*")
_LONGEST_SOURCE = 1_000_000
_TOOL = re.compile(_installs.TOOLS.decode())
_BRACES = re.compile(r"\{[^{}]*\}")


def claims(path: str) -> bool:
    """``*.ipynb``; their content decides."""
    return path.lower().endswith(".ipynb")


def read(data: bytes, limits: Limits) -> Reading:
    """Read the code cells of a notebook of format 3 or 4.

    Raises:
        Unreadable: It names something that installs, and is not JSON, or has no cells.
    """
    try:
        document, text = _json.load(data, _INSTEAD)
        cells = list(_cells(document))
    except Unreadable:
        if re.search(_installs.TOOLS, data):
            raise
        return Reading()
    entries = Entries(limits, _rebased)
    where = _Lines(text)
    for source in cells:
        lines = _source_lines(source)
        if lines is None:
            entries.problem("unparseable", f"a cell's source is not text; {_INSTEAD}", None)
            continue
        _cell(_Cell(lines, "".join(lines), where), entries)
    return entries.reading()


def _rebased(include: Include) -> Include:
    # A notebook's working folder is its own, or wherever the kernel was started.
    return replace(include, anywhere=True)


def _cells(document: Any) -> Iterator[Any]:
    if not isinstance(document, dict) or not isinstance(
        document.get("cells", document.get("worksheets")), list
    ):
        raise Unreadable("unparseable", f"has no cells, as a notebook has; {_INSTEAD}")
    sheets = document.get("worksheets", [])
    lists = [document.get("cells", [])]
    lists += (
        [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        if isinstance(sheets, list)
        else []
    )
    for cells in lists:
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict):
                raise Unreadable("unparseable", f"a cell is not an object; {_INSTEAD}")
            if cell.get("cell_type") == "code":
                yield cell.get("source", cell.get("input", ""))


def _source_lines(source: Any) -> list[str] | None:
    """Return the lines of a cell; lines of one JSON string each, or all in one string."""
    if isinstance(source, str):
        return source.splitlines(keepends=True)
    if not isinstance(source, list) or not all(isinstance(each, str) for each in source):
        return None
    return "".join(source).splitlines(keepends=True)


class _Lines:
    """Where a cell's line stands in the file: notebooks are written with one string a line."""

    def __init__(self, text: str) -> None:
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        for number, raw in enumerate(text.split("\n"), 1):
            stripped = _KEY.sub("", raw.strip()).strip("[] ,")
            if len(stripped) > 1 and stripped[0] == '"' and stripped[-1] == '"':
                self._at[stripped[1:-1].removesuffix("\\n")].append(number)
        self._last = 0
        self._whole = text.count("\n") == 0

    def find(self, line: str) -> int | None:
        """Return the next line that holds this text, in the order of the file."""
        if self._whole:
            return 1
        import json  # noqa: PLC0415 - only where something is installed

        bare = line.rstrip("\n")
        for written in (json.dumps(bare, ensure_ascii=False)[1:-1], json.dumps(bare)[1:-1]):
            numbers = self._at.get(written)
            if numbers:
                # Once used it is used up: the same line in a later cell is the next one.
                self._last = numbers.pop(0) if len(numbers) > 1 else numbers[0]
                return self._last
        return None


class _Cell:
    """The lines of a cell, and where they stand in the file."""

    def __init__(self, lines: list[str], whole: str, where: _Lines) -> None:
        self.lines = lines
        self._whole = whole
        self._where = where
        self._all: int | None = 0
        self._found: dict[int, int | None] = {}

    def line(self, index: int) -> int | None:
        """Return the file's line of a line of the cell."""
        if index not in self._found and index < len(self.lines):
            self._found[index] = self._where.find(self.lines[index]) or self._whole_line()
        return self._found.get(index)

    def _whole_line(self) -> int | None:
        # A cell may be written as one string; 0 says that nobody has looked for it yet.
        if self._all == 0:
            self._all = self._where.find(self._whole)
        return self._all


def _cell(cell: _Cell, entries: Entries) -> None:
    lines = cell.lines
    spoken = (line for line in lines if line.strip())
    # What measures or silences a cell runs the rest of it as a cell.
    first = next((line for line in spoken if not _AROUND.match(line)), "")
    if _SHELL_CELLS.match(first.strip()):
        start = lines.index(first) + 1
        _installs.read("".join(lines[start:]), lambda at: cell.line(start + at), entries)
        return
    if _OTHER_CELLS.match(first.strip()):
        return  # another language, or a file to write
    number = 0
    python: list[str] = []
    while number < len(lines):
        start, text = number, lines[number]
        number += 1
        found = _LINE.match(text)
        if found is None:
            if folder := _FOLDER.match(text):
                entries.enter(folder[1])
            python.append("\n" if text.lstrip()[:1] in ("%", "!", "?") else text)
            continue
        parts = [found[1]]
        # IPython joins lines that end in a backslash.
        while parts[-1].rstrip("\r\n").endswith("\\") and number < len(lines):
            parts.append(lines[number])
            number += 1
        python += ["\n"] * (number - start)
        _command("".join(parts), cell, start, entries)
    _calls_of("".join(python), cell, entries)


def _command(command: str, cell: _Cell, start: int, entries: Entries) -> None:
    _installs.read(_plain(command), lambda at: cell.line(start + at), entries)


def _calls_of(source: str, cell: _Cell, entries: Entries) -> None:
    """Read what the cell's Python hands to a shell, or to pip itself."""
    if not _TOOL.search(source):
        return
    if len(source) > _LONGEST_SOURCE:
        entries.problem("limit", f"has a cell of more than {_LONGEST_SOURCE} characters", cell.line(0))
        return
    for script, line in _calls.scripts(source):
        _installs.read(_plain(script), lambda _, line=line: cell.line(line), entries)  # type: ignore[misc]


def _plain(command: str) -> str:
    """Replace the interpreter, and leave what else stands in braces as a variable."""
    return _BRACES.sub(lambda found: f"${found[0]}", _PYTHON.sub("python", command))
