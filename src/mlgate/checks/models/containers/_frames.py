"""How frames begin: those of LZ4, and the skippable ones that Zstandard shares (RFC 8878, 3.1.2)."""

from mlgate.checks.models.reader import Blob
from mlgate.checks.models.stream import read_at

LZ4 = b"\x04\x22\x4d\x18"
LZ4_LEGACY = b"\x02\x21\x4c\x18"
SKIPPABLE = b"\x2a\x4d\x18"
_MOST = 100


def is_skippable(head: bytes) -> bool:
    """Say whether a frame starts that decoders pass over."""
    return head[1:4] == SKIPPABLE and head[0] & 0xF0 == 0x50


def first_magic(blob: Blob) -> bytes:
    """Return the first bytes of the first frame that holds something; the first 100 are passed over."""
    head, place = blob.head[:8], 0
    for _ in range(_MOST):
        if len(head) < 8 or not is_skippable(head):
            break
        place += 8 + int.from_bytes(head[4:8], "little")
        if place >= blob.size:
            break
        head = read_at(blob.stream, place, min(8, blob.size - place))
    return head
