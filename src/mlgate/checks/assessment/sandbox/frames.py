"""The only words between the gate and a worker: a bounded JSON header, then raw bytes.

The bytes are arrays, one behind the other, as the header's ``arrays`` describes them:
name, dtype and shape of each. Texts travel as UTF-8, each after its length.

A frame is the header's length (4 bytes, big endian), the header, and as many bytes as
the header's ``size`` says. The worker reads with :func:`receive`; the gate, which must
never wait for ever nor believe a length, reads piece by piece in
:mod:`mlgate.checks.assessment.sandbox.worker`.
"""

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER_BYTES = 1 << 20
PREFIX = 4
# dtypes that travel; anything else would need a parser that trusts its input.
_DTYPES = ("<f4", "<f8", "<i4", "<i8", "|b1")
_TEXT = "text"
_MOST_ARRAYS = 32
_MOST_DIMENSIONS = 8


class FrameError(ValueError):
    """The bytes are not a frame."""


def pack(header: Mapping[str, Any], size: int = 0) -> bytes:
    """Encode everything of a frame but its body, which has ``size`` bytes."""
    text = json.dumps({**header, "size": size}).encode()
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


def describe(given: Mapping[str, "NDArray[Any]"]) -> tuple[list[list[Any]], list[bytes]]:
    """Return what a header says of arrays, and their bytes.

    Args:
        given: Arrays of floats, whole numbers, truth values or texts, by name.
    """
    described: list[list[Any]] = []
    parts: list[bytes] = []
    for name, array in given.items():
        if array.dtype.kind in "UO":
            raw = b"".join(
                len(text).to_bytes(PREFIX, "big") + text
                for text in (str(value).encode("utf-8", "surrogatepass") for value in array.reshape(-1))
            )
            described.append([name, _TEXT, list(array.shape), len(raw)])
        else:
            # Where a size has no place in the list, the nearest that holds it travels.
            size = array.dtype.itemsize if array.dtype.kind in "fi" and array.dtype.itemsize in (4, 8) else 8
            plain = np.ascontiguousarray(
                array, dtype="|b1" if array.dtype.kind == "b" else f"<{array.dtype.kind}{size}"
            )
            raw = plain.tobytes()
            described.append([name, plain.dtype.str, list(array.shape), len(raw)])
        parts.append(raw)
    return described, parts


def arrays(
    header: Mapping[str, Any], body: bytes, most_texts: int | None = None
) -> dict[str, "NDArray[Any]"]:
    """Return the arrays of a frame, by name; they cannot be written to.

    Args:
        header: Of the frame.
        body: Of the frame.
        most_texts: That one array may hold, from whom nobody trusts: an empty one takes four
            bytes on the way and ten times as many here.

    Raises:
        FrameError: The header does not describe them, or they are not what it describes.
    """
    described = header.get("arrays")
    if not isinstance(described, list) or len(described) > _MOST_ARRAYS:
        raise FrameError("the header describes no arrays")
    found: dict[str, NDArray[Any]] = {}
    start = 0
    for entry in described:
        name, dtype, shape, size = _described(entry)
        raw = body[start : start + size]
        start += size
        if dtype == _TEXT and most_texts is not None and math.prod(shape) > most_texts:
            raise FrameError(f"an array has more than {most_texts} texts")
        if len(raw) != size:
            raise FrameError("an array is longer than the body")
        found[name] = _shaped(_texts(raw, shape) if dtype == _TEXT else np.frombuffer(raw, dtype), shape)
    if start != len(body):
        raise FrameError("the body is longer than its arrays")
    return found


def _described(entry: Any) -> tuple[str, str, tuple[int, ...], int]:
    if not isinstance(entry, list) or len(entry) != 4:
        raise FrameError("an array is not described")
    name, dtype, shape, size = entry
    plain = (
        isinstance(name, str)
        and isinstance(shape, list)
        and len(shape) <= _MOST_DIMENSIONS
        and all(type(length) is int and 0 <= length < 1 << 40 for length in shape)
        and type(size) is int
        and size >= 0
        and dtype in (*_DTYPES, _TEXT)
    )
    if not plain or (dtype != _TEXT and math.prod(shape) * np.dtype(dtype).itemsize != size):
        raise FrameError("an array's shape is not its size")
    return name, dtype, tuple(shape), size


def _shaped(values: "NDArray[Any]", shape: tuple[int, ...]) -> "NDArray[Any]":
    try:
        return values.reshape(shape)
    except ValueError as error:  # no values, and lengths whose product is no address
        raise FrameError(f"an array has an impossible shape: {error}") from error


def _texts(raw: bytes, shape: tuple[int, ...]) -> "NDArray[Any]":
    texts: list[str] = []
    at = 0
    while at < len(raw) and len(texts) <= math.prod(shape):
        length = int.from_bytes(raw[at : at + PREFIX], "big")
        text = raw[at + PREFIX : at + PREFIX + length]
        if len(text) != length:
            raise FrameError("a text is longer than its array")
        texts.append(text.decode("utf-8", "replace"))
        at += PREFIX + length
    if len(texts) != math.prod(shape):
        raise FrameError("an array has not as many texts as its shape says")
    return np.array(texts, dtype=object)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise FrameError("the stream ends within a frame")
    return data
