"""Shards of torch.distributed.checkpoint (``.distcp``): an archive for each tensor, end to end."""

from collections.abc import Iterator

from mlgate.checks.models.containers._zip_directory import LOCAL
from mlgate.checks.models.containers._zip_series import series
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member, window
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "torch-distributed"
KIND = "container"
ORDER = 9


def sniff(blob: Blob) -> bool:
    """Look for an archive's first header."""
    return blob.head.startswith(LOCAL)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield every archive.

    Raises:
        Declined: It is one archive, or not such a file.
        LimitReached: It holds too many.
    """
    places = series(blob, limits, clock)
    if not places:
        raise Declined
    for number, (start, end) in enumerate(places):
        part = window(blob.stream, start, end - start)
        yield member(blob, f"{number}.pt", part, end - start, container=FORMAT)
