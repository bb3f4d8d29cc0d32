"""Which manifests a run audits, and which it knows but cannot read."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import msgspec
from msgspec import UNSET, Struct

from mlgate.checks import Scope
from mlgate.checks.dependencies.manifest import Reader, trait
from mlgate.core.discovery import modules
from mlgate.listing import File
from mlgate.policy.globs import compile_globs
from mlgate.target import Target

# Installed packages and other people's projects: not what this repository declares.
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", ".tox", ".nox", "__pypackages__"})
_VENV = "pyvenv.cfg"
_INSTALLED = frozenset({"lib", "lib64", "Lib", "share"})
# Above this, content that may be a manifest is searched no further, and taken for one.
_CHUNK = 1 << 20
_OVERLAP = 4 << 10
_LINKS = 5


class Unread(Struct, frozen=True):
    """A kind of manifest that mlgate knows by name and does not read.

    Attributes:
        names: Base names.
        kind: ``lock`` (says what is installed) or ``declaration`` (says what is wanted).
        instead: What a user can do.
        contains: The file counts only if it holds one of these.
        covered_by: Names beside it that say the same, resolved.
    """

    names: tuple[str, ...]
    kind: str
    instead: str
    contains: tuple[str, ...] = ()
    covered_by: tuple[str, ...] = ()


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
        unchanged: Where a part of the repository is the target, those that may include some of it.
    """

    roots: tuple[Root, ...]
    covered: tuple[str, ...] = ()
    skipped: int = 0
    excluded: int = 0
    unchanged: tuple[Root, ...] = ()


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
    unread = None if reader and trait(reader, "MARK") is None else unread_kind(path)
    reader = None if unread else reader
    suffix = posixpath.splitext(path)[1].lower()
    if reader is None and unread is None and suffix in ("", ".txt", ".in", ".pip"):
        reader = requirements_reader()
    return Root(path, reader, unread, named=True)


def unread_kind(path: str) -> Unread | None:
    """Return what is known of a manifest that is not read, by its name."""
    return _unread_names().get(posixpath.basename(path))


@cache
def _unread_names() -> dict[str, Unread]:
    return {name: kind for kind in unread_kinds() for name in kind.names}


def _discover(scope: Scope) -> Found:
    target = scope.target
    excluded_by_policy = compile_globs(scope.policy.policy.dependencies.exclude)
    environments = {posixpath.dirname(file.path) for file in target.files if file.name == _VENV}
    asked = _is_environment(target, environments)
    roots: list[Root] = []
    skipped = excluded = 0
    for file in target.files:
        reader = reader_for(file.path)
        installed = reader is not None and bool(trait(reader, "ENVIRONMENT"))
        foreign = not installed and _foreign(file.path, environments)
        mark = trait(reader, "MARK") if reader is not None else None
        if (installed and not asked) or (mark and foreign):
            continue
        if mark and not _holds(target, file, mark, scope.policy.policy.limits.search_bytes):
            reader = None
        unread = None if reader else unread_kind(file.path)
        if reader is None and unread is None:
            continue
        if foreign:
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
        unchanged=tuple(_unchanged(target, excluded_by_policy)),
    )


def _unchanged(target: Target, excluded: Callable[[str], bool]) -> Iterator[Root]:
    """Yield the manifests beside a change that can include others and are known by their names alone."""
    for path in target.unchanged():
        reader = reader_for(path)
        if reader is None or reader.LOCK or trait(reader, "MARK") or trait(reader, "ENVIRONMENT"):
            continue
        if not _foreign(path, set()) and not excluded(path):
            yield Root(path, reader)


def _holds(target: Target, file: File, mark: bytes, limit: int) -> bool:
    """Say whether a file's content matches. One that cannot be searched counts: reading it will tell."""
    place = followed(target, file.path) if file.kind == "link" else file
    if place is None:
        return False  # a link that leads out of the repository
    expression = re.compile(mark)
    try:
        with place.open() as stream:
            before = stream.read(_CHUNK)
            size = len(before)
            while not expression.search(before):
                more = stream.read(_CHUNK)
                if not more:
                    return False
                size += len(more)
                if size > limit:
                    return True
                before = before[-_OVERLAP:] + more
    except OSError:
        pass
    return True


def followed(target: Target, path: str) -> File | None:
    """Find a file; a link is followed by name, inside the target only."""
    file = target.find(path)
    for _ in range(_LINKS):
        if file is None or file.kind != "link" or file.link is None:
            break
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), file.link))
        file = None if crossed(target, file.path, file.link) else target.find(aim)
    return file


def crossed(target: Target, path: str, relative: str) -> str:
    """Return the link that a path leaves by ``..``, or "": the kernel resolves it, text does not."""
    parts = posixpath.join(posixpath.dirname(path), relative).split("/")
    for index, part in enumerate(parts):
        before = "/".join(parts[:index])
        if part == ".." and before and target.find(before) is not None:
            return before
    return ""


def _is_environment(target: Target, environments: set[str]) -> bool:
    """Say whether an environment is all that the user asks about: its folder, or one inside it."""
    if not target.whole or not target.files:
        return False
    # The files are sorted: what the first and the last share, all share.
    top = posixpath.commonpath([posixpath.dirname(target.files[index].path) for index in (0, -1)])
    if _foreign(f"{top}/_", environments) or top in environments:
        return True
    depth = top.count("/") + 2 if top else 1
    return any(
        file.name == "METADATA"
        and file.path.count("/") == depth
        and file.path.endswith(".dist-info/METADATA")
        for file in target.files
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
                other for other in _siblings() if target.find(posixpath.join(folder, other)) is not None
            )
        if _resolved(root, name, frozenset(names[folder])):
            covered.add(root.path)
    return covered


def _resolved(root: Root, name: str, beside: frozenset[str]) -> bool:
    if root.reader is None:
        return root.unread is not None and not beside.isdisjoint(root.unread.covered_by)
    covered = trait(root.reader, "covered")
    return covered is not None and bool(covered(name, beside))


@cache
def _siblings() -> tuple[str, ...]:
    """Names that may stand beside a changed file without being among the changes."""
    names = {name for reader in readers() for name in trait(reader, "NAMES") or ()}
    names |= {name for kind in unread_kinds() for name in kind.names}
    return tuple(sorted(name for name in names if not set(name) & set("*?[")))


def _unchanged_locks(target: Target, roots: Sequence[Root]) -> list[Root]:
    """Lock files that speak for a changed project and did not change with it."""
    known = {root.path for root in roots}
    found: dict[str, Root] = {}
    locks = [(name, reader) for reader in readers() if reader.LOCK for name in trait(reader, "NAMES") or ()]
    for root in roots:
        folder, name = posixpath.split(root.path)
        if name not in ("pyproject.toml", "setup.cfg"):
            continue
        paths = [(posixpath.join(folder, lock), reader) for lock, reader in locks]
        while folder:  # a workspace has its lock file in a folder above
            folder = posixpath.dirname(folder)
            paths += [
                (posixpath.join(folder, lock), reader) for lock, reader in locks if trait(reader, "WORKSPACE")
            ]
        for path, reader in paths:
            if path not in known and target.find(path) is not None:
                found[path] = Root(path, reader)
    return list(found.values())
