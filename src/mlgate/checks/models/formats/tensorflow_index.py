"""The index of a TensorFlow checkpoint: a sorted table of where each tensor's numbers are."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "tensorflow-checkpoint"
KIND = "model"
ORDER = 20

# The table's footer ends with this; its first entry has the empty key, and is the header.
_FOOTER = bytes.fromhex("57fb808b247547db")
_FIRST = b"\0\0"


def sniff(blob: Blob) -> bool:
    """Look for the entry with the empty key."""
    return blob.size >= 48 and blob.head.startswith(_FIRST) and 0 < blob.head[2] < 64


def read(blob: Blob, _limits: Limits, _clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield nothing: names, shapes and places of tensors tell nobody to do anything.

    Raises:
        Declined: It has no table's footer.
    """
    if read_at(blob.stream, blob.size - len(_FOOTER), len(_FOOTER)) != _FOOTER:
        raise Declined
    yield from ()
