"""requirements.txt, as pip reads it.

The rules are those of pip's documentation of the requirements file format: how lines
are joined, where comments start, and which options there are. Lines are split where
``str.splitlines`` splits them, because pip does: a requirement behind a form feed or
U+2028 is one that pip installs.
"""

import fnmatch
import re
import shlex

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    CONSTRAINTS,
    ELSEWHERE,
    LOCAL,
    PROJECT,
    REQUIREMENTS,
    URL,
    VCS,
    Include,
    Index,
    Problem,
    Reading,
    Requirement,
    shown,
)
from mlgate.checks.dependencies.manifests._lines import decode, logical_lines
from mlgate.checks.dependencies.manifests._options import OPTIONS, option
from mlgate.checks.dependencies.versions import pin
from mlgate.core.limits import Limits

FORMAT = "requirements"
LOCK = False
NAMES = ("requirements.txt",)

_NAMES = (
    "requirements*.txt",
    "requirements*.pip",
    "requirements*.in",
    "*[-_.]requirements.txt",
    "*[-_.]requirements.in",
    "*[-_.]requirements[-_.]*.txt",
    "constraints*.txt",
    "*[-_.]constraints.txt",
)
_FOLDERS = frozenset({"requirements", "reqs"})

_INCLUDES = ("--requirement", "--constraint")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9.]*\+)?[a-z][a-z0-9.]*:", re.IGNORECASE)
_VCS = re.compile(r"^(?:git|hg|svn|bzr)(?:\+|:|@)", re.IGNORECASE)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_ARCHIVES = (
    ".whl .zip .tar .tar.gz .tgz .tar.bz2 .tbz .tar.xz .txz .tlz .tar.lz .tar.lzma .tar.zst".split()  # noqa: SIM905
)
# Options that may follow a requirement on its line; each takes a value.
_SUFFIXES = ("--hash", "--config-settings", "--config-setting", "--global-option", "--install-option")
# Hashes make lines long; a requirement itself is short.
_LONGEST_LINE = 200_000
_LONGEST_REQUIREMENT = 4_000


def claims(path: str) -> bool:
    """Requirement and constraint files by their usual names, and ``requirements/**/*.txt``."""
    *folders, name = path.lower().split("/")
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _NAMES):
        return True
    return name.endswith((".txt", ".in")) and not _FOLDERS.isdisjoint(folders)


def covered(name: str, beside: frozenset[str]) -> bool:
    """Say whether what a ``.in`` file is compiled to stands beside it."""
    return name.endswith(".in") and f"{name[:-3]}.txt" in beside


def read(data: bytes, limits: Limits) -> Reading:
    """Read a requirements or constraints file. Lines that cannot be read are problems.

    Raises:
        Unreadable: It is not text.
    """
    collected = _Collected()
    for each in logical_lines(decode(data)):
        line, text = each.number, each.text
        if collected.size >= limits.requirements:
            message = f"holds more than {limits.requirements} requirements; the rest was not read"
            collected.problems.append(Problem("limit", message, line))
            break
        if each.doubt:
            collected.problem(line, each.doubt)
        if len(text) > _LONGEST_LINE:
            collected.problem(line, "this line is too long to be a requirement")
        elif text.startswith("-"):
            _options(text, line, collected)
        else:
            _requirement(text, line, collected)
    return collected.reading()


class _Collected:
    """What has been read so far."""

    def __init__(self) -> None:
        self.requirements: list[Requirement] = []
        self.includes: list[Include] = []
        self.indexes: list[Index] = []
        self.problems: list[Problem] = []

    @property
    def size(self) -> int:
        """Everything counts: a million includes cost more than as many requirements."""
        return len(self.requirements) + len(self.includes) + len(self.indexes) + len(self.problems)

    def problem(self, line: int, message: str, subject: str = "") -> None:
        self.problems.append(Problem("unparseable", message, line, subject))

    def reading(self) -> Reading:
        return Reading(
            requirements=tuple(self.requirements),
            includes=tuple(self.includes),
            indexes=tuple(self.indexes),
            problems=tuple(self.problems),
        )


def _words(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


def _options(text: str, line: int, collected: _Collected) -> None:
    words = _words(text)
    if words is None:
        collected.problem(line, f"a quotation mark is not closed: {shown(text)}")
        return
    pending = iter(words)
    included = 0
    for word in pending:
        name, value = option(word)
        included += name in _INCLUDES
        if included > 1:
            message = f"includes two files at once, of which installers read only one: {shown(text)}"
            collected.problem(line, f"{message}; give each a line of its own")
            return
        if name is None:
            collected.problem(
                line, f"this option is not one of a requirements file: {shown(word)}; correct or remove it"
            )
            return
        if OPTIONS[name][1] and value is None:
            value = next(pending, None)
        if OPTIONS[name][1] == (value is None):
            collected.problem(line, f"{name} is followed by no value, or by one too many: {shown(text)}")
            return
        _apply(name, value or "", line, collected)


def _apply(name: str, value: str, line: int, collected: _Collected) -> None:
    if name in (*_INCLUDES, "--editable") and _VARIABLE.search(value):
        collected.problem(line, f"depends on an environment variable: {shown(value)}; write the path out")
    elif name in _INCLUDES and _SCHEME.match(value):
        collected.includes.append(Include(value, line, ELSEWHERE))
    elif name in _INCLUDES:
        role = REQUIREMENTS if name == "--requirement" else CONSTRAINTS
        collected.includes.append(Include(value, line, role))
    elif name == "--editable":
        _location(value, line, collected, None)
    elif name == "--extra-index-url" or (name == "--find-links" and "://" in value):
        collected.indexes.append(Index(_bare_url(value), name, line))


def _bare_url(url: str) -> str:
    return shown(re.split(r"[?#]", url, maxsplit=1)[0])


def _requirement(text: str, line: int, collected: _Collected) -> None:
    body, hashed, problem = _split_suffixes(text)
    if problem:
        collected.problem(line, problem)
        return
    if _VARIABLE.search(body):
        collected.problem(
            line, f"depends on an environment variable: {shown(body)}; write the requirement out"
        )
        return
    bare = body.partition(";")[0].strip()
    if _SCHEME.match(bare) or _looks_local(bare):
        _location(body, line, collected, None)
        return
    try:
        if len(body) > _LONGEST_REQUIREMENT:
            raise InvalidRequirement(body)  # noqa: TRY301 - the same answer
        parsed = Parsed(body)
        condition = str(parsed.marker) if parsed.marker else None
    except (InvalidRequirement, RecursionError):
        collected.problem(line, f"is not a requirement: {shown(body)}; see PEP 508 for what is")
        return
    name = canonicalize_name(parsed.name)
    if parsed.url is not None:
        _location(parsed.url, line, collected, name, condition)
        return
    kind, version = pin(parsed.specifier)
    collected.requirements.append(
        Requirement(
            name=name,
            text=shown(body),
            line=line,
            kind=kind,
            version=version,
            condition=condition,
            hashed=hashed,
        )
    )


def _split_suffixes(text: str) -> tuple[str, bool, str]:
    """Return the requirement, whether hashes follow it, and what is wrong with its options."""
    # pip ends the requirement at the first word that starts with a dash.
    found = re.search(r"\s-", text)
    if found is None:
        return text, False, ""
    body, words = text[: found.start()].rstrip(), _words(text[found.start() :])
    if words is None:
        return body, False, f"a quotation mark is not closed: {shown(text)}"
    hashed = False
    pending = iter(words)
    for word in pending:
        given, equals, _ = word.partition("=")
        if given not in _SUFFIXES:
            return body, False, f"this option does not belong to a requirement: {shown(word)}; remove it"
        if not equals and next(pending, None) is None:
            return body, False, f"{given} has no value: {shown(text)}"
        hashed |= given == "--hash"
    return body, hashed, ""


def _looks_local(text: str) -> bool:
    path = text.partition("[")[0].strip() if text.endswith("]") else text
    if " @ " in text or re.match(r"^[A-Za-z0-9._-]+(\[[^]]*\])?\s*@", text):
        return False
    return (
        "/" in path
        or "\\" in path
        or path in (".", "..")
        or path.startswith(".")
        or path.lower().endswith(tuple(_ARCHIVES))
    )


def _location(
    text: str, line: int, collected: _Collected, name: str | None, condition: str | None = None
) -> None:
    """A requirement that names a place instead of a version."""
    # A marker follows a space: a URL may hold a semicolon of its own.
    place, _, marker = text.partition(" ;") if " ;" in text else (text, "", "")
    place = place.strip()
    egg = _EGG.search(place)
    name = name or (canonicalize_name(egg[1]) if egg else "")
    if _VCS.match(place):
        kind = VCS
    elif _SCHEME.match(place) and not _DRIVE.match(place):
        kind = LOCAL if place.lower().startswith("file:") else URL
    else:
        kind = LOCAL
        folder = re.sub(r"\[[^]]*\]$", "", place.partition("#")[0].strip())
        if not folder.lower().endswith(tuple(_ARCHIVES)) and not _DRIVE.match(folder):
            collected.includes.append(Include(folder, line, PROJECT))
            return
    collected.requirements.append(
        Requirement(
            name=name,
            text=shown(place),
            line=line,
            kind=kind,
            condition=condition or marker.strip() or None,
        )
    )
