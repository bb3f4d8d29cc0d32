"""LZ4: frames and legacy frames, as joblib and the command line write them."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.containers._frames import first_magic, is_skippable
from mlgate.checks.models.containers._lz4_frame import FRAME, LEGACY, Frame, Input
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lz4"
KIND = "container"
ORDER = 10


def sniff(blob: Blob) -> bool:
    """Look for the magic, behind frames that decoders skip."""
    return first_magic(blob).startswith((FRAME, LEGACY))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    source = Input(blob.size)
    return unpack(
        blob,
        lambda: other(Frame(source)),
        (".lz4",),
        limits,
        clock,
        container=FORMAT,
        magic=lambda head: head.startswith((FRAME, LEGACY)) or is_skippable(head),
    )
