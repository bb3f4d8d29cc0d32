"""pixi.lock, the lock file of pixi, of version 4 to 6.

In version 6 a conda package is named by its address alone: ``name-version-build.conda``,
of which neither version nor build holds a hyphen.
"""

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    PINNED,
    URL,
    VCS,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import _origin, _yaml, conda
from mlgate.checks.dependencies.manifests._entries import Entries, one_by_platform
from mlgate.core.limits import Limits

FORMAT = "pixi.lock"
LOCK = True
NAMES = ("pixi.lock",)

_VERSIONS = ("4", "5", "6")
_BYTES = 4 << 20
_ANEW = "write it anew with `pixi lock`"
_SUFFIXES = (".conda", ".tar.bz2")


def claims(path: str) -> bool:
    """``pixi.lock``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read a pixi.lock: every package of every environment and platform.

    Raises:
        Unreadable: It is not YAML, of an unknown version, or not shaped like a pixi.lock.
    """
    root = _yaml.load(data, _BYTES)
    version = next(iter(root.all("version")), None)
    if version is None or version.text not in _VERSIONS:
        said = "" if version is None else version.text or ""
        raise Unreadable(
            "future-lock-version",
            f"is a pixi.lock of version {shown(said, 40)!r}, and this mlgate reads {', '.join(_VERSIONS)}; "
            "upgrade mlgate, or name an exported requirements.txt in dependencies.manifests",
            None if version is None else version.line,
        )
    entries = Entries(limits)
    for listed in root.all("packages") or [_yaml.Node(1)]:
        if listed.items is None:
            raise Unreadable("unparseable", f"`packages` is not a list of packages; {_ANEW}", listed.line)
        for package in listed.items:
            _package(package, entries)
    return one_by_platform(entries.reading())


def _package(package: _yaml.Node, entries: Entries) -> None:
    fields = {key.text or "": value.text or "" for key, value in package.pairs or ()}
    kind = fields.get("kind") or next((key for key in ("conda", "pypi") if key in fields), "")
    place = fields.get("url") or fields.get("path") or fields.get(kind, "")
    name, version = fields.get("name", ""), fields.get("version", "")
    if kind == "conda":
        if not name or not version:
            name, version = _of_file(place)
        if name and version:
            conda.package(f"{name}=={version}", package.line, entries)
            return
    if kind == "pypi" and name:
        _of_pypi(name, version, place, package.line, entries)
        return
    message = f"a package is neither conda's nor PyPI's by name and version: {shown(place, 80)}; {_ANEW}"
    entries.problem("unparseable", message, package.line, shown(name))


def _of_file(url: str) -> tuple[str, str]:
    """Return name and version of a conda package by its file's name, or two empty texts."""
    file = url.partition("#")[0].rpartition("/")[2]
    suffix = next((suffix for suffix in _SUFFIXES if file.endswith(suffix)), None)
    parts = file.removesuffix(suffix).rsplit("-", 2) if suffix else []
    return (parts[0], parts[1]) if len(parts) == 3 else ("", "")


def _of_pypi(name: str, version: str, place: str, line: int, entries: Entries) -> None:
    normal = canonicalize_name(name)
    if "://" not in place:
        folder = not place.endswith((".whl", ".zip", ".gz"))
        if folder and not place.startswith(("/", "..")) and "/../" not in place:
            return  # the project itself: its own declarations speak
        entries.add(Requirement(name=normal, text=shown(f"{name} from {place}"), line=line, kind=LOCAL))
        return
    if place.startswith(("git+", "hg+", "svn+", "bzr+")):
        entries.add(Requirement(name=normal, text=shown(f"{name} from {place}"), line=line, kind=VCS))
        return
    if not version:
        entries.problem("unparseable", f"{shown(name)} has no version; {_ANEW}", line, normal)
        return
    text = shown(f"{name}=={version}")
    entries.add(Requirement(name=normal, text=text, line=line, kind=PINNED, version=version, hashed=True))
    for _ in _origin.problems({"sdist": {"url": place}}, normal, None, line):
        message = f"taken from {shown(place)}, not from PyPI: what it is cannot be told by its version"
        entries.problem(URL, message, line, normal)
