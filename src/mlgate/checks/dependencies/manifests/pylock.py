"""pylock.toml, the lock file of PEP 751."""

import re
from collections import Counter
from typing import Any

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    PINNED,
    UNPINNED,
    URL,
    VCS,
    Index,
    Problem,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import _origin, _toml
from mlgate.core.limits import Limits

FORMAT = "pylock.toml"
LOCK = True
NAMES = ("pylock.toml",)

_NAME = re.compile(r"^pylock\.(?:[^.]+\.)?toml$")
_KNOWN = (1, 0)
# What a package is built from, in the words of the standard.
_SOURCES = (("vcs", VCS), ("archive", URL), ("directory", LOCAL))


def claims(path: str) -> bool:
    """``pylock.toml`` and ``pylock.<name>.toml``."""
    return _NAME.match(path.rpartition("/")[2]) is not None


def read(data: bytes, limits: Limits) -> Reading:
    """Read a pylock.toml: every package, whatever its marker.

    A newer minor version may hold what this reader does not know: what it knows is
    read, and the rest is said to be a problem.

    Raises:
        Unreadable: It is not TOML, of an unknown major version, or not shaped like a lock.
    """
    document, lines = _toml.load(data)
    problems = list(_version_problems(document.get("lock-version"), lines))
    packages = document.get("packages")
    if not isinstance(packages, list) or not all(isinstance(each, dict) for each in packages):
        raise Unreadable("unparseable", "`packages` is not a list of tables; write the lock file anew")
    sections = _toml.tables(lines, "packages", len(packages))
    requirements: list[Requirement] = []
    members: list[str] = []
    own: list[str] = []
    indexes: dict[str | None, Index | None] = {}
    count = Counter(str(each.get("name")) for each in packages)
    for package, section in zip(packages, sections, strict=True):
        if len(requirements) + len(problems) >= limits.requirements:
            problems.append(Problem("limit", f"holds more than {limits.requirements} packages", section[0]))
            break
        line = _toml.line_of(lines, "version", section)
        name = package.get("name")
        if not isinstance(name, str):
            problems.append(Problem("unparseable", "a package has no name; write the lock file anew", line))
            continue
        folder = _own_folder(package)
        if folder is not None:
            members.append(folder)
            own.append(canonicalize_name(name))
            continue
        requirements.append(_requirement(package, name, line, forked=count[name] > 1))
        if requirements[-1].kind == PINNED:
            index = package.get("index")
            registry = index if isinstance(index, str) else None
            indexes.setdefault(registry, _origin.second_index(registry, line))
            problems += _origin.problems(package, canonicalize_name(name), registry, line)
    return Reading(
        requirements=tuple(requirements),
        indexes=tuple(index for index in indexes.values() if index is not None),
        problems=tuple(problems),
        members=tuple(members),
        own=tuple(own),
    )


def _version_problems(version: Any, lines: list[str]) -> list[Problem]:
    line = _toml.line_of(lines, "lock-version", (0, len(lines) + 1)) or None
    found = re.fullmatch(r"(\d{1,6})\.(\d{1,6})", version) if isinstance(version, str) else None
    if found is None or int(found[1]) != _KNOWN[0]:
        raise Unreadable(
            "future-lock-version",
            f"is a lock file of version {shown(str(version))}, and this mlgate reads 1.0; upgrade mlgate, "
            "or write the file with the older version",
            line,
        )
    if int(found[2]) > _KNOWN[1]:
        message = (
            f"is of version {version}, newer than 1.0: what this mlgate does not know of it was not read; "
            "upgrade mlgate"
        )
        return [Problem("future-lock-version", message, line)]
    return []


def _own_folder(package: dict[str, Any]) -> str | None:
    """Return the folder of a package that is part of the repository."""
    directory = package.get("directory")
    path = directory.get("path") if isinstance(directory, dict) else None
    if isinstance(path, str) and not path.startswith(("/", "..")) and "/../" not in path:
        return path
    return None


def _requirement(package: dict[str, Any], name: str, line: int | None, *, forked: bool) -> Requirement:
    version = package.get("version")
    kind = next((kind for key, kind in _SOURCES if key in package), None)
    if kind is None:
        kind = PINNED if isinstance(version, str) else UNPINNED
    marker = package.get("marker")
    return Requirement(
        name=canonicalize_name(name),
        text=shown(f"{name}=={version}" if isinstance(version, str) else name),
        line=line,
        kind=kind,
        version=version if kind == PINNED else None,
        condition=shown(marker) if isinstance(marker, str) else None,
        hashed=True,
        forked=forked,
    )
