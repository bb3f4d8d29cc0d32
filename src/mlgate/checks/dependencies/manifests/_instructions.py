"""The instructions of a Dockerfile, as BuildKit's parser tells them apart.

See https://docs.docker.com/reference/dockerfile/ for directives, continuations, comments
and heredocs.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

_DIRECTIVE = re.compile(r"^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
# A heredoc is a word of its own: neither "<<EOF" in quotes, nor <<< or $((1<<X)).
_WORD = re.compile(r"(?:[^\s\"'\\]|\\.|\"(?:[^\"\\]|\\.)*+(?:\"|\Z)|'[^']*+(?:'|\Z)|\\\Z)++", re.DOTALL)
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
    continued = re.compile(rf"(?:^|[^{re.escape(escape)}]){re.escape(escape)}\s*$")
    number = 0
    while number < len(lines):
        start = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number]
            number += 1
            comment = line.lstrip().startswith("#")
            skipped = bool(parts) and (not line.strip() or comment)
            more = skipped or (not comment and bool(continued.search(line)))
            bare = "" if skipped else line.rstrip()
            parts.append(bare.removesuffix(escape) if more and not skipped else bare)
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


def directives(lines: list[str]) -> dict[str, str]:
    """Return the directives of the first lines; the first line that is none ends them."""
    said: dict[str, str] = {}
    for line in lines:
        found = _DIRECTIVE.match(line)
        if found is None:
            break
        name, value = found[1].lower(), found[2]
        if name != "escape" or value in ("\\", "`"):
            said.setdefault(name, value)
    return said


def heredocs(name: str, text: str) -> Iterator[tuple[bool, str]]:
    """Yield (tabs are cut, end mark) of the heredocs that an instruction opens."""
    if name not in ("RUN", "COPY", "ADD", "ONBUILD") or "<<" not in text:
        return
    for word in _WORD.findall(text.replace("\\\n", "")):
        if found := _HEREDOC.match(word):
            mark = re.sub(r"[\"'\\]", "", found[2])
            if mark:
                yield bool(found[1]), mark


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
