"""Recognise payloads that look like pickles themselves, from their first bytes."""

import binascii
import re
from functools import cache

from mlgate.checks.models.pickle import opcodes as op

# Bytes that the expressions below need.
HEAD = 256
# Shorter payloads hold no import and no call.
SHORTEST = 8
# Nor do shorter ones in base64 or hexadecimal digits.
SHORTEST_CODED = 20
# Base64 of base64 is followed so far.
LEVELS = 3

# First characters of texts that are worth a look: of pickles, of compressed data, and of both as
# bytes written as text; then of such data in base64 (twice, at most) or hexadecimal digits.
PLAIN_STARTS = frozenset("c(])}\x80x\x1fB\xfd\x04P")
CODED_STARTS = frozenset("geHQ/_UBYKXfZSVLWR8714fF5062")
# Of programs, which only bytes are looked at for.
OTHER_STARTS = b"\x7fM\xcf\xce\xca"

_PLAIN = frozenset("".join(PLAIN_STARTS).encode("latin-1"))
_STANDARD = bytes.maketrans(b"-_", b"+/")
_STARTS = _PLAIN | frozenset("".join(CODED_STARTS).encode())


class Nested:
    """A payload that looks like a pickle, or that the outer pickle loads.

    Attributes:
        offset: Of the payload.
        size: Of the payload, in bytes.
        encoding: As :func:`encoding` says.
        data: The payload, where it does not stand in the file as it is.
        loaded: True where the outer pickle hands it to a loader.
    """

    __slots__ = ("data", "encoding", "loaded", "offset", "size")

    def __init__(
        self, offset: int, size: int, encoding: str, data: bytes | None = None, *, loaded: bool = False
    ) -> None:
        self.offset, self.size, self.encoding, self.data, self.loaded = offset, size, encoding, data, loaded


@cache
def _patterns() -> dict[str, re.Pattern[bytes]]:
    return {
        # A binary pickle: PROTO, then FRAME or an opcode that can stand first.
        "binary": re.compile(
            rb"\x80[\x00-\x05][\x95\x8c\x8a\x8d\x8e\x96cCBXUT()\[\]{}NIJKMGLFSVP\x80\x82-\x84]"
        ),
        # A text pickle: an import, perhaps after marks and empty containers.
        "text": re.compile(
            rb"[(\])}]{0,4}c[\w.]{1,100}\r?\n[\w.]{1,100}\r?\n|\([^\n]{0,40}(?:\n[^\n]{0,40}){0,4}i[\w.]{1,100}\n[\w.]{1,100}\n"
        ),
        # Any other: an import, by either opcode, behind whatever the unpickler throws away.
        "late": re.compile(
            rb"c[\w.]{1,100}\r?\n[\w.]{1,100}\r?\n|i[\w.]{1,100}\n[\w.]{1,100}\n|[\w.]\x94?[\x8cX][^\n]{1,5}[\w.]{1,100}\x94?\x93"
        ),
        "compressed": re.compile(
            rb"x[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x04\"M\x18|PK\x03\x04"
            rb"|\x7fELF|MZ[\s\S]{56,}|\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe|\xca\xfe\xba[\xbe\xbf]"
        ),
        "base64": re.compile(rb"[A-Za-z0-9+/_-]{20}[A-Za-z0-9+/_\-\s]*={0,2}\s*"),
        "hex": re.compile(rb"[0-9a-fA-F]{20}[0-9a-fA-F\s]*"),
    }


def encoding(head: bytes, level: int = 0, *, text: bool = False) -> str | None:
    """Say how a payload that begins with ``head`` seems to hold a pickle.

    ``raw``, ``compressed`` (routed like any file), ``latin1`` (bytes written as text, as protocols
    below 3 have to; only of ``text``), ``base64``, ``hex``, or None.
    """
    if text and not head.isascii():
        data = head.decode("utf-8", "ignore").encode("latin-1", "replace")
        return "latin1" if encoding(data, LEVELS) else None
    first = head[:1]
    patterns = _patterns()
    if first == b"\x80":
        return "raw" if patterns["binary"].match(head) else None
    if first in b"c(])}" and patterns["text"].match(head):
        return "raw"
    if patterns["compressed"].match(head):
        return "compressed"
    found = None
    if level < LEVELS and len(head) >= SHORTEST_CODED and head[:SHORTEST_CODED].isascii():
        found = _coded(head, level)
    if found is None and not text and patterns["late"].search(head) and op.may_begin(head, whole=False):
        return "raw"
    return found


def _coded(head: bytes, level: int) -> str | None:
    """Say whether the first bytes are those of a pickle in hexadecimal digits or base64."""
    for name in ("hex", "base64"):
        if _first(head, name) not in (_STARTS if level + 1 < LEVELS else _PLAIN):
            continue
        match = _patterns()[name].match(head)
        if match is None or (match.end() < len(head) and len(head) < HEAD):
            continue
        try:
            inner = decode(match.group(), name, cut=True)
        except (ValueError, binascii.Error):
            continue
        if encoding(inner, level + 1) is not None:
            return name
    return None


def _first(head: bytes, how: str) -> int | None:
    """Return the first byte of what is encoded; most payloads are told by it."""
    try:
        if how == "hex":
            return int(head[:2], 16)
        return binascii.a2b_base64(head[:4].translate(_STANDARD))[0]
    except (ValueError, IndexError):
        return None


def decode(data: bytes, how: str, *, cut: bool = False) -> bytes:
    """Undo an encoding that :func:`encoding` recognised.

    Args:
        data: The payload.
        how: ``latin1``, ``hex`` or ``base64`` (of either alphabet, with line breaks, without padding).
        cut: True where ``data`` may end anywhere.

    Raises:
        ValueError: It is not encoded so after all.
    """
    if how == "latin1":
        # The last character may be cut in two.
        return data.decode("utf-8", "ignore").encode("latin-1", "replace")
    data = data.translate(None, b" \t\r\n")
    if how == "hex":
        return bytes.fromhex(data[: len(data) & ~1].decode("ascii"))
    data = data.rstrip(b"=").translate(_STANDARD)
    if cut or len(data) % 4 == 1:
        data = data[: len(data) & ~3]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
