"""Which files a run looks at, and the one way to read them.

Nothing outside the target's root is ever opened, and no symbolic link is followed:
a link is a :class:`File` of kind ``link``, whose target path is all that is known.
"""

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from msgspec import Struct

from mlgate.core.facts import Check, Location, NotChecked
from mlgate.git import POINTER_BYTES, Git, GitError

# Never model files, never committed: git's own store.
_GIT_DIRECTORY = ".git"
# The mode of a submodule's entry in the index.
_GITLINK = "160000"
_LINK = "120000"
# Of a submodule, what is wrong and what to do.
_ABSENT = "whose content is not here; check it out (git submodule update --init)"
_UNREAD = "of which the index holds a commit's name alone; look at it by itself"


class TargetError(Exception):
    """The target cannot be made: a path does not exist, or git has no such ref."""


class File(Struct, frozen=True):
    """One file in scope.

    Attributes:
        path: Relative to the root, with ``/``.
        size: Bytes; 0 for anything but a regular file.
        kind: ``file``, ``link``, or ``other`` (a socket, a device, a pipe).
        open: Return a new seekable binary stream. Raises :class:`OSError`.
        link: Where a symbolic link points, as stored.
    """

    path: str
    size: int
    kind: str
    open: Callable[[], BinaryIO]
    link: str | None = None

    @property
    def name(self) -> str:
        """Base name."""
        return self.path.rpartition("/")[2]


class Target(Struct, frozen=True, kw_only=True):
    """The files of a run.

    Attributes:
        root: Absolute path of the root.
        files: The files in scope, in path order.
        summary: One line for the report: what the run looks at.
        whole: False where only a part is in scope (changed or staged files, named
            paths): then an empty scope is an answer, not a mistake.
        not_checked: What was in scope and could not be listed or read.
        deleted: Paths that a change takes away.
        unchanged: Return the paths that a change leaves as they are, in path order.
        find: Return any file below the root by its relative path, in scope or not, as
            this target sees it (working tree or index); None where there is none.
            Paths that leave the root are never found.
    """

    root: Path
    files: tuple[File, ...]
    summary: str
    whole: bool
    not_checked: tuple[NotChecked, ...] = ()
    deleted: frozenset[str] = frozenset()
    unchanged: Callable[[], Sequence[str]] = tuple
    find: Callable[[str], File | None]


def repository(root: Path) -> Target:
    """Everything that a commit of the repository at ``root`` could hold.

    In a git checkout these are the tracked files and the untracked ones that git does
    not ignore; elsewhere it is every file below ``root``.
    """
    root = _directory(root)
    git = Git.at(root)
    if git is None:
        return working_tree(root)
    try:
        names, sparse = git.files()
    except GitError as error:
        raise TargetError(str(error)) from error
    files, problems = _collect(root, (root / name for name in names), listed=True)
    problems += tuple(_left_out(name) for name in sparse if not os.path.lexists(root / name))
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} of the repository (ignored files are out of scope)",
        whole=True,
        not_checked=problems,
        find=partial(_find, root),
    )


def working_tree(root: Path) -> Target:
    """Every file below ``root``, whatever git thinks of it."""
    root = _directory(root)
    files, problems = _collect(root, [root])
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} below {root.name or root}",
        whole=True,
        not_checked=problems,
        find=partial(_find, root),
    )


def named(paths: Sequence[Path], base: Path) -> Target:
    """The files and folders that a user names.

    The root is ``base`` where all of them lie below it, and otherwise their nearest
    common folder.

    Raises:
        TargetError: A path does not exist.
    """
    # A link that the user names is the user's choice: it is resolved. Links found below it are not.
    wanted = [path.resolve() for path in paths]
    for named_path, path in zip(paths, wanted, strict=True):
        if not path.exists():
            raise TargetError(f"there is no file or folder {named_path}")
    base = base.resolve()
    if all(path.is_relative_to(base) for path in wanted):
        root = base
    else:
        root = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in wanted]))
    files, problems = _collect(root, wanted)
    return Target(
        root=root,
        files=files,
        summary=_count(len(files), "file"),
        whole=True,
        not_checked=problems,
        find=partial(_find, root),
    )


def changed(root: Path, ref: str, within: Iterable[Path] = ()) -> Target:
    """The files of the working tree that differ from the merge base with ``ref``.

    Raises:
        TargetError: This is no git checkout, or git does not know the ref.
    """
    root = _directory(root)
    git = _git(root, "--changed-since")
    try:
        names, deleted = git.changed_since(ref)
    except GitError as error:
        raise TargetError(f"--changed-since {ref}: {error}") from error

    def unchanged() -> Sequence[str]:
        try:
            return sorted(set(git.files()[0]).difference(names, deleted))
        except GitError as error:
            raise TargetError(f"--changed-since {ref}: {error}") from error

    wanted = _inside((root / name for name in names), within)
    files, problems = _collect(root, wanted, listed=True)
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} changed since {ref}",
        whole=False,
        not_checked=problems,
        deleted=frozenset(deleted),
        unchanged=unchanged,
        find=partial(_find, root),
    )


def staged(root: Path, within: Iterable[Path] = ()) -> Target:
    """The blobs that the next commit would add or change, read from git's index.

    Raises:
        TargetError: This is no git checkout.
    """
    root = _directory(root)
    git = _git(root, "--staged")
    try:
        names, deleted = git.staged()
        entries = git.index()
        sizes = git.sizes({entries[name].object for name in names if entries[name].mode != _GITLINK})
    except GitError as error:
        raise TargetError(f"--staged: {error}") from error

    def find(path: str) -> File | None:
        entry = entries.get(_normal(path) or "")
        if entry is None or entry.mode == _GITLINK:
            return None
        name = _normal(path) or ""
        if entry.mode == _LINK:
            link = git.blob(entry.object).read().decode("utf-8", "surrogateescape")
            return File(path=name, size=0, kind="link", open=partial(_refuse, name), link=link)
        known = sizes.get(entry.object)
        size = git.size(entry.object) if known is None else known
        opened = partial(git.blob, entry.object, root / name)
        if size <= POINTER_BYTES:
            # What Git LFS has put aside is what the commit stands for.
            with opened() as stream:
                content = git.fetched(stream.read())
            if content is not None:
                return File(path=name, size=content.stat().st_size, kind="file", open=partial(_open, content))
        return File(path=name, size=size, kind="file", open=opened)

    wanted = sorted(
        path.relative_to(root).as_posix() for path in _inside(map(root.__truediv__, names), within)
    )
    files = tuple(file for file in map(find, wanted) if file is not None)
    return Target(
        root=root,
        files=files,
        summary=_count(len(files), "staged file"),
        whole=False,
        not_checked=tuple(
            _submodule(name, f"{_UNREAD} (mlgate scan {name})")
            for name in wanted
            if entries[name].mode == _GITLINK
        ),
        deleted=frozenset(deleted),
        unchanged=lambda: sorted(entries.keys() - set(names)),
        find=find,
    )


def _git(root: Path, option: str) -> Git:
    git = Git.at(root)
    if git is None:
        raise TargetError(f"{option} needs a git checkout, and {root} is not in one")
    return git


def _directory(root: Path) -> Path:
    root = root.resolve()
    if not root.is_dir():
        raise TargetError(f"there is no folder {root}")
    return root


def _inside(paths: Iterable[Path], within: Iterable[Path]) -> Iterator[Path]:
    roots = [path.resolve() for path in within]
    return (path for path in paths if not roots or any(path.is_relative_to(root) for root in roots))


def _collect(
    root: Path, paths: Iterable[Path], *, listed: bool = False
) -> tuple[tuple[File, ...], tuple[NotChecked, ...]]:
    """Expand folders, and say what could not be listed. Links are leaves.

    ``listed`` says that git named the paths: then a missing one was deleted, and a folder
    is a submodule.
    """
    found: dict[str, File] = {}
    problems: list[NotChecked] = []
    pending = list(paths)
    while pending:
        path = pending.pop()
        name = path.relative_to(root).as_posix()
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                children = [child for child in path.iterdir() if child.name != _GIT_DIRECTORY]
                if listed and not children:
                    problems.append(_submodule(name, _ABSENT))
                pending += children
            else:
                found[name] = _file(path, name, status)
        except FileNotFoundError:
            if not listed:
                problems.append(_unlisted(name, "it vanished while it was being listed; run again"))
        except OSError as error:
            problems.append(_unlisted(name, f"{error.strerror or error}; check its permissions"))
    return tuple(found[name] for name in sorted(found)), tuple(problems)


def _submodule(name: str, why: str) -> NotChecked:
    return NotChecked(
        check=Check.TARGET,
        reason="submodule",
        location=Location(path=name),
        message=f"is a submodule {why}",
    )


def _left_out(name: str) -> NotChecked:
    return NotChecked(
        check=Check.TARGET,
        reason="sparse-checkout",
        location=Location(path=name),
        message="is tracked, but the sparse checkout leaves it out; check it out whole",
    )


def _unlisted(name: str, why: str) -> NotChecked:
    return NotChecked(
        check=Check.TARGET,
        reason="unreadable",
        location=Location(path=name),
        message=f"cannot be listed: {why}",
    )


def _file(path: Path, name: str, status: os.stat_result) -> File:
    if stat.S_ISLNK(status.st_mode):
        return File(path=name, size=0, kind="link", open=partial(_refuse, name), link=str(path.readlink()))
    kind = "file" if stat.S_ISREG(status.st_mode) else "other"
    size = status.st_size if kind == "file" else 0
    return File(path=name, size=size, kind=kind, open=partial(_open, path))


def _open(path: Path) -> BinaryIO:
    # O_NOFOLLOW: the file may have become a link since it was listed. O_NONBLOCK: or a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return io.open(descriptor, "rb")  # noqa: UP020 - a descriptor, not a path


def _refuse(name: str) -> BinaryIO:
    raise OSError(f"{name} is a symbolic link, which is never followed")


def _normal(path: str) -> str | None:
    """Resolve ``.`` and ``..`` in text alone; None where the path leaves the root."""
    parts: list[str] = []
    pure = PurePosixPath(path)
    if pure.is_absolute() or "\0" in path:
        return None
    for part in pure.parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _find(root: Path, path: str) -> File | None:
    name = _normal(path)
    if not name:
        return None
    place = root
    try:
        for part in name.split("/"):
            if place.is_symlink():
                return None  # a folder that is a link may lead anywhere
            place = place / part
        status = place.lstat()
    except (OSError, ValueError):
        return None
    return None if stat.S_ISDIR(status.st_mode) else _file(place, name, status)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
