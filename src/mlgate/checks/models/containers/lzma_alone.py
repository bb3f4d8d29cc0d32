"""LZMA with the old 13-byte header, which has no magic."""

import lzma
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import MEMORY, unpack
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lzma"
ORDER = 60


def sniff(blob: Blob) -> bool:
    """Look for the usual properties, a round dictionary size and a believable length."""
    head = blob.head
    if len(head) < 14 or head[0] != 0x5D:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    length = int.from_bytes(head[5:13], "little")
    # As the file utility does: a power of two, or the sum of two that follow each other.
    lowest = dictionary & -dictionary
    rounded = dictionary >= 4096 and dictionary in (lowest, 3 * lowest)
    return rounded and (length == 2**64 - 1 or length < 2**38)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        lambda: other(lzma.LZMADecompressor(lzma.FORMAT_ALONE, MEMORY)),
        (".lzma",),
        limits,
        clock,
        container=FORMAT,
        sure=False,
    )
