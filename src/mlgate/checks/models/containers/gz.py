"""Gzip, RFC 1952; several streams end to end are one file."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.inflate import deflated
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "gzip"
KIND = "container"
ORDER = 10

_MAGIC = b"\x1f\x8b\x08"


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(_MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        lambda: deflated(31),
        (".gz", ".gzip", ".tgz"),
        limits,
        clock,
        container=FORMAT,
        magic=_MAGIC,
        padded=True,
    )
