"""Llamafiles: one program for several systems, with the model in an archive at its end."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "llamafile"
KIND = "model"
ORDER = 10

# How programs begin that are a shell script and a native executable at once.
_BEGINNINGS = (b"MZqFpD='", b"jartsr='", b"APEDBG='")


def sniff(blob: Blob) -> bool:
    """Look for the beginning of such a program."""
    return blob.head.startswith(_BEGINNINGS)


def read(blob: Blob, _limits: Limits, _clock: Clock) -> Iterator[Fact]:
    """Yield that it is a program. The archive in it is read as any archive is."""
    yield blob.fact("llamafile.program", blob.name, offset=0)
