"""pdm.lock, the lock file of PDM, of format 2 to 4."""

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

FORMAT = "pdm.lock"
LOCK = True
NAMES = ("pdm.lock",)

_OLDEST, _NEWEST = 2, 4
_ANEW = "write it anew with `pdm lock`"
_SOURCES = (("git", VCS), ("hg", VCS), ("svn", VCS), ("bzr", VCS), ("url", URL), ("path", LOCAL))


def claims(path: str) -> bool:
    """``pdm.lock``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read a pdm.lock: every package, of every group.

    A package stands there once more for each set of its extras; it counts once.

    Raises:
        Unreadable: It is not TOML, of an unknown version, or not shaped like a pdm.lock.
    """
    document, lines = _toml.load(data)
    _check_version(document, lines)
    packages = document.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(each, dict) for each in packages):
        raise Unreadable("unparseable", f"`package` is not a list of tables; {_ANEW}")
    sections = _toml.tables(lines, "package", len(packages))
    requirements: dict[tuple[str, str | None, str], Requirement] = {}
    problems: list[Problem] = []
    members: list[str] = []
    own: list[str] = []
    versions = Counter(
        name for name, _ in {(str(each.get("name")), str(each.get("version"))) for each in packages}
    )
    for package, section in zip(packages, sections, strict=True):
        line = _toml.line_of(lines, "version", section)
        if len(requirements) >= limits.requirements:
            problems.append(Problem("limit", f"holds more than {limits.requirements} packages", line))
            break
        name, path = package.get("name"), package.get("path")
        if not isinstance(name, str):
            problems.append(Problem("unparseable", f"a package has no name; {_ANEW}", line))
            continue
        if isinstance(path, str) and _own_folder(path):
            members.append(path)
            own.append(canonicalize_name(name))
            continue
        found = _requirement(package, name, line, forked=versions[name] > 1)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            requirements.setdefault((found.name, found.version, found.text), found)
    return Reading(
        requirements=tuple(requirements.values()),
        problems=tuple(problems),
        members=tuple(members),
        own=tuple(own),
    )


def _check_version(document: dict[str, Any], lines: list[str]) -> None:
    metadata = document.get("metadata")
    version = metadata.get("lock_version") if isinstance(metadata, dict) else None
    found = re.match(r"(\d{1,6})(?:\.|$)", version) if isinstance(version, str) else None
    if found is None:
        raise Unreadable("unparseable", f"has no `lock_version` in the table `metadata`; {_ANEW}")
    if not _OLDEST <= int(found[1]) <= _NEWEST:
        raise Unreadable(
            "future-lock-version",
            f"is a pdm.lock of version {shown(str(version), 40)}, and this mlgate reads 2.x to 4.x; upgrade "
            "mlgate, or name an exported requirements.txt in dependencies.manifests",
            next((number for number, line in enumerate(lines, 1) if "lock_version" in line), None),
        )


def _own_folder(path: str) -> bool:
    """Say whether a path is a folder of the repository, not a built archive, not outside."""
    if path.startswith(("/", "..", "~")) or "/../" in path or ":" in path:
        return False
    return not path.lower().endswith((".whl", ".zip", ".gz", ".bz2", ".xz", ".tar"))


def _requirement(
    package: dict[str, Any], name: str, line: int | None, *, forked: bool
) -> Requirement | Problem:
    normal, version = canonicalize_name(name), package.get("version")
    key, kind = next(((key, kind) for key, kind in _SOURCES if key in package), ("", PINNED))
    if kind == PINNED and not isinstance(version, str):
        return Problem("unparseable", f"{shown(name)} has no version; {_ANEW}", line, normal)
    return Requirement(
        name=normal,
        text=shown(f"{name}=={version}" if kind == PINNED else f"{name} from {package[key]}"),
        line=line,
        kind=kind,
        version=version if kind == PINNED else None,
        condition=_condition(package),
        hashed=kind == PINNED,
        forked=forked,
    )


def _condition(package: dict[str, Any]) -> str | None:
    groups, marker = package.get("groups"), package.get("marker")
    said = []
    if isinstance(groups, list) and groups and "default" not in groups:
        said.append(f"group {shown(', '.join(map(str, groups[:4])), 60)}")
    if isinstance(marker, str):
        said.append(shown(marker))
    return "; ".join(said) or None
