"""Which files a run looks at, and the one way to read them.

Nothing outside the target's root is ever opened, and no symbolic link is followed:
a link is a :class:`File` of kind ``link``, whose target path is all that is known.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from mlgate.core.facts import NotChecked


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
        find: Return any file below the root by its relative path, in scope or not, as
            this target sees it (working tree or index); None where there is none.
            Paths that leave the root are never found.
    """

    root: Path
    files: tuple[File, ...]
    summary: str
    whole: bool
    not_checked: tuple[NotChecked, ...] = ()
    find: Callable[[str], File | None]
