"""Pipfile.lock, the lock file of Pipenv (its format 6)."""

from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    UNPINNED,
    URL,
    VCS,
    Reading,
    Requirement,
    Unreadable,
    shown,
)
from mlgate.checks.dependencies.manifests import _json
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.versions import pin
from mlgate.core.limits import Limits

FORMAT = "Pipfile.lock"
LOCK = True
NAMES = ("Pipfile.lock",)

_SPEC = 6
_ANEW = "write it anew with `pipenv lock`"
_LONGEST = 4_000
_SOURCES = (
    ("git", VCS),
    ("hg", VCS),
    ("svn", VCS),
    ("bzr", VCS),
    ("file", URL),
    ("uri", URL),
    ("path", LOCAL),
)


def claims(path: str) -> bool:
    """``Pipfile.lock``, wherever it lies."""
    return path.rpartition("/")[2] in NAMES


def read(data: bytes, limits: Limits) -> Reading:
    """Read a Pipfile.lock: ``default``, ``develop`` and every other category.

    Raises:
        Unreadable: It is not JSON, of an unknown format, or not shaped like a Pipfile.lock.
    """
    document, text = _json.load(data, _ANEW)
    meta = document.get("_meta") if isinstance(document, dict) else None
    if not isinstance(meta, dict):
        raise Unreadable("unparseable", f"has no `_meta`, as a Pipfile.lock has; {_ANEW}")
    lines = _json.key_lines(text, 3)
    if meta.get("pipfile-spec") != _SPEC:
        raise Unreadable(
            "future-lock-version",
            f"is a Pipfile.lock of format {shown(str(meta.get('pipfile-spec')), 40)}, and this mlgate reads "
            f"{_SPEC}; upgrade mlgate, or name an exported requirements.txt in dependencies.manifests",
            lines.get(("_meta", "pipfile-spec")),
        )
    entries = Entries(limits)
    for category, packages in document.items():
        if category == "_meta":
            continue
        if not isinstance(packages, dict):
            message = f"the category {shown(category, 60)} is not an object; {_ANEW}"
            entries.problem("unparseable", message, lines.get((category,)))
            continue
        for name, entry in packages.items():
            place = (category, name)
            line = lines.get((*place, "version"), lines.get(place))
            _package(name, entry, category, line, entries)
    return entries.reading()


def _package(name: str, entry: Any, category: str, line: int | None, entries: Entries) -> None:
    if not isinstance(entry, dict):
        message = f"{shown(name)} is not described by an object; {_ANEW}"
        entries.problem("unparseable", message, line, shown(name))
        return
    key, kind = next(
        ((key, kind) for key, kind in _SOURCES if isinstance(entry.get(key), str)), ("", UNPINNED)
    )
    version = None
    if not key:
        try:
            written = entry.get("version", "*")
            if not isinstance(written, str) or len(written) > _LONGEST:
                raise InvalidSpecifier(str(written)[:100])  # noqa: TRY301 - the same answer
            kind, version = pin(SpecifierSet("" if written == "*" else written))
        except InvalidSpecifier:
            message = (
                f"{shown(name)} has a version that cannot be read: {shown(str(entry.get('version')), 60)}"
            )
            entries.problem("unparseable", f"{message}; {_ANEW}", line, shown(name))
            return
    elif key == "file" and "://" not in entry[key]:
        kind = LOCAL
    said = [] if category == "default" else [f"group {shown(category, 60)}"]
    if isinstance(entry.get("markers"), str):
        said.append(shown(entry["markers"]))
    entries.add(
        Requirement(
            name=canonicalize_name(name),
            text=shown(f"{name} from {entry[key]}" if key else f"{name}{entry.get('version', '')}"),
            line=line,
            kind=kind,
            version=version,
            condition="; ".join(said) or None,
            hashed=bool(entry.get("hashes")),
        )
    )
