"""Zip archives end to end in one file, each with offsets of its own."""

from typing import BinaryIO

from mlgate.checks.models.containers._zip_directory import LOCAL, directories
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import read_at, window
from mlgate.core.limits import Limits

# torch.distributed.checkpoint writes one archive for each tensor, and reads each by its place.
_SUFFIX = ".distcp"


def series(blob: Blob, limits: Limits, clock: Clock) -> list[tuple[int, int]]:
    """Return start and end of every archive of a distributed checkpoint, or nothing where it is none.

    Only archives that cover the file without a gap count, so that nothing in it is left out.

    Raises:
        LimitReached: More than ``limits.members``.
    """
    if not blob.name.endswith(_SUFFIX):
        return []
    found: list[tuple[int, int]] = []
    end = blob.size
    while end > 0:
        clock.check()
        clock.spend("members", 1, limits.members)
        start = _start(blob.stream, end)
        if start is None:
            return []
        found.append((start, end))
        end = start
    return found[::-1] if len(found) > 1 else []


def _start(stream: BinaryIO, end: int) -> int | None:
    """Return where the archive that ends at ``end`` starts."""
    places = [
        each.base
        for each in directories(window(stream, 0, end), end)
        if each.tail == end and 0 <= each.base < end and read_at(stream, each.base, len(LOCAL)) == LOCAL
    ]
    return max(places, default=None)
