"""Zstandard, RFC 8878; several frames end to end are one file."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.containers._frames import first_magic, is_skippable
from mlgate.checks.models.containers._zstd import MAGIC, MISSING, Missing, decompressor
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "zstd"
KIND = "container"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic, behind frames that decoders skip."""
    return first_magic(blob).startswith(MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content, or say what is missing to read it.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    try:
        decompressor()
    except Missing:
        yield blob.not_checked("unsupported-format", MISSING)
        return
    yield from unpack(
        blob,
        decompressor,
        (".zst", ".zstd", ".tzst"),
        limits,
        clock,
        container=FORMAT,
        magic=lambda head: head.startswith(MAGIC) or is_skippable(head),
    )
