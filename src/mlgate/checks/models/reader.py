"""The protocol of a format reader, and what readers pass to each other.

A reader is a module of ``mlgate.checks.models.containers``, ``.formats`` or ``.configs`` with the
members of :class:`Reader`. It says what it saw as facts, what it could not read as
"not checked", and hands every member that might be something in itself back as a
:class:`Blob`; the walk in :mod:`mlgate.checks.models` routes those in turn, without
recursion.
"""

import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, TypeAlias, cast

from msgspec import Struct

from mlgate.core import discovery
from mlgate.core.facts import Check, Fact, Location, NotChecked
from mlgate.core.limits import Limits

HEAD = 4096


class Declined(Exception):  # noqa: N818 - an answer, not an error
    """The bytes are not of this reader's format after all; other readers go on."""


class LimitReached(Exception):  # noqa: N818 - an answer, not an error
    """A limit of the policy was hit; what was not read is "not checked".

    Args:
        what: Which limit, by its name in :class:`~mlgate.core.limits.Limits`.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Clock:
    """What one file may still cost: wall time, and what its readers spend together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._spent: dict[str, int] = {}

    def check(self) -> None:
        """Raise :class:`LimitReached` when the time is up."""
        if time.monotonic() > self._end:
            raise LimitReached("file_seconds")

    def spend(self, what: str, amount: int, limit: int) -> None:
        """Count ``amount`` against a limit that all readers of this file share.

        Raises:
            LimitReached: The file has spent more than ``limit`` of ``what``.
        """
        self._spent[what] = self._spent.get(what, 0) + amount
        if self._spent[what] > limit:
            raise LimitReached(what)


class Blob(Struct, frozen=True, kw_only=True):
    """Bytes to read: a file of the target, or a member of one.

    Attributes:
        location: The file, and the member's path inside it.
        stream: Seekable, read-only, positioned anywhere; offset 0 is the blob's start.
        size: Bytes in the stream.
        head: The first :data:`HEAD` bytes.
        name: Base name, lower case; a hint for messages, never for routing alone.
        depth: Containers around it.
        container: ``format`` of the reader that produced it, or "" for a file.
        tentative: True where there need be nothing to read, as in the raw numbers of a
            tensor: what readers cannot read here is no gap, unless they also saw facts.
    """

    location: Location
    stream: BinaryIO
    size: int
    head: bytes
    name: str
    depth: int = 0
    container: str = ""
    tentative: bool = False

    def at(self, offset: int | None, line: int | None = None) -> Location:
        """This blob's location, at a byte offset or a line."""
        return Location(path=self.location.path, member=self.location.member, line=line, offset=offset)

    def fact(
        self,
        kind: str,
        subject: str = "",
        *,
        offset: int | None = None,
        line: int | None = None,
        count: int = 1,
        **detail: object,
    ) -> Fact:
        """Make a fact about this blob."""
        return Fact(kind=kind, location=self.at(offset, line), subject=subject, detail=detail, count=count)

    def not_checked(
        self, reason: str, message: str, *, offset: int | None = None, line: int | None = None
    ) -> NotChecked:
        """Say that this blob, or the part of it at ``offset`` or ``line``, could not be judged."""
        return NotChecked(check=Check.MODELS, reason=reason, location=self.at(offset, line), message=message)


class Reader(Protocol):
    """What a module of ``containers`` or ``formats`` provides.

    Attributes:
        FORMAT: The format's name in inventories and in ``models.allow_formats``.
        KIND: ``model``; ``container`` where it says nothing of a model, which lies inside;
            ``text`` for what tells people and loaders of a model: a text may be read by
            several readers at once, and is no model itself; or ``aside`` for what only matters
            to other files: it neither names a format nor has the file listed.
        ORDER: Readers with smaller numbers are asked first; the first that reads a
            blob names its format. Strong magic 10, structure 50, guesses 90.
    """

    FORMAT: str
    KIND: str
    ORDER: int

    def sniff(self, blob: Blob) -> bool:
        """Say whether ``read`` should be tried, from ``blob.head`` and size. Cheap and total."""
        ...

    def read(self, blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
        """Yield what the blob holds.

        Raises:
            Declined: Before anything is yielded, where the blob is not of this format.
            LimitReached: Where a limit was hit; what was yielded before stands.
        """
        ...


Read: TypeAlias = Callable[[Blob, Limits, Clock], Iterator[Fact | NotChecked | Blob]]


def later(module: str) -> Read:
    """Return a reader's ``read`` that loads ``module`` for its ``read`` when a blob asks for it.

    For readers of many parts and rare files: every run loads every reader for its ``sniff``.
    """

    def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
        package, _, name = module.rpartition(".")
        found = cast("Read", discovery.module(package, name).read)
        return found(blob, limits, clock)

    return read
