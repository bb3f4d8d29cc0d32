"""The checksums that Google Cloud Storage sends with an object (header ``x-goog-hash``)."""

import base64
import binascii
import hashlib
import struct
from collections.abc import Iterable
from functools import cache
from typing import BinaryIO

# Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4).
_POLYNOMIAL = 0x82F63B78
_CHUNK = 1 << 20


class ChecksumError(Exception):
    """The bytes are not those that the service meant to send."""


def verify(stream: BinaryIO, headers: Iterable[str]) -> None:
    """Hold a stream against ``x-goog-hash`` headers, by MD5 where there is one, else by CRC-32C.

    Both are there against damage on the way; who sent the bytes, TLS says.

    Raises:
        ChecksumError: It differs, or the header cannot be read.
    """
    given = dict(
        part.strip().partition("=")[::2] for header in headers for part in header.split(",") if part.strip()
    )
    for name, compute in (("md5", _md5), ("crc32c", crc32c)):
        if name not in given:
            continue
        try:
            expected = base64.b64decode(given[name], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ChecksumError(f"its {name} checksum cannot be read") from error
        stream.seek(0)
        if compute(stream) != expected:
            raise ChecksumError(f"its {name} checksum is another one")
        return


def _md5(stream: BinaryIO) -> bytes:
    found = hashlib.md5(usedforsecurity=False)
    while data := stream.read(_CHUNK):
        found.update(data)
    return found.digest()


@cache
def _tables() -> tuple[list[int], list[list[int]]]:
    """Return the table for one byte, and those for two bytes at four places of a word."""
    single = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        single.append(value)
    # One more byte of zeros after it, again and again: a pair of bytes, 0 to 3 pairs from the end.
    last = [
        single[(pair >> 8) ^ (single[pair & 255] & 255)] ^ (single[pair & 255] >> 8) for pair in range(65536)
    ]
    pairs = [last]
    for _ in range(3):
        pairs.append([last[value & 0xFFFF] ^ (value >> 16) for value in pairs[-1]])
    return single, pairs


def crc32c(stream: BinaryIO) -> bytes:
    """Return the CRC-32C of the rest of a stream, as four bytes, the highest first."""
    single, (last, third, second, first) = _tables()
    crc = 0xFFFFFFFF
    while data := stream.read(_CHUNK):
        whole = len(data) & ~7
        for (word,) in struct.iter_unpack("<Q", memoryview(data)[:whole]):
            mixed = word ^ crc
            crc = (
                first[mixed & 0xFFFF]
                ^ second[(mixed >> 16) & 0xFFFF]
                ^ third[(mixed >> 32) & 0xFFFF]
                ^ last[mixed >> 48]
            )
        for byte in data[whole:]:
            crc = single[(crc ^ byte) & 255] ^ (crc >> 8)
    return struct.pack(">I", crc ^ 0xFFFFFFFF)
