"""The only words between the gate and a worker: a bounded JSON header, then raw bytes.

A frame is the header's length (4 bytes, big endian), the header, and as many bytes as
the header's ``size`` says. The worker reads with :func:`receive`; the gate, which must
never wait for ever nor believe a length, reads piece by piece in
:mod:`mlgate.checks.assessment.sandbox.worker`.
"""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

HEADER_BYTES = 1 << 20
PREFIX = 4


class FrameError(ValueError):
    """The bytes are not a frame."""


def pack(header: Mapping[str, Any], body: bytes | memoryview = b"") -> bytes:
    """Encode everything of a frame but its body."""
    text = json.dumps({**header, "size": len(body)}).encode()
    return len(text).to_bytes(PREFIX, "big") + text


def unpack(text: bytes) -> tuple[dict[str, Any], int]:
    """Decode a header and the size of the body that follows.

    Raises:
        FrameError: The header is not a JSON object with a size.
    """
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("the header is not an object")
    size = header.pop("size", None)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise FrameError("the header names no size")
    return header, size


def header_length(prefix: bytes) -> int:
    """Decode the length of a header.

    Raises:
        FrameError: The length is out of bounds.
    """
    length = int.from_bytes(prefix, "big")
    if not 2 <= length <= HEADER_BYTES:
        raise FrameError(f"the header's length is {length}")
    return length


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end of the stream.

    Raises:
        FrameError: The stream holds anything else.
    """
    prefix = stream.read(PREFIX)
    if not prefix:
        return None
    header, size = unpack(_exactly(stream, header_length(prefix)))
    return header, _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise FrameError("the stream ends within a frame")
    return data
