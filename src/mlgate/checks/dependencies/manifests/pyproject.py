"""pyproject.toml: dependencies, extras (PEP 621) and dependency groups (PEP 735).

Requirements of the build system are left out: they are not part of what the project
ships or runs with.
"""

from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    REQUIREMENTS,
    URL,
    VCS,
    Include,
    Problem,
    Reading,
    Requirement,
    shown,
)
from mlgate.checks.dependencies.manifests import _toml
from mlgate.checks.dependencies.versions import pin
from mlgate.core.limits import Limits

FORMAT = "pyproject.toml"
LOCK = False

_LONGEST = 4_000


def claims(path: str) -> bool:
    """``pyproject.toml``, wherever it lies."""
    return path.rpartition("/")[2] == "pyproject.toml"


def read(data: bytes, limits: Limits) -> Reading:
    """Read what a project declares. One that declares nothing (settings of tools only) is empty.

    Raises:
        Unreadable: It is not TOML.
    """
    document, lines = _toml.load(data)
    project = _table(document.get("project"))
    own = canonicalize_name(name) if isinstance(name := project.get("name"), str) else None
    requirements: list[Requirement] = []
    problems: list[Problem] = []
    declared = list(_declared(document, project))
    where = dict(
        reversed(list(_toml.strings(lines, {text for text, _ in declared if isinstance(text, str)})))
    )
    for text, condition in declared:
        if len(requirements) >= limits.requirements:
            problems.append(Problem("limit", f"declares more than {limits.requirements} requirements"))
            break
        line = where.get(text) if isinstance(text, str) else None
        found = _requirement(text, condition, line)
        if isinstance(found, Problem):
            problems.append(found)
        elif found.name != own:  # an extra that is made of the project's other extras
            requirements.append(found)
    includes, more = _dynamic(document, project)
    return Reading(requirements=tuple(requirements), includes=tuple(includes), problems=(*problems, *more))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _declared(document: dict[str, Any], project: dict[str, Any]) -> Iterator[tuple[Any, str | None]]:
    for text in _list(project.get("dependencies")):
        yield text, None
    for extra, texts in _table(project.get("optional-dependencies")).items():
        for text in _list(texts):
            yield text, f"extra {shown(extra, 60)}"
    for group, texts in _table(document.get("dependency-groups")).items():
        for text in _list(texts):
            if not (isinstance(text, dict) and "include-group" in text):
                yield text, f"group {shown(group, 60)}"


def _requirement(text: Any, condition: str | None, line: int | None) -> Requirement | Problem:
    try:
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise InvalidRequirement(str(text)[:100])  # noqa: TRY301 - the same answer
        parsed = Parsed(text)
        marker = str(parsed.marker) if parsed.marker else None
    except (InvalidRequirement, RecursionError):
        message = f"is not a requirement: {shown(str(text)[:200])}; see PEP 508 for what is"
        return Problem("unparseable", message, line)
    kind, version = pin(parsed.specifier)
    if parsed.url is not None:
        kind, version = _kind(parsed.url), None
    return Requirement(
        name=canonicalize_name(parsed.name),
        text=shown(text),
        line=line,
        kind=kind,
        version=version,
        condition="; ".join(part for part in (condition, marker) if part) or None,
    )


def _kind(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    if scheme.partition("+")[0] in ("git", "hg", "svn", "bzr"):
        return VCS
    return URL if scheme in ("http", "https", "ftp") else LOCAL


def _dynamic(document: dict[str, Any], project: dict[str, Any]) -> tuple[list[Include], list[Problem]]:
    """Follow what setuptools reads from files; say what only a build could tell."""
    tools = _table(document.get("tool"))
    sources = _table(_table(tools.get("setuptools")).get("dynamic"))
    includes: list[Include] = []
    problems: list[Problem] = []
    for field in ("dependencies", "optional-dependencies"):
        if field not in _list(project.get("dynamic")):
            continue
        source = _table(sources.get(field))
        entries = [source] if field == "dependencies" else [_table(each) for each in source.values()]
        files = [path for each in entries for path in _files(each.get("file"))]
        includes += [Include(path, None, REQUIREMENTS) for path in files]
        if not files:
            message = f"`{field}` is dynamic: only a build could tell; commit a lock file beside it"
            problems.append(Problem("dynamic-dependencies", message))
    if "poetry" in tools and "dependencies" in _table(tools["poetry"]) and "dependencies" not in project:
        message = (
            "declares its dependencies in Poetry's own table, which is not read; export them "
            "(poetry export -o requirements.txt) and name the export in dependencies.manifests"
        )
        problems.append(Problem("unsupported-manifest", message))
    return includes, problems


def _files(value: Any) -> list[str]:
    return [path for path in (value if isinstance(value, list) else [value]) if isinstance(path, str)]
