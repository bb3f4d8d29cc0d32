"""Models of CRFsuite: a header of sizes and offsets, and tables of weights."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "crfsuite"
KIND = "model"
ORDER = 10

_HEADER = 48
_OFFSETS = range(28, _HEADER, 4)


def sniff(blob: Blob) -> bool:
    """Look for the magic and the type behind it."""
    return blob.head.startswith(b"lCRF") and blob.head[8:12] == b"FOMC"


def read(blob: Blob, _limits: Limits, _clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield where the header does not fit the file."""
    size = int.from_bytes(blob.head[4:8], "little")
    if blob.size < _HEADER or size > blob.size:
        yield blob.not_checked("truncated", "the file ends within the model; fetch it again", offset=4)
        return
    places = [int.from_bytes(blob.head[at : at + 4], "little") for at in _OFFSETS]
    if any(place >= size or (place and place < _HEADER) for place in places):
        yield blob.fact("booster.malformed", "a table lies outside the file", offset=28, format=FORMAT)
    elif size < blob.size:
        yield blob.fact("core.unaccounted", "bytes behind the model", offset=size)
