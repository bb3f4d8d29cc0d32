"""MXNet's parameters (``.params``): a list of arrays, and nothing that runs."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "mxnet-params"
KIND = "model"
ORDER = 20

# The magic of a list of arrays, and a number that is reserved.
_MAGIC = bytes.fromhex("12010000000000000000000000000000")


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(_MAGIC)


def read(_blob: Blob, _limits: Limits, _clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield nothing: names, shapes and numbers tell nobody to do anything."""
    yield from ()
