"""poetry.lock, the lock file of Poetry, of every format from before 1.0 to 2.x."""

import re
from collections import Counter
from typing import Any

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    PINNED,
    URL,
    VCS,
    Problem,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import _toml
from mlgate.core.limits import Limits

FORMAT = "poetry.lock"
LOCK = True
NAMES = ("poetry.lock",)

_NEWEST = 2
_ANEW = "write it anew with `poetry lock`"
_SOURCES = {"git": VCS, "hg": VCS, "url": URL, "file": LOCAL, "directory": LOCAL, "legacy": PINNED}


def claims(path: str) -> bool:
    """``poetry.lock``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read a poetry.lock: every package, of every group and extra.

    Raises:
        Unreadable: It is not TOML, of an unknown version, or not shaped like a poetry.lock.
    """
    document, lines = _toml.load(data)
    _check_version(document, lines)
    packages = document.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(each, dict) for each in packages):
        raise Unreadable("unparseable", f"`package` is not a list of tables; {_ANEW}")
    sections = _toml.tables(lines, "package", len(packages))
    requirements: list[Requirement] = []
    problems: list[Problem] = []
    members: list[str] = []
    own: list[str] = []
    count = Counter(str(each.get("name")) for each in packages)
    for package, section in zip(packages, sections, strict=True):
        line = _toml.line_of(lines, "version", section)
        if len(requirements) >= limits.requirements:
            problems.append(Problem("limit", f"holds more than {limits.requirements} packages", line))
            break
        name, folder = package.get("name"), _own_folder(package)
        if not isinstance(name, str):
            problems.append(Problem("unparseable", f"a package has no name; {_ANEW}", line))
        elif folder is not None:
            members.append(folder)
            own.append(canonicalize_name(name))
        else:
            found = _requirement(package, name, line, forked=count[name] > 1)
            (problems if isinstance(found, Problem) else requirements).append(found)  # type: ignore[arg-type]
    return Reading(
        requirements=tuple(requirements), problems=tuple(problems), members=tuple(members), own=tuple(own)
    )


def _check_version(document: dict[str, Any], lines: list[str]) -> None:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        # Poetry writes this table last: without it the file was cut off.
        raise Unreadable("truncated", f"has no table `metadata`, with which a poetry.lock ends; {_ANEW}")
    version = metadata.get("lock-version", "1.0")
    found = re.fullmatch(r"(\d{1,6})\.(\d{1,6})", version) if isinstance(version, str) else None
    if found is None or not 1 <= int(found[1]) <= _NEWEST:
        written = next((number for number, line in enumerate(lines, 1) if "lock-version" in line), None)
        raise Unreadable(
            "future-lock-version",
            f"is a poetry.lock of version {shown(str(version), 40)}, and this mlgate reads 1.x and 2.x; "
            "upgrade mlgate, or name an exported requirements.txt in dependencies.manifests",
            written,
        )


def _own_folder(package: dict[str, Any]) -> str | None:
    """Return the folder of a package that is part of the repository."""
    source = package.get("source")
    if not isinstance(source, dict) or source.get("type") != "directory":
        return None
    url = source.get("url")
    return url if isinstance(url, str) and not _outside(url) else None


def _outside(path: str) -> bool:
    return path.startswith(("/", "..", "~")) or "/../" in path or ":" in path


def _requirement(
    package: dict[str, Any], name: str, line: int | None, *, forked: bool
) -> Requirement | Problem:
    normal, version, source = canonicalize_name(name), package.get("version"), package.get("source")
    kind, place = PINNED, ""
    if source is not None:
        entry = source if isinstance(source, dict) else {}
        kind, place = _SOURCES.get(str(entry.get("type")), ""), str(entry.get("url", ""))
        if not kind:
            return Problem("unparseable", f"{shown(name)} comes from an unknown kind of source", line, normal)
    if not isinstance(version, str):
        return Problem("unparseable", f"{shown(name)} has no version; {_ANEW}", line, normal)
    return Requirement(
        name=normal,
        text=shown(f"{name}=={version}" if kind == PINNED else f"{name} from {place}"),
        line=line,
        kind=kind,
        version=version if kind == PINNED else None,
        condition=_condition(package),
        hashed=kind == PINNED,
        forked=forked,
    )


def _condition(package: dict[str, Any]) -> str | None:
    """Groups other than the main one, before 2.0 the category; and the marker."""
    groups = package.get("groups", package.get("category"))
    names = [str(each) for each in groups] if isinstance(groups, list) else [str(groups or "main")]
    said = [] if {"main", "default"} & {*names} else [f"group {shown(', '.join(names[:4]), 60)}"]
    markers = package.get("markers")
    said += [shown(markers)] if isinstance(markers, str) else []
    return "; ".join(said) or None
