"""LZMA with the old 13-byte header, which has no magic.

What counts as one is what liblzma's automatic decoder takes (``lzma_alone_decoder``, "picky").
"""

import lzma
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import MEMORY, unpack
from mlgate.checks.models.containers._lzma import is_alone, is_stream
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lzma"
KIND = "container"
ORDER = 60


def sniff(blob: Blob) -> bool:
    """Look for possible properties, a round dictionary size and a believable length."""
    return is_alone(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        lambda: other(lzma.LZMADecompressor(lzma.FORMAT_AUTO, MEMORY)),
        (".lzma",),
        limits,
        clock,
        container=FORMAT,
        magic=is_stream,
        sure=False,
    )
