"""uv.lock, the lock file of uv.

uv promises that a file of the same ``version`` can be read by whoever reads that
version, whatever its ``revision``.
"""

from collections import Counter
from typing import Any

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    PINNED,
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

FORMAT = "uv.lock"
LOCK = True
NAMES = ("uv.lock",)
WORKSPACE = True

_VERSION = 1
# Sources that are folders of the repository: their dependencies are in the lock already.
_FOLDERS = ("editable", "virtual", "directory")


def claims(path: str) -> bool:
    """``uv.lock``, wherever it lies, and ``<script>.py.lock``."""
    name = path.rpartition("/")[2]
    return name in NAMES or name.endswith(".py.lock")


def read(data: bytes, limits: Limits) -> Reading:
    """Read a uv.lock: every package, with all its forks, extras and groups.

    Raises:
        Unreadable: It is not TOML, of an unknown version, or not shaped like a uv.lock.
    """
    document, lines = _toml.load(data)
    version = document.get("version")
    if version != _VERSION:
        raise Unreadable(
            "future-lock-version",
            f"is a uv.lock of version {shown(str(version))}, and this mlgate reads version {_VERSION}; "
            "upgrade mlgate, or name an exported requirements.txt in dependencies.manifests",
            line=_toml.line_of(lines, "version", (0, len(lines) + 1)) or None,
        )
    packages = document.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(each, dict) for each in packages):
        raise Unreadable("unparseable", "`package` is not a list of tables; write it anew with `uv lock`")
    sections = _toml.tables(lines, "package", len(packages))
    requirements: list[Requirement] = []
    problems: list[Problem] = []
    members: list[str] = []
    own: list[str] = []
    indexes: dict[str, Index | None] = {}
    count = Counter(str(each.get("name")) for each in packages)
    for package, section in zip(packages, sections, strict=True):
        if len(requirements) + len(problems) >= limits.requirements:
            problems.append(Problem("limit", f"holds more than {limits.requirements} packages", section[0]))
            break
        line = _toml.line_of(lines, "version", section)
        folder = _folder(package)
        if folder is not None:
            members.append(folder)
            own.append(canonicalize_name(str(package.get("name"))))
        found = _requirement(package, line, folder, forked=count[str(package.get("name"))] > 1)
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            requirements.append(found)
            if found.kind == PINNED:
                registry = str(package["source"]["registry"])
                indexes.setdefault(registry, _origin.second_index(registry, line))
                problems += _origin.problems(package, found.name, registry, line)
    return Reading(
        requirements=tuple(requirements),
        indexes=tuple(index for index in indexes.values() if index is not None),
        problems=tuple(problems),
        members=tuple(members),
        own=tuple(own),
    )


def _folder(package: dict[str, Any]) -> str | None:
    source = package.get("source")
    if isinstance(source, dict):
        for kind in _FOLDERS:
            if isinstance(source.get(kind), str):
                return str(source[kind])
    return None


def _requirement(
    package: dict[str, Any], line: int | None, folder: str | None, *, forked: bool
) -> Requirement | Problem | None:
    name, version, source = package.get("name"), package.get("version"), package.get("source")
    if not isinstance(name, str) or not isinstance(source, dict):
        return Problem(
            "unparseable", "a package has no name or no source; write it anew with `uv lock`", line
        )
    normal = canonicalize_name(name)
    if folder is not None:
        # Inside the repository its own declarations speak; outside it nobody has looked.
        if not folder.startswith(("/", "..")) and "/../" not in folder:
            return None
        return Requirement(name=normal, text=shown(f"{name} from {folder}"), line=line, kind=LOCAL)
    kinds = {"registry": PINNED, "git": VCS, "url": URL, "path": LOCAL}
    kind = next((kinds[key] for key in source if key in kinds), None)
    if kind is None:
        return Problem("unparseable", f"{shown(name)} comes from an unknown kind of source", line, normal)
    if kind == PINNED and not isinstance(version, str):
        message = f"{shown(name)} has no version; write it anew with `uv lock`"
        return Problem("unparseable", message, line, normal)
    place = next(iter(source.values()))
    return Requirement(
        name=normal,
        text=shown(f"{name}=={version}" if kind == PINNED else f"{name} from {place}"),
        line=line,
        kind=kind,
        version=version if kind == PINNED else None,
        condition=_markers(package),
        hashed=True,
        forked=forked,
    )


def _markers(package: dict[str, Any]) -> str | None:
    markers = package.get("resolution-markers")
    if isinstance(markers, list) and markers:
        return " or ".join(shown(str(marker)) for marker in markers[:4])
    return None
