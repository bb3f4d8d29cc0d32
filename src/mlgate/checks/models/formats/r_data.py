"""R's serialized data: `.rds`, and `.rda` or `.RData`, once unpacked."""

from mlgate.checks.models.reader import Blob, later

FORMAT = "r-data"
KIND = "model"
ORDER = 20

_SAVED = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")
VERSIONS = (2, 3)
# R 1.4.0, which wrote version 2 first.
_OLDEST_WRITER = 0x010400


def sniff(blob: Blob) -> bool:
    """Look for the mark of an encoding and a version of the format."""
    place = start(blob.head)
    head = blob.head[place:]
    if head.startswith(b"A\n"):
        words = head[2:100].split(None, 3)
        return len(words) >= 3 and words[0] in (b"2", b"3") and all(word.isdigit() for word in words[:3])
    order = {b"X\n": "big", b"B\n": "little"}.get(head[:2])
    if order is None or len(head) < 14:
        return False
    version, writer = (int.from_bytes(head[at : at + 4], order) for at in (2, 6))  # type: ignore[arg-type]
    return version in VERSIONS and writer >> 24 == 0 and writer >= _OLDEST_WRITER


def start(head: bytes) -> int:
    """Return where the mark of the encoding stands."""
    place = 5 if head.startswith(_SAVED) else 0
    # R takes a line feed that an earlier text has left.
    return place + head.startswith(b"\nA", place)


read = later("mlgate.checks.models.formats._r_file")
