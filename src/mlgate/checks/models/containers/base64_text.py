"""A whole file in base64 or hexadecimal digits, where a pickle, an archive or packed data begins in it."""

import binascii
import io
from collections.abc import Iterator

from mlgate.checks.models.pickle import nested
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "base64"
KIND = "container"
ORDER = 50

_SUFFIXES = (".b64", ".base64", ".hex", ".txt")


def sniff(blob: Blob) -> bool:
    """Decode the first bytes, and look for what may begin so."""
    head = blob.head[: nested.HEAD].lstrip()
    return bool(head) and head.isascii() and nested.encoding(head) in ("base64", "hex")


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is encoded.

    Raises:
        Declined: More than digits and line breaks is in it.
        LimitReached: It is longer than ``text_bytes``.
    """
    clock.check()
    if blob.size > limits.text_bytes:
        raise LimitReached("text_bytes")
    text = read_at(blob.stream, 0, blob.size).strip()
    how = nested.encoding(text[: nested.HEAD])
    try:
        data = nested.decode(text, how or "")
    except (ValueError, binascii.Error):
        raise Declined from None
    if not data:
        raise Declined
    name = blob.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    yield member(blob, name or "decoded", io.BytesIO(data), len(data), container=FORMAT)
