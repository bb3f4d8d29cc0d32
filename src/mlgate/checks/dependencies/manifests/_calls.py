"""Calls in Python source that run a command: ``subprocess.run([...])``, ``os.system("...")``.

The source is read as tokens, never compiled: a notebook's cell need not be valid Python,
and one pass over its tokens takes linear time whatever it nests. What a call is given
becomes shell text; what is known only when it runs becomes an unknown variable in it.
"""

import re
import shlex
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

_STRING = (
    r"(?P<prefix>[rbufRBUF]{0,2})(?P<string>"
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|'
    r"'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)|"
    r'"(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\Z)|'
    r"'(?:[^'\\\n]|\\.)*+(?:'|(?=\n)|\Z))"
)
_TOKEN = (
    rf"(?P<skip>[ \t\r\n]++|\\\n|#[^\n]*+)|{_STRING}|(?P<name>[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+)|(?P<mark>.)"
)

# By the last part of the callee's name: how its arguments are a command.
_COMMANDS = frozenset(
    {
        *("run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"),
        *("system", "popen", "create_subprocess_shell", "magic"),
    }
)
_CALLEES = {
    **dict.fromkeys(_COMMANDS, "command"),
    "create_subprocess_exec": "words",
    "run_line_magic": "line",
    "run_cell_magic": "cell",
    "main": "pip",
    "pipmain": "pip",
    "pip_main": "pip",
}
_BROWSER = ("micropip.install", "piplite.install")
_SHELL_MAGICS = frozenset({"bash", "sh", "system", "sx", "!", "shell"})
_OPEN = "${_}"
_BRACES = re.compile(r"\{[^{}]*\}")
_PYTHON = re.compile(r"\{\s*sys\.executable\s*\}")
_DEPTH = 200


class Piece(Struct):
    """Something a call may be given.

    Attributes:
        text: Shell text, already quoted where it is one word; None for a sequence.
        items: The elements of a sequence.
    """

    text: str | None = None
    items: "list[Piece] | None" = None


class _Frame:
    """An open bracket, and what stands in it so far."""

    def __init__(self, opening: str, callee: str, line: int) -> None:
        self.opening = opening
        self.callee = callee
        self.line = line
        self.elements: list[tuple[str, list[Piece]]] = []
        self.keyword = ""
        self.parts: list[Piece] = []

    def end(self) -> None:
        if self.parts:
            self.elements.append((self.keyword, self.parts))
        self.keyword, self.parts = "", []


def scripts(source: str) -> Iterator[tuple[str, int]]:
    """Yield (shell text, 0-based line) for each call that runs a command. Total, for any text."""
    frames = [_Frame("", "", 0)]
    name, line = "", 0
    for token in _token().finditer(source):
        text = token[0]
        frame = frames[-1]
        if token["skip"] is not None:
            if len(frames) == 1 and "\n" in text and text[0] != "\\":
                yield from _statement(frame, line)
                name = ""
            line += text.count("\n")
            continue
        if token["string"] is not None:
            frame.parts.append(Piece(_string(token["prefix"], token["string"])))
            name = ""
        elif token["name"] is not None:
            # What a name stands for is known for the interpreter alone.
            frame.parts.append(Piece("python" if text == "sys.executable" else _OPEN))
            name = text
            continue
        elif text in "([{" and len(frames) < _DEPTH:
            if name and text == "(":
                frame.parts.pop()  # the callee: the call itself takes its place
            frames.append(_Frame(text, name if text == "(" else "", line))
        elif text in ")]}" and len(frames) > 1:
            frames.pop()
            frame.end()
            if frame.callee:
                yield from _called(frame)
            frames[-1].parts.append(_value(frame, frames[-1]))
        elif text == ",":
            frame.end()
        elif text == "=" and name and frame.callee:
            frame.keyword, frame.parts = name, []
        elif text not in "+.*":
            frame.parts.append(Piece(_OPEN))
        name = ""
        line += text.count("\n")
    yield from _statement(frames[0], line)


def _statement(frame: _Frame, line: int) -> Iterator[tuple[str, int]]:
    """Yield the list that a statement keeps for a later call: ``command = ["pip", "install"] + names``."""
    whole = _one(frame.parts) if any(part.items for part in frame.parts) else None
    frame.elements.clear()
    frame.parts = []
    if whole is not None and whole.items:
        yield _words(whole.items), line


@cache
def _token() -> re.Pattern[str]:
    return re.compile(_TOKEN, re.DOTALL)


def _string(prefix: str, written: str) -> str:
    """Return a literal's text; what a formatted one computes as an unknown variable."""
    mark = written[:3] if written[:3] in ('"""', "'''") else written[0]
    text = written[len(mark) :].removesuffix(mark)
    if "r" not in prefix.lower():
        text = re.sub(r"\\(\n|[\\'\"nt])", _escaped, text)
    if "f" in prefix.lower():
        text = _BRACES.sub(lambda found: f"${found[0]}", _PYTHON.sub("python", text))
    return text


def _escaped(found: re.Match[str]) -> str:
    return {"\n": "", "n": "\n", "t": "\t"}.get(found[1], found[1])


def _value(frame: _Frame, outer: _Frame) -> Piece:
    """Return what a closed bracket stands for in the one around it."""
    if frame.callee.rpartition(".")[2] == "split":
        if frame.elements and frame.callee == "shlex.split":
            return Piece(_text(frame.elements[0][1]))
        if outer.parts:
            return outer.parts.pop()  # "a b".split()
    if frame.callee or frame.opening == "{":
        return Piece(_OPEN)
    items = [_one(parts) for _, parts in frame.elements]
    # Brackets around a single text are no sequence, as ("a" "b") is none.
    return items[0] if frame.opening == "(" and len(items) == 1 else Piece(items=items)


def _one(parts: list[Piece]) -> Piece:
    if len(parts) == 1:
        return parts[0]
    if any(part.items is not None for part in parts):
        items: list[Piece] = []
        for part in parts:
            items += part.items if part.items is not None else [part]
        return Piece(items=items)
    return Piece(_text(parts))


def _text(parts: list[Piece]) -> str:
    return "".join(part.text if part.text is not None else _OPEN for part in parts)


def _words(pieces: list[Piece]) -> str:
    return " ".join(
        _OPEN if each.text is None else f'"{each.text}"' if "$" in each.text else shlex.quote(each.text)
        for each in pieces
    )


def _called(frame: _Frame) -> Iterator[tuple[str, int]]:
    kind = "browser" if frame.callee in _BROWSER else _CALLEES.get(frame.callee.rpartition(".")[2])
    given = [_one(parts) for keyword, parts in frame.elements if keyword in ("", "args", "requirements")]
    if kind is None or not given:
        return
    first = given[0]
    script = None
    if kind == "command":
        script = first.text if first.items is None else _words(first.items)
    elif kind == "words":
        script = _words(given)
    elif kind == "browser":
        script = f"pip install {_words([first] if first.items is None else first.items)}"
    elif kind == "pip" and first.items and first.items[0].text in ("install", "wheel", "download"):
        script = f"pip {_words(first.items)}"
    elif kind in ("line", "cell") and len(given) > 1:
        magic, text = (first.text or "").strip(), given[-1].text or ""
        shell = magic.partition(" ")[0] in _SHELL_MAGICS
        script = text if shell else f"{magic} {text}" if kind == "line" else None
    if script:
        yield script, frame.line
