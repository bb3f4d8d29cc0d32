"""The instructions of a Dockerfile, as BuildKit's parser tells them apart.

See https://docs.docker.com/reference/dockerfile/ for directives, continuations, comments
and heredocs.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

_DIRECTIVE = r"^\s*{}\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$"
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
# A heredoc is a word of its own: neither "<<EOF" in quotes, nor <<< or $((1<<X)).
_WORD = re.compile(r"\s++|(?:[^\s\"'\\]|\\.|\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|\\\Z)++", re.DOTALL)
# What BuildKit's words end at, with every heredoc of the line.
_NO_WORDS = re.compile(r"\$\{(?!\w+(?::?[-+#%/][^}]*)?\})")
_HEREDOC = re.compile(r"^\d*<<(-?)([^<]+)$", re.DOTALL)
_FLAG = re.compile(r"(?:\s|\\\n)*(--[a-z][a-z-]*(?:=(?:\"[^\"]*\"|\S)*)?)(?=\s|$)")
_HEREDOCS = re.compile(r"(?<![^\s])\d*<<-?[^<\s]+")


class Instruction(Struct, frozen=True):
    """One instruction.

    Attributes:
        name: In upper case.
        text: What follows, continuations kept, so that its lines are the file's.
        line: 1-based.
        bodies: Heredocs: first line, text.
    """

    name: str
    text: str
    line: int
    bodies: tuple[tuple[int, str], ...] = ()


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, in order."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = directives(lines).get("escape", "\\")
    # Two of them are the character itself.
    continued = re.compile(rf"(?:^|(?<=[^{re.escape(escape)}])){re.escape(escape)}[ \t]*$")
    number = 0
    while number < len(lines):
        start = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number].rstrip("\r")
            number += 1
            comment = line.lstrip().startswith("#")
            skipped = bool(parts) and (not line.strip() or comment)
            more = skipped or (not comment and bool(continued.search(line)))
            parts.append("" if skipped else continued.sub("", line))
            if not more:
                break
        joined = "\\\n".join(parts)
        found = re.match(r"\s*([A-Za-z]+)\s*(.*)", joined, re.DOTALL)
        if found is None or joined.lstrip().startswith("#"):
            continue
        bodies = []
        for chomp, mark in heredocs(found[1].upper(), found[2]):
            first, body = number, []
            while number < len(lines) and (lines[number].lstrip("\t") if chomp else lines[number]) != mark:
                body.append(lines[number])
                number += 1
            number += 1
            bodies.append((first + 1, "\n".join(body)))
        before = joined[: found.start(2)].count("\n")
        yield Instruction(found[1].upper(), found[2], start + 1 + before, tuple(bodies))


def directives(lines: list[str], mark: str = "#") -> dict[str, str]:
    """Return the directives of the first lines; the first line that is none ends them."""
    said: dict[str, str] = {}
    for line in lines:
        found = re.match(_DIRECTIVE.format(mark), line)
        if found is None or found[1].lower() not in _DIRECTIVES:
            break
        name, value = found[1].lower(), found[2]
        if name != "escape" or value in ("\\", "`"):
            said.setdefault(name, value)
    return said


def frontend(text: str) -> str:
    """Return the image that reads the file instead of BuildKit's own parser, or "".

    It may stand in a comment of either kind, behind a ``#!`` line, or in JSON.
    """
    lines = text.split("\n", 50)[:50]
    if lines[0].startswith("#!"):
        del lines[0]
    for mark in ("#", "//"):
        said = directives(lines, mark).get("syntax")
        if said:
            return said.partition(" ")[0]
    if text.lstrip()[:1] == "{":
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        said = document.get("syntax") if isinstance(document, dict) else None
        return said if isinstance(said, str) else ""
    return ""


def heredocs(name: str, text: str) -> list[tuple[bool, str]]:
    """Return (tabs are cut, end mark) of the heredocs that an instruction opens."""
    if name == "ONBUILD":
        name, _, text = text.partition(" ")
    if name.upper() not in ("RUN", "COPY", "ADD") or "<<" not in text or strings(text) is not None:
        return []
    line = text.replace("\\\n", "")
    found: list[tuple[bool, str]] = []
    at = 0
    for word in _WORD.finditer(line):
        if word.start() != at:
            break
        at = word.end()
        if opened := _HEREDOC.match(word[0]):
            mark = re.sub(r"[\"'\\]", "", opened[2])
            found += [(bool(opened[1]), mark)] if mark else []
    # A quote that nobody closes leaves BuildKit without words, and so without heredocs.
    return found if at == len(line) and not _NO_WORDS.search(line) else []


def without_heredocs(text: str) -> str:
    """Return an instruction's text without the marks of its heredocs."""
    return _HEREDOCS.sub("", text)


def flags_of(text: str) -> tuple[str, list[str]]:
    """Return what follows an instruction's flags, and the flags."""
    flags: list[str] = []
    at = 0
    while found := _FLAG.match(text, at):
        flags.append(found[1])
        at = found.end()
    return text[at:], flags


def strings(text: str) -> list[str] | None:
    """Return the words of an instruction in its JSON form; None where it has the other one."""
    if not text.lstrip().startswith("["):
        return None
    try:
        listed = json.loads(text.replace("\\\n", " "))
    except (ValueError, RecursionError):
        return None
    if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
        return listed
    return None
