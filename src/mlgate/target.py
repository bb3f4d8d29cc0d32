"""Which files a run looks at, and the one way to read them.

Nothing outside the target's root is ever opened, and no symbolic link is followed:
a link is a :class:`File` of kind ``link``, whose target path is all that is known.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from mlgate.core.facts import Check, Location, NotChecked
from mlgate.git import POINTER_BYTES, Git, GitError
from mlgate.listing import File, collect, normal, opened, refuse, submodule
from mlgate.listing import find as find_below

# The mode of a submodule's entry in the index.
_GITLINK = "160000"
_LINK = "120000"
# Of a submodule, what is wrong and what to do.
_UNREAD = "of which the index holds a commit's name alone; look at it by itself"


class TargetError(Exception):
    """The target cannot be made: a path does not exist, or git has no such ref."""


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
    files, problems = collect(root, (root / name for name in names), listed=True)
    problems += tuple(_left_out(name) for name in sparse if not os.path.lexists(root / name))
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} of the repository (ignored files are out of scope)",
        whole=True,
        not_checked=problems,
        find=partial(find_below, root),
    )


def working_tree(root: Path) -> Target:
    """Every file below ``root``, whatever git thinks of it."""
    root = _directory(root)
    files, problems = collect(root, [root])
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} below {root.name or root}",
        whole=True,
        not_checked=problems,
        find=partial(find_below, root),
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
    files, problems = collect(root, wanted)
    return Target(
        root=root,
        files=files,
        summary=_count(len(files), "file"),
        whole=True,
        not_checked=problems,
        find=partial(find_below, root),
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
    files, problems = collect(root, wanted, listed=True)
    return Target(
        root=root,
        files=files,
        summary=f"{_count(len(files), 'file')} changed since {ref}",
        whole=False,
        not_checked=problems,
        deleted=frozenset(deleted),
        unchanged=unchanged,
        find=partial(find_below, root),
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
        entry = entries.get(normal(path) or "")
        if entry is None or entry.mode == _GITLINK:
            return None
        name = normal(path) or ""
        if entry.mode == _LINK:
            link = git.blob(entry.object).read().decode("utf-8", "surrogateescape")
            return File(path=name, size=0, kind="link", open=partial(refuse, name), link=link)
        known = sizes.get(entry.object)
        size = git.size(entry.object) if known is None else known
        of_git = partial(git.blob, entry.object, root / name)
        if size <= POINTER_BYTES:
            # What Git LFS has put aside is what the commit stands for.
            with of_git() as stream:
                content = git.fetched(stream.read())
            if content is not None:
                return File(
                    path=name, size=content.stat().st_size, kind="file", open=partial(opened, content)
                )
        return File(path=name, size=size, kind="file", open=of_git)

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
            submodule(name, f"{_UNREAD} (mlgate scan {name})")
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


def _left_out(name: str) -> NotChecked:
    return NotChecked(
        check=Check.TARGET,
        reason="sparse-checkout",
        location=Location(path=name),
        message="is tracked, but the sparse checkout leaves it out; check it out whole",
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
