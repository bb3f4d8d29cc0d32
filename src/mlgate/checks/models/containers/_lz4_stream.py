"""A chain of LZ4 frames, unpacked."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.containers._frames import LZ4, LZ4_LEGACY, is_skippable
from mlgate.checks.models.containers._lz4_frame import Frame, Input
from mlgate.checks.models.containers.lz4 import FORMAT
from mlgate.checks.models.inflate import other
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits


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
        magic=lambda head: head.startswith((LZ4, LZ4_LEGACY)) or is_skippable(head),
    )
