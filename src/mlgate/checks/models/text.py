"""Texts, as the loaders that read them would decode them."""

import codecs
from functools import lru_cache
from typing import BinaryIO

from mlgate.checks.models.reader import Blob, Declined, LimitReached
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.tables import is_text
from mlgate.core.limits import Limits

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_COMMENTED = (".pbtxt", ".prototxt", ".textproto", ".pb.txt", ".onnxtxt")


def looks_like_text(blob: Blob) -> bool:
    """Say whether the first bytes are those of a text, in any encoding that loaders take."""
    if not blob.size:
        return False
    # In a comment of protobuf's text form stands whatever control character.
    return is_text(blob.head) or (b"\0" not in blob.head and blob.name.endswith(_COMMENTED))


def read_text(blob: Blob, limits: Limits) -> str:
    """Return the whole text. Bytes that are none in its encoding become surrogates.

    Raises:
        Declined: It is no text.
        LimitReached: It is longer than ``limits.text_bytes``.
    """
    if not looks_like_text(blob):
        raise Declined
    if blob.size > limits.text_bytes:
        raise LimitReached("text_bytes")
    return _decoded(blob.stream, blob.size)


# Many readers ask for one text in turn.
@lru_cache(maxsize=1)
def _decoded(stream: BinaryIO, size: int) -> str:
    data = read_at(stream, 0, size)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "surrogateescape")


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes of a text tell."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def line_of(text: str, offset: int) -> int:
    """Return the 1-based line that the character at ``offset`` stands in."""
    return text.count("\n", 0, offset) + 1


class Lines:
    """Lines of one place after another in a text: what lies between two of them is counted once.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1

    def at(self, offset: int) -> int:
        """Return the 1-based line that the character at ``offset`` stands in."""
        if offset >= self._offset:
            self._line += self._text.count("\n", self._offset, offset)
        else:
            self._line -= self._text.count("\n", offset, self._offset)
        self._offset = offset
        return self._line
