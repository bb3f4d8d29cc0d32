"""Recognise payloads that look like pickles themselves, from their first bytes."""

import re

# A binary pickle: PROTO, then FRAME or an opcode that can stand first.
_BINARY = re.compile(rb"\x80[\x01-\x05][\x95\x8c\x8a\x8d\x8e\x96cCBXUT()\[\]{}NIJKMGLFSVP]")
# A text pickle: an import, perhaps after marks and empty containers.
_TEXT = re.compile(rb"[(\])}]{0,4}c[\w.]{1,100}\r?\n[\w.]{1,100}\r?\n")
_INST = re.compile(rb"\(.{0,40}i[\w.]{1,100}\n[\w.]{1,100}\n", re.DOTALL)
# 0x80 and a protocol from 1 to 5.
_BASE64 = re.compile(rb"gA[E-X][A-Za-z0-9+/_-]{8,}")
_LATIN = re.compile(rb"\xc2\x80[\x01-\x05]")
_HEX = re.compile(rb"80(?:0[1-5])[0-9a-fA-F]{8,}")
_COMPRESSED = re.compile(
    rb"x[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x04\"M\x18|PK\x03\x04"
)

# Bytes that the expressions above need.
HEAD = 256
# Shorter payloads hold no import and no call.
SHORTEST = 8


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


def encoding(head: bytes) -> str | None:
    """Say how a payload that begins with ``head`` seems to hold a pickle.

    ``raw``, ``compressed`` (routed like any file), ``latin1`` (bytes written as text, as protocols
    below 3 have to), ``base64``, ``hex``, or None.
    """
    first = head[:1]
    if first == b"\x80":
        return "raw" if _BINARY.match(head) else None
    if first in (b"c", b"(", b"]", b"}", b")"):
        return "raw" if _TEXT.match(head) or _INST.match(head) else None
    if first == b"g":
        return "base64" if _BASE64.match(head) else None
    if first == b"8":
        return "hex" if _HEX.match(head) else None
    if first == b"\xc2":
        return "latin1" if _LATIN.match(head) else None
    return "compressed" if _COMPRESSED.match(head) else None
