"""What a tensor's bytes begin with, where they are no numbers: a program, or a pickle."""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.executable import MAGICS, executable
from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import member, read_at, window
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

_SMALLEST = 64
_FIRST = 4


def started(
    blob: Blob,
    span: tuple[int, int],
    container: str,
    limits: Limits,
    clock: Clock,
    *,
    name: str = "",
    octets: bool = False,
) -> Iterator[Fact | Blob]:
    """Yield what stands where a tensor's bytes begin.

    Args:
        blob: What holds the tensor.
        span: Offsets of its first byte and of the one behind its last.
        container: Format of the blob.
        limits: Of the policy.
        clock: Of the file.
        name: Of the tensor.
        octets: True where its elements are bytes, as of whatever a program has put away: a pickle is read.

    Raises:
        LimitReached: There are too many.
    """
    offset, end = span[0], min(span[1], blob.size)
    if end - offset < _FIRST:
        return
    head = read_at(blob.stream, offset, _FIRST)
    if head.startswith(MAGICS) and end - offset >= _SMALLEST:
        found = executable(blob.stream, offset, end - offset)
        if found is not None:
            clock.spend("facts", 1, limits.facts)
            yield blob.fact("payload.executable", found, offset=offset, container=container)
    elif octets and _pickle().match(head):
        clock.spend("members", 1, limits.members)
        inside = window(blob.stream, offset, end - offset)
        yield member(
            blob, name or f"bytes at {offset}", inside, end - offset, container=container, tentative=True
        )


@cache
def _pickle() -> re.Pattern[bytes]:
    # A protocol header, and an opcode that comes first in what does something.
    return re.compile(rb"\x80[\x02-\x05][\x95c\x8c(\]})X\x88]")
