"""Files of a folder, found and opened without following any link."""

import io
import os
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from msgspec import Struct

from mlgate.core.facts import Check, Location, NotChecked

# Never model files, never committed: git's own store.
_GIT_DIRECTORY = ".git"
# Of a submodule, what is wrong and what to do.
_ABSENT = "whose content is not here; check it out (git submodule update --init)"


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


def collect(
    root: Path, paths: Iterable[Path], *, listed: bool = False
) -> tuple[tuple[File, ...], tuple[NotChecked, ...]]:
    """Expand folders, and say what could not be listed. Links are leaves.

    Args:
        root: Absolute; all paths lie below it.
        paths: Files and folders, absolute.
        listed: True where git named the paths: then a missing one was deleted, and a folder
            is a submodule.

    Returns:
        The files in path order, and what was not listed.
    """
    found: dict[str, File] = {}
    problems: list[NotChecked] = []
    # Texts, not path objects: a repository has as many as it likes.
    before = len(f"{root}/") if str(root) != "/" else 1
    pending = [str(path) for path in paths]
    while pending:
        path = pending.pop()
        name = path[before:] or "."
        try:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as entries:
                    children = [entry.path for entry in entries if entry.name != _GIT_DIRECTORY]
                if listed and not children:
                    problems.append(submodule(name, _ABSENT))
                pending += children
            else:
                found[name] = _file(path, name, status)
        except FileNotFoundError:
            if not listed:
                problems.append(_unlisted(name, "it vanished while it was being listed; run again"))
        except OSError as error:
            problems.append(_unlisted(name, f"{error.strerror or error}; check its permissions"))
    return tuple(found[name] for name in sorted(found)), tuple(problems)


def submodule(name: str, why: str) -> NotChecked:
    """Say that a submodule is not looked at, and why."""
    return NotChecked(
        check=Check.TARGET,
        reason="submodule",
        location=Location(path=name),
        message=f"is a submodule {why}",
    )


def _unlisted(name: str, why: str) -> NotChecked:
    return NotChecked(
        check=Check.TARGET,
        reason="unreadable",
        location=Location(path=name),
        message=f"cannot be listed: {why}",
    )


def _file(path: str, name: str, status: os.stat_result) -> File:
    if stat.S_ISLNK(status.st_mode):
        return File(
            path=name, size=0, kind="link", open=partial(refuse, name), link=str(Path(path).readlink())
        )
    kind = "file" if stat.S_ISREG(status.st_mode) else "other"
    size = status.st_size if kind == "file" else 0
    return File(path=name, size=size, kind=kind, open=partial(opened, path))


def opened(path: str | Path) -> BinaryIO:
    """Open a regular file to read it.

    Raises:
        OSError: It cannot be, or it has become a link.
    """
    # O_NOFOLLOW: the file may have become a link since it was listed. O_NONBLOCK: or a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return io.open(descriptor, "rb")  # noqa: UP020 - a descriptor, not a path


def refuse(name: str) -> BinaryIO:
    """Raise :class:`OSError`: what stands for opening a link."""
    raise OSError(f"{name} is a symbolic link, which is never followed")


def normal(path: str) -> str | None:
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


def find(root: Path, path: str) -> File | None:
    """Return the file at a relative path that leaves neither the root nor goes through a link, or None."""
    name = normal(path)
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
    return None if stat.S_ISDIR(status.st_mode) else _file(str(place), name, status)
