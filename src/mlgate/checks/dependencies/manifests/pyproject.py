"""pyproject.toml: dependencies, extras (PEP 621), dependency groups (PEP 735), tools' own lists.

Of what tools install or prefer on their own account (the build system's requirements,
uv's overrides, Hatch's environments) only exact versions and URLs count: these lists
are ranges by nature, and no lock file holds them.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import (
    LOCAL,
    PROJECT,
    REQUIREMENTS,
    UNPINNED,
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
_BUILD, _UV, _HATCH = "build system", "tool.uv", "tool.hatch"
_TOOLS = (_BUILD, _UV, _HATCH)


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
    sources = _sources(document)
    for text, condition in declared:
        if len(requirements) + len(problems) >= limits.requirements:
            problems.append(Problem("limit", f"declares more than {limits.requirements} requirements"))
            break
        line = where.get(text) if isinstance(text, str) else None
        found = _requirement(text, condition, line)
        if isinstance(found, Problem):
            problems.append(found)
        elif found.name == own or (condition in _TOOLS and found.kind == UNPINNED):
            continue  # its own name: an extra that is made of the project's other extras
        else:
            requirements.append(_replaced(found, sources.get(found.name, ())))
    includes, more = _dynamic(document, project)
    includes += _folders(requirements, sources)
    problems += [*more, *_poetry(document)]
    return Reading(requirements=tuple(requirements), includes=tuple(includes), problems=tuple(problems))


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
    tools = _table(document.get("tool"))
    for text in _list(_table(tools.get("uv")).get("dev-dependencies")):
        yield text, "group dev"
    for group, texts in _table(_table(tools.get("pdm")).get("dev-dependencies")).items():
        for text in _list(texts):
            yield text, f"group {shown(group, 60)}"
    yield from _on_their_own_account(document, tools)


def _on_their_own_account(
    document: dict[str, Any], tools: dict[str, Any]
) -> Iterator[tuple[Any, str | None]]:
    for text in _list(_table(document.get("build-system")).get("requires")):
        yield text, _BUILD
    for key in ("override-dependencies", "constraint-dependencies", "build-constraint-dependencies"):
        for text in _list(_table(tools.get("uv")).get(key)):
            yield text, _UV
    for settings in _table(_table(tools.get("hatch")).get("envs")).values():
        for key in ("dependencies", "extra-dependencies"):
            for text in _list(_table(settings).get(key)):
                yield text, _HATCH


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
            problems.append(Problem("dynamic-dependencies", message, until_locked=True))
    return includes, problems


def _poetry(document: dict[str, Any]) -> Iterator[Problem]:
    poetry = _table(_table(document.get("tool")).get("poetry"))
    tables = [_table(poetry.get(key)) for key in ("dependencies", "dev-dependencies")]
    tables += [_table(_table(group).get("dependencies")) for group in _table(poetry.get("group")).values()]
    if any(table.keys() - {"python"} for table in tables):
        message = (
            "declares dependencies in Poetry's own tables, which are not read; export them "
            "(poetry export -o requirements.txt) and name the export in dependencies.manifests"
        )
        yield Problem("unsupported-manifest", message, until_locked=True)


def _sources(document: dict[str, Any]) -> dict[str, tuple[dict[str, Any], ...]]:
    """Where uv takes packages from instead of the index, by normalised name."""
    tables = _table(_table(_table(document.get("tool")).get("uv")).get("sources"))
    return {
        canonicalize_name(name): tuple(map(_table, value if isinstance(value, list) else [value]))
        for name, value in tables.items()
    }


def _replaced(found: Requirement, sources: tuple[dict[str, Any], ...]) -> Requirement:
    """Return a requirement as uv takes it; folders of the repository are followed instead."""
    for source in sources:
        for key, kind in (("git", VCS), ("url", URL), ("path", LOCAL)):
            if key in source and not (key == "path" and _is_folder(source[key])):
                text = shown(f"{found.name} from {source[key]} (tool.uv.sources)")
                return replace(found, kind=kind, version=None, text=text)
    return found


def _is_folder(path: Any) -> bool:
    return isinstance(path, str) and not path.lower().endswith((".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz"))


def _folders(
    requirements: list[Requirement], sources: dict[str, tuple[dict[str, Any], ...]]
) -> Iterator[Include]:
    for each in requirements:
        for source in sources.get(each.name, ()):
            if _is_folder(source.get("path")):
                yield Include(source["path"], each.line, PROJECT)


def _files(value: Any) -> list[str]:
    return [path for path in (value if isinstance(value, list) else [value]) if isinstance(path, str)]
