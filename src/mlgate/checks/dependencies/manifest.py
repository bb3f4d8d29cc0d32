"""The protocol of a manifest reader, and what a manifest says once it is read.

A reader is a module of ``mlgate.checks.dependencies.manifests`` with the members of
:class:`Reader`. It reads one file and nothing else: what a file includes is followed by
:mod:`mlgate.checks.dependencies.requirements`.
"""

from typing import Any, Protocol

from msgspec import Struct

from mlgate.core.limits import Limits

# How a requirement names what to install.
PINNED = "pinned"
UNPINNED = "unpinned"
VCS = "vcs-requirement"
URL = "url-requirement"
LOCAL = "local-requirement"

# What an included file is to the one that includes it.
REQUIREMENTS = "requirements"
CONSTRAINTS = "constraints"
PROJECT = "project"
MANIFEST = "manifest"
ELSEWHERE = "elsewhere"


class Unreadable(Exception):  # noqa: N818 - an answer, not an error
    """The file as a whole cannot be read; nothing of it counts.

    Args:
        reason: Stable slug for "not checked".
        message: What is wrong and what to do.
        line: 1-based line, where there is one.
    """

    def __init__(self, reason: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.line = line


class Requirement(Struct, frozen=True, kw_only=True):
    """One requirement, as one line or table of a manifest states it.

    Attributes:
        name: Normalised name (PEP 503), or "" where the manifest gives none.
        text: As written, for messages: printable, one line, cut to a bounded length,
            without credentials.
        line: 1-based line of the pin.
        kind: :data:`PINNED`, :data:`UNPINNED`, :data:`VCS`, :data:`URL` or :data:`LOCAL`.
        version: The exact version where ``kind`` is :data:`PINNED`.
        condition: Marker, extra or group under which it is required, as written.
        hashed: True where the file's digest is pinned too.
        forked: True where the manifest holds the package in more than one version on
            purpose, each for its own environments.
    """

    name: str
    text: str
    line: int | None
    kind: str
    version: str | None = None
    condition: str | None = None
    hashed: bool = False
    forked: bool = False


class Include(Struct, frozen=True):
    """Another manifest that this one brings in.

    Attributes:
        path: Relative to this manifest's folder, as written.
        line: 1-based line.
        role: :data:`REQUIREMENTS`, :data:`CONSTRAINTS`, :data:`PROJECT` for a folder
            that holds a project of its own, :data:`MANIFEST` for a file that is read by
            its name, or :data:`ELSEWHERE` for a URL.
        anywhere: True where the folder that the path is relative to cannot be told: it
            is this manifest's, or one above.
    """

    path: str
    line: int | None
    role: str
    anywhere: bool = False


class Index(Struct, frozen=True):
    """A second place to take packages from.

    Attributes:
        url: Without credentials and query.
        option: The option that names it.
        line: 1-based line.
    """

    url: str
    option: str
    line: int | None


class Problem(Struct, frozen=True):
    """A part of a manifest that could not be read; the rest of it stands.

    Attributes:
        reason: Stable slug for "not checked".
        message: What is wrong and what to do.
        line: 1-based line.
        subject: Package name, where it is known.
        until_locked: True where it is none once a lock file speaks for the folder.
    """

    reason: str
    message: str
    line: int | None = None
    subject: str = ""
    until_locked: bool = False


class Reading(Struct, frozen=True):
    """What one manifest says.

    Attributes:
        requirements: In file order.
        includes: In file order.
        indexes: In file order.
        problems: What could not be read.
        members: Folders, relative to the manifest's, whose own declarations this lock
            file resolves (the members of a workspace; "." for the folder itself).
        own: Normalised names of the packages that those folders hold.
        aside: Names of what is installed and is no Python package: advisories about
            Python packages do not speak of it.
    """

    requirements: tuple[Requirement, ...] = ()
    includes: tuple[Include, ...] = ()
    indexes: tuple[Index, ...] = ()
    problems: tuple[Problem, ...] = ()
    members: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


class Reader(Protocol):
    """What a module of ``manifests`` provides.

    Attributes:
        FORMAT: The format's name in reports.
        LOCK: True where the file names every package with its exact version, so that
            the declarations beside it need no reading of their own.

    A reader may say more about its files; :func:`trait` reads it:

    ====================  ==========================================================
    ``NAMES``             Base names or patterns of them; the plain ones are looked
                          for beside a changed file.
    ``MARK``              A regular expression over bytes: discovery takes a file
                          only where its content matches, and a file that turns out
                          to hold nothing is no manifest.
    ``ALONE``             True where the file installs for itself, so that what
                          stands beside it does not contradict it.
    ``WORKSPACE``         True where a lock file speaks for projects in folders below.
    ``ENVIRONMENT``       True where the file is what an installer left: it counts
                          only in an environment that the user asks about.
    ``covered``           ``(name, beside) -> bool``: another file in the folder
                          says the same, resolved.
    ====================  ==========================================================
    """

    FORMAT: str
    LOCK: bool

    def claims(self, path: str) -> bool:
        """Say whether a file of this path (relative, ``/``) is such a manifest, by its name."""
        ...

    def read(self, data: bytes, limits: Limits) -> Reading:
        """Read one manifest. Total: whatever the bytes, it returns or raises as said.

        Raises:
            Unreadable: Nothing of the file can be read.
        """
        ...


def trait(reader: Reader, name: str) -> Any:
    """Return what a reader says about its files under ``name``, or None where it says nothing."""
    return getattr(reader, name, None)


def shown(text: str, length: int = 160) -> str:
    """Return ``text`` fit for a message: printable, one line, bounded, no credentials."""
    from re import sub  # noqa: PLC0415 - only messages need it

    text = sub(r"(?<=://)[^/@\s]*@", "***@", text[: 4 * length])
    text = "".join(character if character.isprintable() else "?" for character in text).strip()
    return text if len(text) <= length else text[: length - 1] + "…"
