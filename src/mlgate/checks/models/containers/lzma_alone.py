"""LZMA with the old 13-byte header, which has no magic.

What counts as one is what liblzma's automatic decoder takes (``lzma_alone_decoder``, "picky").
"""

import lzma
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import MEMORY, unpack
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lzma"
KIND = "container"
ORDER = 60

# (pb * 5 + lp) * 9 + lc, each at its largest, and one more.
_MOST_PROPERTIES = 225
_ANY = 0xFFFFFFFF


def sniff(blob: Blob) -> bool:
    """Look for possible properties, a round dictionary size and a believable length."""
    head = blob.head
    # The first byte of the data itself is zero: the range coder starts so.
    if len(head) < 14 or head[0] >= _MOST_PROPERTIES or head[13]:
        return False
    dictionary = int.from_bytes(head[1:5], "little")
    length = int.from_bytes(head[5:13], "little")
    # A power of two, or the sum of two that follow each other.
    lowest = dictionary & -dictionary
    rounded = dictionary == _ANY or (dictionary >= 4096 and dictionary in (lowest, 3 * lowest))
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
