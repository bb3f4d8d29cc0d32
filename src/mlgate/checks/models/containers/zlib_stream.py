"""Zlib streams, RFC 1950, as joblib writes them; also behind the header of its first versions."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.inflate import deflated
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "zlib"
KIND = "container"
# The two bytes are weak evidence: `(S` is a zlib header and the start of a pickle.
ORDER = 60

# joblib before 0.10 wrote "ZF", the length in hexadecimal in 19 columns, and the stream.
_OLD = b"ZF0x"
_OLD_LENGTH = 21


def sniff(blob: Blob) -> bool:
    """Look for a header that is divisible by 31, or for joblib's old prefix."""
    return blob.head.startswith(_OLD) or _is_header(blob.head[:2])


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    start = 0
    if blob.head.startswith(_OLD):
        # Python 2 wrote an L behind the number, in a column of its own.
        start = next((at for at in (_OLD_LENGTH, _OLD_LENGTH + 1) if _is_header(blob.head[at : at + 2])), -1)
        if start < 0:
            raise Declined
    return unpack(
        blob,
        lambda: deflated(15),
        (),
        limits,
        clock,
        container=FORMAT,
        # joblib's reader goes on with whatever stream follows.
        magic=lambda head: _is_header(head[:2]),
        start=start,
        sure=False,
    )


def _is_header(pair: bytes) -> bool:
    return (
        len(pair) == 2 and pair[0] & 0x0F == 8 and pair[0] >> 4 <= 7 and int.from_bytes(pair, "big") % 31 == 0
    )
