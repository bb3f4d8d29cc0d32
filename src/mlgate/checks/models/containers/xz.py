"""XZ."""

import lzma
from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import MEMORY, unpack
from mlgate.checks.models.containers._lzma import XZ, is_stream
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "xz"
KIND = "container"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(XZ)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        lambda: other(lzma.LZMADecompressor(lzma.FORMAT_AUTO, MEMORY)),
        (".xz", ".txz"),
        limits,
        clock,
        container=FORMAT,
        magic=is_stream,
        padded=True,
    )
