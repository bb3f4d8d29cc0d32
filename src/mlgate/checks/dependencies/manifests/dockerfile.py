"""Dockerfiles: what their instructions install.

See https://docs.docker.com/reference/dockerfile/ for continuations, comments, heredocs,
and where ARG and ENV hold.
"""

import fnmatch
import posixpath
import re
import shlex
from itertools import islice

from msgspec.structs import replace

from mlgate.checks.dependencies.manifest import (
    CONSTRAINTS,
    ELSEWHERE,
    PROJECT,
    Include,
    Reading,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import _calls, _installs, _surroundings
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.manifests._instructions import (
    Instruction,
    flags_of,
    frontend,
    heredocs,
    instructions,
    strings,
    without_heredocs,
)
from mlgate.checks.dependencies.manifests._shell import Word, commands
from mlgate.core.limits import Limits

FORMAT = "Dockerfile"
LOCK = False
ALONE = True
# What installs may be written so that no word of it stands in the file (`p\\` and `ip` below).
MARK = rb"(?im)^\s*(?:ONBUILD|RUN|CMD|ENTRYPOINT|HEALTHCHECK)\b|\"syntax\"\s*:"
NAMES = ("Dockerfile", "Containerfile", "Dockerfile.*", "Containerfile.*", "*.Dockerfile", "*.dockerfile")

_BYTES = 1 << 20
_MOST_PATTERNS = 20
_LONGEST_PATH = 1_000
_DOCKERS_OWN = re.compile(r"^(?:[\w.:-]+/)*docker/dockerfile(?:-upstream)?(?:[:@].*)?$")
# What a command writes to a file: `> file`, `tee file`, `curl -o file`.
_WRITTEN = re.compile(
    r"(?:(?<![<&])>{1,2}|\btee(?:\s+-a)?\s|\s(?:-o|-O|--output(?:-document|-file)?)[ =])"
    r"\s*+[\"']?([^\s;&|<>\"']+)"
)
_MOST_WRITTEN = 1_000
_MOST_NOTED = 200
_SHELLS = re.compile(r"(?i)\b(?:sh|bash|ash|dash|zsh|ksh|pwsh|powershell|cmd)(?:\.exe)?\b")
_PYTHONS = re.compile(r"^(?:\S*/)?python[\d.]*(?:\s+-)?$")
_PYTHON_LINE = re.compile(r"#!.*\bpython")
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


def read(data: bytes, limits: Limits) -> Reading:
    """Read the RUN instructions of every stage, and what containers run when they start.

    Raises:
        Unreadable: It is larger than any Dockerfile, and names something that installs.
    """
    if len(data) > _BYTES and not re.search(_installs.TOOLS, data):
        return Reading()
    if len(data) > _BYTES:
        raise Unreadable("limit", f"is larger than {_BYTES} bytes, which no Dockerfile is; shorten it")
    # Bytes that are no UTF-8 may stand in a comment, or in a label: Docker takes them.
    text = data.decode("utf-8-sig", "replace")
    build = _Build(text)
    entries = build.entries = Entries(limits, build.rebase, build.makes)
    other = frontend(text)
    if other and not _DOCKERS_OWN.match(other):
        message = f"is read by {shown(other, 80)}, whose instructions are not known; lock what it installs"
        entries.problem("unsupported-manifest", message, 1)
    for instruction in instructions(text):
        build.take(instruction, entries)
    return entries.reading()


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
        self._compiles = "pip-compile" in text
        self._builds = bool(_BUILDS.search(text))
        self._shell: list[str] = []
        self._written: dict[str, bool] = {}
        self._bodies: dict[str, tuple[int, str]] = {}
        self.entries: Entries

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
            for variable in self._set & self._known.keys():
                _surroundings.setting(variable, self._known[variable], line, entries)
        elif name == "WORKDIR":
            self._placed = True
            self._folder = posixpath.normpath(posixpath.join(self._folder, " ".join(self._words(text))))
        elif name == "SHELL":
            self._shell = strings(text) or []
        elif name in ("COPY", "ADD"):
            self._copy(text, instruction.bodies)
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

    def _copy(self, text: str, bodies: tuple[tuple[int, str], ...]) -> None:
        rest, flags = flags_of(text)
        marks = [mark for _, mark in heredocs("COPY", rest)]
        words = strings(rest) or self._words(without_heredocs(rest))
        if marks and words:
            place = posixpath.normpath(posixpath.join(self._folder, words[-1]))
            for mark, body in zip(marks, bodies, strict=False):
                self._bodies[posixpath.join(place, mark)] = body
                if len(words) == 1 and len(marks) == 1:
                    self._bodies[place] = body
        if len(words) < 2:
            return
        *sources, target = words
        place = posixpath.join(self._folder, target)
        inside = target.endswith("/") or target in (".", "..") or len(sources) > 1
        staged = any(flag.startswith("--from") for flag in flags)
        for source in sources[:200]:
            # What another stage wrote is looked for where that stage got it from.
            origin = (self._origin(source) or "") if staged else source
            written = self._written.get(posixpath.normpath(posixpath.join("/", source))) if staged else None
            if written is not None:
                self._written[place] = written
                self._written[posixpath.join(place, posixpath.basename(source))] = written
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
        full = posixpath.normpath(posixpath.join(self._folder, include.path))
        if full in self._bodies:
            self._body(full, include)
            return None
        if full in self._written and full not in self._copies and include.role != PROJECT:
            if not self._written[full]:
                message = f"installs {shown(include.path, 80)}, which the build writes; commit that file"
                self.entries.problem("computed-requirement", message, include.line)
            return None
        origin = (self._project if include.role == PROJECT else self._origin)(include.path)
        if origin is None and include.role != PROJECT and self._compiles:
            return None
        if include.role == PROJECT and self._builds and (origin is None or set("*?[") & set(include.path)):
            return None
        path = origin if origin is not None else include.path
        if "://" in path:
            return replace(include, path=path, role=ELSEWHERE)
        if include.path.startswith("/") and self._guessed and include.role != PROJECT:
            # The base image says which folder this is: only the name is known.
            path = posixpath.basename(include.path)
        path = posixpath.normpath(path.lstrip("/") or ".")
        return replace(include, path=path, anywhere=True)

    def makes(self, path: str) -> bool:
        """Say whether a local file is one that the build makes: its sources speak for themselves."""
        return self._builds and (bool(set("*?[") & set(path)) or self._origin(path) is None)

    def _run(self, instruction: Instruction, entries: Entries) -> None:
        text, flags = flags_of(instruction.text)
        before = instruction.text[: len(instruction.text) - len(text)].count("\n")
        self._mounts(flags)
        start = instruction.line + before
        listed = strings(text)
        if listed is not None:
            text = shlex.join(listed)
        elif self._shell and not _SHELLS.search(" ".join(self._shell)):
            text = shlex.join([*self._shell, text])
        self._note_written(text)
        entries.enter(self._folder)
        command = without_heredocs(text).strip()
        for first, body in instruction.bodies:
            python = _PYTHONS.match(command) or (not command and _PYTHON_LINE.match(body))
            if python:
                for script, at in _calls.scripts(body):
                    _installs.read(script, lambda _, line=first + at: line, entries, self._known)  # type: ignore[misc]
            elif not command or _SCRIPTS.match(command):
                _installs.read(body, lambda at, first=first: first + at, entries, self._known)  # type: ignore[misc]
        if command and not (instruction.bodies and _SCRIPTS.match(command)):
            _installs.read(text, lambda at: start + at, entries, self._known)

    def _note_written(self, text: str) -> None:
        """Note the files that a command writes: they are none of the repository's."""
        known = bool(_WRITES.search(text))
        for found in islice(_WRITTEN.finditer(text), _MOST_NOTED):
            # One that is named before it is written is still the one that was there.
            named = re.search(rf"(?:\s|=|-[rcf]){re.escape(found[1])}(?!\S)", text[: found.start(1)])
            if named is None and len(self._written) < _MOST_WRITTEN:
                self._written[posixpath.normpath(posixpath.join(self._folder, found[1]))] = known

    def _body(self, full: str, include: Include) -> None:
        """Read the requirements that the Dockerfile itself holds."""
        first, body = self._bodies[full]
        for at, text in enumerate(body.split("\n")):
            self.entries.line(text, first + at, "constraint" if include.role == CONSTRAINTS else None)

    def _mounts(self, flags: list[str]) -> None:
        for flag in flags:
            fields = dict(
                field.partition("=")[::2] for field in flag.removeprefix("--mount=").strip('"').split(",")
            )
            target = fields.get("target", fields.get("dst", fields.get("destination", "")))
            source = fields.get("source", fields.get("src", ""))
            if fields.get("type", "bind") == "bind" and target and "from" not in fields:
                self._copies[posixpath.normpath(posixpath.join(self._folder, target))] = source or "."
