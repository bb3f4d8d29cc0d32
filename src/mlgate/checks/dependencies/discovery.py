"""Which manifests a run audits, and which it knows but cannot read."""

import fnmatch
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import msgspec
from msgspec import UNSET, Struct

from mlgate.checks import Scope
from mlgate.checks.dependencies.manifest import Reader
from mlgate.core.discovery import modules
from mlgate.policy.globs import compile_globs
from mlgate.target import Target

# Installed packages and other people's projects: not what this repository declares.
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", ".tox", ".nox", "__pypackages__"})
_VENV = "pyvenv.cfg"
_INSTALLED = frozenset({"lib", "lib64", "Lib", "share"})
# Files that may stand beside a changed one and are not among the changes themselves.
_SIBLINGS = (
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements.txt",
    "MLmodel",
)


class Unread(Struct, frozen=True):
    """A kind of manifest that mlgate knows by name and does not read.

    Attributes:
        names: Patterns of base names.
        kind: ``lock`` (says what is installed) or ``declaration`` (says what is wanted).
        instead: What a user can do.
        contains: The file counts only if it holds one of these.
    """

    names: tuple[str, ...]
    kind: str
    instead: str
    contains: tuple[str, ...] = ()


class Root(Struct, frozen=True):
    """A manifest to start from.

    Attributes:
        path: Relative to the target's root.
        reader: What reads it; None where nothing does.
        unread: What is known of it where nothing reads it.
        named: True where the user named it, False where it was discovered.
    """

    path: str
    reader: Reader | None
    unread: Unread | None = None
    named: bool = False


class Found(Struct, frozen=True):
    """The manifests of a run.

    Attributes:
        roots: Those to read, and those that cannot be read, in path order.
        covered: Declarations that another file in the same folder resolves.
        skipped: How many manifests of virtual environments and the like were left alone.
        excluded: How many the policy leaves out.
    """

    roots: tuple[Root, ...]
    covered: tuple[str, ...] = ()
    skipped: int = 0
    excluded: int = 0


@cache
def readers() -> tuple[Reader, ...]:
    """Return every manifest reader."""
    return cast("tuple[Reader, ...]", _modules())


def _modules() -> tuple[ModuleType, ...]:
    return modules("mlgate.checks.dependencies.manifests")


@cache
def unread_kinds() -> tuple[Unread, ...]:
    """Return the manifests that are known and not read."""
    table = Path(__file__).parent / "data" / "unread_manifests.json"
    return msgspec.json.decode(table.read_bytes(), type=tuple[Unread, ...])


def reader_for(path: str) -> Reader | None:
    """Return the reader that claims a path by its name."""
    return next((reader for reader in readers() if reader.claims(path)), None)


def requirements_reader() -> Reader:
    """Return the reader of what ``-r`` and ``-c`` name, whatever the file's name."""
    return next(reader for reader in readers() if reader.FORMAT == "requirements")


def find(scope: Scope) -> Found:
    """Return the manifests that the policy names, or else those that names give away."""
    wanted = scope.policy.policy.dependencies.manifests
    if wanted is not UNSET:
        return Found(tuple(_named(path) for path in dict.fromkeys(cast("Sequence[str]", wanted))))
    return _discover(scope)


def _named(path: str) -> Root:
    path = posixpath.normpath(path)
    reader = reader_for(path)
    unread = None if reader else unread_kind(path)
    suffix = posixpath.splitext(path)[1].lower()
    if reader is None and unread is None and suffix in ("", ".txt", ".in", ".pip"):
        reader = requirements_reader()
    return Root(path, reader, unread, named=True)


def unread_kind(path: str) -> Unread | None:
    """Return what is known of a manifest that is not read, by its name."""
    name = posixpath.basename(path)
    for kind in unread_kinds():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in kind.names):
            return kind
    return None


def _discover(scope: Scope) -> Found:
    target = scope.target
    excluded_by_policy = compile_globs(scope.policy.policy.dependencies.exclude)
    environments = {posixpath.dirname(file.path) for file in target.files if file.name == _VENV}
    roots: list[Root] = []
    skipped = excluded = 0
    for file in target.files:
        reader = reader_for(file.path)
        unread = None if reader else unread_kind(file.path)
        if reader is None and unread is None:
            continue
        if _foreign(file.path, environments):
            skipped += 1
        elif excluded_by_policy(file.path):
            excluded += 1
        else:
            roots.append(Root(file.path, reader, unread))
    covered = _covered(target, roots)
    if not target.whole:
        roots += _unchanged_locks(target, roots)
    return Found(
        roots=tuple(root for root in roots if root.path not in covered),
        covered=tuple(sorted(covered)),
        skipped=skipped,
        excluded=excluded,
    )


def _foreign(path: str, environments: set[str]) -> bool:
    folders = path.split("/")[:-1]
    if not _FOREIGN.isdisjoint(folders):
        return True
    # Only what pip itself writes into an environment: anyone can commit a `pyvenv.cfg`.
    return bool(environments) and any(
        "/".join(folders[:depth]) in environments and folders[depth] in _INSTALLED
        for depth in range(len(folders))
    )


def _covered(target: Target, roots: Iterable[Root]) -> set[str]:
    """Declarations whose resolved form stands in the same folder."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for file in target.files:
        names[posixpath.dirname(file.path)].add(file.name)
    covered = set()
    for root in roots:
        folder, name = posixpath.split(root.path)
        if not target.whole:
            names[folder].update(
                other for other in _SIBLINGS if target.find(posixpath.join(folder, other)) is not None
            )
        if _resolved(name, names[folder]):
            covered.add(root.path)
    return covered


def _resolved(name: str, beside: set[str]) -> bool:
    if name.endswith(".in"):
        return f"{name[:-3]}.txt" in beside
    if name in ("pyproject.toml", "Pipfile", "pixi.toml"):
        # One that is read does not hide what it should resolve: it may be out of date.
        return any(_is_unread_lock(other) for other in beside)
    # MLflow writes the same requirements a second time, as a conda environment.
    return name == "conda.yaml" and {"MLmodel", "requirements.txt"} <= beside


def _unchanged_locks(target: Target, roots: Sequence[Root]) -> list[Root]:
    """Lock files that speak for a changed project and did not change with it."""
    known = {root.path for root in roots}
    found: dict[str, Root] = {}
    for root in roots:
        folder, name = posixpath.split(root.path)
        if name != "pyproject.toml":
            continue
        paths = [posixpath.join(folder, "pylock.toml"), posixpath.join(folder, "uv.lock")]
        while folder:  # a workspace has its lock file in a folder above
            folder = posixpath.dirname(folder)
            paths.append(posixpath.join(folder, "uv.lock"))
        for path in paths:
            if path not in known and target.find(path) is not None:
                found[path] = Root(path, reader_for(path))
    return list(found.values())


def _is_unread_lock(name: str) -> bool:
    kind = unread_kind(name) if reader_for(name) is None else None
    return kind is not None and kind.kind == "lock" and name.endswith("lock")
