"""Bzip2."""

import bz2
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "bzip2"
KIND = "container"
ORDER = 10

_MAGIC = b"BZh"
# Pi for a block, its square root for the end of an empty stream.
_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(_MAGIC) and blob.head[3:4].isdigit() and blob.head[4:10] in _BLOCKS


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        lambda: other(bz2.BZ2Decompressor()),
        (".bz2", ".tbz2"),
        limits,
        clock,
        container=FORMAT,
        magic=_MAGIC,
    )
