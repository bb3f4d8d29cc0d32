"""Dockerfiles: what their instructions install.

See https://docs.docker.com/reference/dockerfile/ for continuations, comments, heredocs,
and where ARG and ENV hold.
"""

import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mlgate.checks.dependencies.manifest import PROJECT, Include, Reading, Unreadable
from mlgate.checks.dependencies.manifests import _installs
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.manifests._shell import Word, commands
from mlgate.core.limits import Limits

FORMAT = "Dockerfile"
LOCK = False
ALONE = True
MARK = _installs.TOOLS
NAMES = ("Dockerfile", "Containerfile", "Dockerfile.*", "Containerfile.*", "*.Dockerfile", "*.dockerfile")

_BYTES = 1 << 20
# Options of installers that are given as variables.
_INDEXES = frozenset({"PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX"})
_MOST_PATTERNS = 20
_LONGEST_PATH = 1_000
_ESCAPE = re.compile(r"^#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
_HEREDOC = re.compile(r"<<(-?)\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_FLAG = re.compile(r"(?:\s|\\\n)*(--[a-z][a-z-]*(?:=(?:\"[^\"]*\"|\S)*)?)(?=\s|$)")
_SCRIPTS = re.compile(r"^(?:\S*/)?(?:sh|bash|ash|dash|zsh)(?:\s+-\S+)*$")
# What writes a requirements file from a lock file, or wheels from requirements.
# Both look only a little ahead: a file of nothing but "pip" must not take forever.
_WRITES = re.compile(
    r"\b(?:poetry|pdm|uv)\b[^;&|\n]{0,80}\bexport\b|\bpipenv\b[^;&|\n]{0,80}\b(?:requirements|lock)\b"
    r"|\bpip-compile\b|\buv pip compile\b|\bpip[\d.]{0,4} freeze\b"
)
_BUILDS = re.compile(
    r"\bpip[\d.]{0,4}\b[^;&|\n]{0,80}\b(?:wheel|download)\b|\b(?:uv|poetry|pdm|hatch) build\b"
    r"|-m build\b|\bbdist_wheel\b"
)


def claims(path: str) -> bool:
    """``Dockerfile``, ``Dockerfile.gpu``, ``gpu.Dockerfile``, ``Containerfile``."""
    name = path.rpartition("/")[2]
    lower = name.lower()
    if "file" not in lower or lower.endswith((".dockerignore", ".md", ".py", ".pyc")):
        return False
    return any(fnmatch.fnmatchcase(lower, pattern.lower()) for pattern in NAMES)


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


def read(data: bytes, limits: Limits) -> Reading:
    """Read the RUN instructions of every stage, and what containers run when they start.

    Raises:
        Unreadable: It is not text, or larger than any Dockerfile.
    """
    if len(data) > _BYTES:
        raise Unreadable("limit", f"is larger than {_BYTES} bytes, which no Dockerfile is; shorten it")
    try:
        text = data.decode("utf-8-sig")
    except ValueError as error:
        raise Unreadable("unparseable", "is not text in UTF-8; save it as UTF-8") from error
    build = _Build(text)
    entries = Entries(limits, build.rebase, build.makes)
    for instruction in instructions(text):
        build.take(instruction, entries)
    return entries.reading()


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile, in order."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = "\\"
    for line in lines:
        if not line.startswith("#"):
            break
        if found := _ESCAPE.match(line):
            escape = found[1]
    number = 0
    while number < len(lines):
        start = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number]
            number += 1
            skipped = bool(parts) and (not line.strip() or line.lstrip().startswith("#"))
            bare = "" if skipped else line.rstrip()
            more = skipped or (bare.endswith(escape) and not line.lstrip().startswith("#"))
            parts.append(bare.removesuffix(escape) if more and not skipped else bare)
            if not more:
                break
        joined = "\\\n".join(parts)
        found = re.match(r"\s*([A-Za-z]+)\s*(.*)", joined, re.DOTALL)
        if found is None or joined.lstrip().startswith("#"):
            continue
        bodies = []
        for mark in _HEREDOC.finditer(joined) if found[1].upper() in ("RUN", "COPY", "ADD") else ():
            first, body = number, []
            while (
                number < len(lines) and (lines[number].lstrip("\t") if mark[1] else lines[number]) != mark[3]
            ):
                body.append(lines[number])
                number += 1
            number += 1
            bodies.append((first + 1, "\n".join(body)))
        before = joined[: found.start(2)].count("\n")
        yield Instruction(found[1].upper(), found[2], start + 1 + before, tuple(bodies))


class _Build:
    """What holds at one point of a build: constants, the folder, and what was copied where."""

    def __init__(self, text: str) -> None:
        self._global: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._stages: dict[str, dict[str, str]] = {}
        self._stage = ""
        self._started = False
        self._folder = "/"
        self._placed = False
        self._guessed = False
        self._set: set[str] = set()
        self._copies: dict[str, str] = {}
        self._patterns: dict[str, list[str]] = {}
        self._writes = bool(_WRITES.search(text))
        self._builds = bool(_BUILDS.search(text))

    def take(self, instruction: Instruction, entries: Entries) -> None:
        """Take one instruction."""
        name, text, line = instruction.name, instruction.text, instruction.line
        if name == "ONBUILD":
            found = re.match(r"\s*([A-Za-z]+)\s*(.*)", text, re.DOTALL)
            if found:
                self.take(Instruction(found[1].upper(), found[2], line, instruction.bodies), entries)
        elif name == "FROM":
            self._from(text)
        elif name in ("ARG", "ENV"):
            (self._arg if name == "ARG" else self._env)(text)
            for variable in _INDEXES.intersection(self._set):
                if self._known.get(variable):
                    entries.index(_installs.index(self._known[variable], line))
        elif name == "WORKDIR":
            self._placed = True
            self._folder = posixpath.normpath(posixpath.join(self._folder, " ".join(self._words(text))))
        elif name in ("COPY", "ADD"):
            self._copy(text)
        elif name in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
            self._run(instruction, entries)

    def _words(self, text: str) -> list[str]:
        return [word.text for command in commands(text, self._known) for word in command.words]

    def _from(self, text: str) -> None:
        words = [word for word in text.split() if not word.startswith("--")]
        self._stages[self._stage] = self._known
        base = words[0].lower() if words else ""
        self._known = dict(self._stages.get(base, {})) if self._started and base else {}
        self._stage = words[2].lower() if len(words) > 2 else ""
        self._started = True
        self._folder = "/"
        self._placed = False

    def _arg(self, text: str) -> None:
        self._set = set()
        for word in self._assignments(text):
            name, equals, value = word.text.partition("=")
            self._set |= {name} if equals else set()
            target = self._known if self._started else self._global
            if equals and not word.open:
                target[name] = value
                self._known[name] = value
            elif not equals and name in self._global:
                self._known[name] = self._global[name]
            else:
                self._known.pop(name, None)

    def _env(self, text: str) -> None:
        words = self._assignments(text)
        if words and "=" not in words[0].text:
            value = " ".join(word.text for word in words[1:])
            words = (Word(f"{words[0].text}={value}", any(word.open for word in words)),)
        self._set = {word.text.partition("=")[0] for word in words}
        for word in words:
            name, _, value = word.text.partition("=")
            self._known.pop(name, None)
            if not word.open:
                self._known[name] = value

    def _assignments(self, text: str) -> tuple[Word, ...]:
        return tuple(word for command in commands(text, self._known) for word in command.words)

    def _copy(self, text: str) -> None:
        rest, flags = _flags(text)
        try:
            listed = json.loads(rest) if rest.lstrip().startswith("[") else None
        except (ValueError, RecursionError):
            listed = None
        words = [str(each) for each in listed] if isinstance(listed, list) else self._words(rest)
        if len(words) < 2:
            return
        *sources, target = words
        place = posixpath.join(self._folder, target)
        inside = target.endswith("/") or target in (".", "..") or len(sources) > 1
        staged = any(flag.startswith("--from") for flag in flags)
        for source in sources[:200]:
            # What another stage wrote is looked for where that stage got it from.
            origin = (self._origin(source) or "") if staged else source
            self._note(origin, place, inside=inside)

    def _note(self, source: str, place: str, *, inside: bool) -> None:
        name = posixpath.basename(source.rstrip("/"))
        pattern = bool(set("*?[") & set(name))
        place = posixpath.normpath(place)
        if pattern:
            self._patterns.setdefault(place, []).append(source)
        elif source and not (inside and "." in name.strip(".")):
            # A folder's content lands in the place itself, a file under its own name.
            self._copies[place] = source
        if source and inside and not pattern and name.strip("."):
            self._copies[posixpath.normpath(posixpath.join(place, name))] = source

    def _origin(self, path: str) -> str | None:
        """Return what was copied to a path of the image, relative to the build's context."""
        self._guessed = False
        full = posixpath.normpath(posixpath.join(self._folder, path))
        if len(full) > _LONGEST_PATH:
            return None
        if full in self._copies:
            return self._copies[full]
        folder, name = posixpath.split(full)
        for source in self._patterns.get(folder, [])[-_MOST_PATTERNS:]:
            if fnmatch.fnmatchcase(name, posixpath.basename(source)):
                return posixpath.join(posixpath.dirname(source), name)
        while folder not in self._copies:
            if folder == posixpath.dirname(folder):
                return None
            folder = posixpath.dirname(folder)
        self._guessed = folder == "/" and not self._placed
        return posixpath.join(self._copies[folder], full[len(folder.rstrip("/")) + 1 :])

    def _project(self, path: str) -> str | None:
        """Return the folder whose project was copied to a folder of the image."""
        origin = self._origin(posixpath.join(path, "pyproject.toml"))
        return None if origin is None else posixpath.dirname(origin) or "."

    def rebase(self, include: Include) -> Include | None:
        """Say where a file that a command names lies in the repository; None where the build writes it."""
        if "://" in include.path:
            return include
        origin = (self._project if include.role == PROJECT else self._origin)(include.path)
        if origin is None and include.role != PROJECT and self._writes:
            return None
        if include.role == PROJECT and self._builds and (origin is None or set("*?[") & set(include.path)):
            return None
        path = origin if origin is not None else include.path
        if include.path.startswith("/") and self._guessed and include.role != PROJECT:
            # The base image says which folder this is: only the name is known.
            path = posixpath.basename(include.path)
        path = posixpath.normpath(path.lstrip("/") or ".")
        return replace(include, path=path, anywhere=True)

    def makes(self, path: str) -> bool:
        """Say whether a local file is one that the build makes: its sources speak for themselves."""
        return self._builds and (bool(set("*?[") & set(path)) or self._origin(path) is None)

    def _run(self, instruction: Instruction, entries: Entries) -> None:
        text, flags = _flags(instruction.text)
        before = instruction.text[: len(instruction.text) - len(text)].count("\n")
        self._mounts(flags)
        start = instruction.line + before
        if text.lstrip().startswith("["):
            try:
                listed = json.loads(text.replace("\\\n", " "))
            except (ValueError, RecursionError):
                listed = None
            if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
                text = shlex.join(listed)
        command = _HEREDOC.sub("", text).strip()
        if instruction.bodies and (not command or _SCRIPTS.match(command)):
            for first, body in instruction.bodies:
                _installs.read(body, lambda at, first=first: first + at, entries, self._known)  # type: ignore[misc]
            return
        _installs.read(text, lambda at: start + at, entries, self._known)

    def _mounts(self, flags: list[str]) -> None:
        for flag in flags:
            fields = dict(
                field.partition("=")[::2] for field in flag.removeprefix("--mount=").strip('"').split(",")
            )
            target = fields.get("target", fields.get("dst", fields.get("destination", "")))
            source = fields.get("source", fields.get("src", ""))
            if fields.get("type", "bind") == "bind" and target and "from" not in fields:
                self._copies[posixpath.normpath(posixpath.join(self._folder, target))] = source or "."


def _flags(text: str) -> tuple[str, list[str]]:
    """Return what follows an instruction's flags, and the flags."""
    flags: list[str] = []
    at = 0
    while found := _FLAG.match(text, at):
        flags.append(found[1])
        at = found.end()
    return text[at:], flags
