"""Gzip, RFC 1952; several streams end to end are one file."""

from collections.abc import Iterator

from mlgate.checks.models.containers._compressed import unpack
from mlgate.checks.models.inflate import Step, deflated
from mlgate.checks.models.reader import Blob, Clock
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "gzip"
KIND = "container"
ORDER = 10

_MAGIC = b"\x1f\x8b\x08"
_PLAIN_HEADER = _MAGIC + bytes(6) + b"\xff"
_FIXED = len(_PLAIN_HEADER)
_LONGEST_HEADER = 1 << 20
_CHECKSUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16


def sniff(blob: Blob) -> bool:
    """Look for the magic."""
    return blob.head.startswith(_MAGIC)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the content.

    Raises:
        Declined: It does not decompress.
        LimitReached: It is too large.
    """
    return unpack(
        blob,
        _step,
        (".gz", ".gzip", ".tgz"),
        limits,
        clock,
        container=FORMAT,
        magic=_MAGIC,
        padded=True,
    )


def _step() -> Step:
    """Return a step that takes the header as Python does: its checksum and reserved flags are ignored."""
    inner: Step | None = None
    header = b""

    def step(data: bytes, most: int) -> tuple[bytes, bytes, bool]:
        nonlocal inner, header
        if inner is not None:
            return inner(data, most)
        header += data
        end = _end_of_header(header)
        if end is None:
            if len(header) > _LONGEST_HEADER:
                raise ValueError("a header that does not end")
            return b"", b"", False
        rest, header = header[end:], b""
        inner = deflated(31)
        inner(_PLAIN_HEADER, most)
        return inner(rest, most) if rest else (b"", b"", False)

    return step


def _end_of_header(data: bytes) -> int | None:
    """Return the offset behind the header, or None where more of it has to come."""
    if len(data) < _FIXED:
        return None
    flags, at = data[3], _FIXED
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1 if at < len(data) else 0
            if not at:
                return None
    if flags & _CHECKSUM:
        at += 2
    return at if at <= len(data) else None
