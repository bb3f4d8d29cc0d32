"""Conda's environment files: ``environment.yml``, ``conda.yaml``.

Python advisories are written about the packages of PyPI. Conda has most of them under
the same name and with the same versions; ``conda_names.json`` holds those whose name
differs, and those that are no Python packages at all (the interpreter, CUDA, compilers),
which are set aside and counted. Everything else is audited by its own name.
"""

import codecs
import fnmatch
import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import PINNED, UNPINNED, Reading, Requirement, Unreadable, shown
from mlgate.checks.dependencies.manifests import _yaml
from mlgate.checks.dependencies.manifests._entries import Entries
from mlgate.checks.dependencies.versions import parse
from mlgate.core.limits import Limits

FORMAT = "conda"
LOCK = False
NAMES = (
    "environment.yml",
    "environment.yaml",
    "conda.yaml",
    "conda.yml",
    "environment[-_.]*.yml",
    "environment[-_.]*.yaml",
    "*[-_]environment.yml",
    "*[-_]environment.yaml",
    "conda[-_]env*.yml",
    "conda[-_]env*.yaml",
    "env.yml",
    "env.yaml",
)
# Other tools call their settings by these names too. Escapes and UTF-16 can hide the word.
MARK = rb"\bdependencies\b|\\[xuU\r\n]|\x00"

_SELECTED = re.compile(r"^sel\([\w ]+\)$")
_NAME = r"([A-Za-z0-9_][A-Za-z0-9_.\-*]*)"
_LONGEST = 1_000
# A version of two parts is a family of releases, unless its first part is a year.
_YEAR = 1990


def claims(path: str) -> bool:
    """Environment files by their usual names."""
    name = path.rpartition("/")[2].lower()
    return name.endswith((".yml", ".yaml")) and any(fnmatch.fnmatchcase(name, pattern) for pattern in NAMES)


def covered(name: str, beside: frozenset[str]) -> bool:
    """Say whether MLflow wrote the same requirements beside it, as a requirements file."""
    return name == "conda.yaml" and {"MLmodel", "requirements.txt"} <= beside


def read(data: bytes, limits: Limits) -> Reading:
    """Read an environment file: conda's packages, and the lines of its ``pip`` list.

    Raises:
        Unreadable: It is not plain YAML, or has no list of dependencies.
    """
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # conda reads both
        data = data.decode("utf-16", "replace").encode()
    plain = b"dependencies" in data
    try:
        root = _yaml.load(data)
    except Unreadable:
        if plain or b"\\" in data or b"\0" in data:
            raise
        return Reading()
    lists = root.all("dependencies")
    if not lists and not plain:
        return Reading()  # another tool's file
    if not lists:
        raise Unreadable("unparseable", "has no list `dependencies`, as an environment file has")
    entries = Entries(limits)
    for listed in lists:
        if listed.items is None and listed.text not in ("", "~", "null"):
            raise Unreadable("unparseable", "`dependencies` is not a list", listed.line)
        for item in listed.items or ():
            if item.text is not None:
                package(item.text, item.line, entries)
            elif item.pairs is not None:
                for key, value in item.pairs:
                    _sublist(key, value, entries)
            else:
                entries.problem("unparseable", "is a list inside the list of dependencies", item.line)
    return entries.reading()


def _sublist(key: _yaml.Node, value: _yaml.Node, entries: Entries) -> None:
    if _SELECTED.match(key.text or ""):
        # Micromamba's selector: what it selects is installed somewhere.
        for each in [value] if value.text else value.items or ():
            if each.text is not None:
                package(each.text, each.line, entries)
            for inner, listed in each.pairs or ():
                _sublist(inner, listed, entries)
        return
    if key.text != "pip":
        message = f"`{shown(key.text or '', 40)}` is no kind of dependency that is read; conda knows `pip`"
        entries.problem("unparseable", message, key.line)
        return
    if value.pairs is not None:
        entries.problem("unparseable", "`pip` is not a list of requirements", value.line)
    for line in [value] if value.text else value.items or ():
        if line.text is None:
            entries.problem("unparseable", "is not a line of a requirements file", line.line)
        else:
            entries.line(line.text, line.line)


@cache
def _tables() -> Any:
    return json.loads((Path(__file__).parent.parent / "data" / "conda_names.json").read_bytes())


@lru_cache(maxsize=4096)
def _is_system(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _tables()["no_python_packages"])


def package(text: str, line: int | None, entries: Entries) -> None:
    """Read one of conda's package specifications (``channel::name=version=build``)."""
    spec = text.partition("#")[0].strip()
    if not spec:
        return
    bare = spec.rpartition("::")[2].strip()
    found = re.match(rf"{_NAME}\s*(.*)$", bare, re.DOTALL) if len(bare) <= _LONGEST else None
    if found is None or "://" in spec:
        message = f"is no package specification of conda: {shown(spec)}"
        entries.problem("unparseable", message, line)
        return
    name, rest = found[1].lower().strip("."), found[2]
    if _is_system(name):
        entries.leave(name)
        return
    version = _exact(rest)
    known = canonicalize_name(_tables()["pypi_names"].get(name, name))
    entries.add(
        Requirement(
            name=known,
            text=shown(spec),
            line=line,
            kind=PINNED if version else UNPINNED,
            version=version,
            condition=None if known == canonicalize_name(name) else f"conda package {name}",
        )
    )


def _exact(rest: str) -> str | None:
    """Return the one version that a specification allows, or None.

    ``=1.2.3`` allows ``1.2.3.*``: three parts or more are taken for the whole version.
    """
    inside = re.search(r"\[(.*)\]", rest, re.DOTALL)
    if inside:
        given = re.search(r"version\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s,\]]+))", inside[1])
        if given:
            return _plain((given[1] or given[2] or given[3] or "").removeprefix("=="))
        rest = rest[: inside.start()]
    rest = rest.strip()
    if rest.startswith("=="):
        return _plain(re.split(r"[\s=]", rest[2:].strip(), maxsplit=1)[0])
    if rest.startswith("="):
        version, _, build = rest[1:].strip().replace(" ", "=").partition("=")
        if build.strip("=") not in ("", "*"):
            return _plain(version)
        return _plain(version) if _whole(version) else None
    # "name 1.2.3" and "name 1.2.3 build": a blank means exactly this version.
    return _plain(rest.split()[0]) if rest[:1].isdigit() else None


def _plain(version: str) -> str | None:
    return version if re.fullmatch(r"[A-Za-z0-9_.!+\-]+", version) and version[0].isalnum() else None


def _whole(version: str) -> bool:
    parsed = parse(version)
    if parsed is None:
        return False
    return len(parsed.release) > 2 or (len(parsed.release) == 2 and parsed.release[0] >= _YEAR)
