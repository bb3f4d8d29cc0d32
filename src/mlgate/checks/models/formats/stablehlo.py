"""StableHLO as MLIR bytecode, alone or as `jax.export` serializes it: which host callbacks it names.

Of the bytecode only the table of strings is read (MLIR Bytecode Format, section "String
Section"): the target of a custom call stands there like every other name.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mlgate.checks.models.reader import Blob, Clock, LimitReached
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "stablehlo"
KIND = "model"
ORDER = 30

_MAGIC = b"ML\xefR"
# Where `jax.export` puts it: a byte vector of a flatbuffer, before which only names stand.
_PRODUCER = b"StableHLO"
_SEARCHED = 1 << 20
_STRINGS = 0
# Bytes of the table; those of the largest programs are far below.
_MOST = 8 << 20


class _Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The bytecode ends early or contradicts itself."""


def sniff(blob: Blob) -> bool:
    """Look for the magic, or for a flatbuffer that holds it."""
    return blob.head.startswith(_MAGIC) or (_is_table(blob) and _place(blob) is not None)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the host callbacks that the program names.

    Raises:
        LimitReached: The table of strings is too large.
    """
    place = 0 if blob.head.startswith(_MAGIC) else _place(blob) or 0
    if place:
        yield blob.fact("core.format", "jax-export")
    try:
        for name, offset in _names(blob, place + len(_MAGIC), limits, clock):
            yield blob.fact("jax.callback", name, offset=offset)
    except _Malformed as error:
        yield blob.not_checked(
            "malformed", f"the program cannot be followed: {error}; export it again", offset=place
        )


def _is_table(blob: Blob) -> bool:
    """Say whether the first bytes could be those of a flatbuffer without a mark."""
    root = int.from_bytes(blob.head[:4], "little")
    if blob.tentative or len(blob.head) < 64 or not 8 <= root <= 1024 or root % 4:
        return False
    layout = root - int.from_bytes(blob.head[root : root + 4], "little", signed=True)
    return 4 <= layout < root


def _place(blob: Blob) -> int | None:
    data = read_at(blob.stream, 0, min(blob.size, _SEARCHED))
    found = data.find(_MAGIC)
    while found >= 0:
        if data[found + 5 : found + 5 + len(_PRODUCER)] == _PRODUCER:
            return found
        found = data.find(_MAGIC, found + 1)
    return None


def _names(blob: Blob, place: int, limits: Limits, clock: Clock) -> Iterator[tuple[str, int]]:
    """Yield the names of callbacks in the table of strings, and where the table stands."""
    head = read_at(blob.stream, place, 4096)
    _, at = _number(head, 0)
    end = head.find(b"\0", at)
    if end < 0:
        raise _Malformed("its producer has no end")
    place += end + 1
    while place < blob.size:
        clock.check()
        head = read_at(blob.stream, place, 32)
        section = head[0] & 0x7F
        size, at = _number(head, 1)
        if head[0] & 0x80:
            _, at = _number(head, at)
            # Padding up to the alignment.
            while at < len(head) and head[at] == 0xCB:
                at += 1
        if size > blob.size - place:
            raise _Malformed("a section is longer than the file")
        if section == _STRINGS:
            if size > min(limits.header_bytes, _MOST):
                raise LimitReached("header_bytes")
            for text in _strings(read_at(blob.stream, place + at, size)):
                if text in callbacks():
                    yield text, place
            return
        place += at + size
    raise _Malformed("it has no table of strings")


def _strings(data: bytes) -> Iterator[str]:
    count, at = _number(data, 0)
    if count > len(data):
        raise _Malformed("there are more strings than bytes")
    sizes = []
    for _ in range(count):
        size, at = _number(data, at)
        sizes.append(size)
    # The sizes stand in reverse.
    for size in reversed(sizes):
        if size > len(data) - at:
            raise _Malformed("a string is longer than the table")
        yield data[at : at + size].rstrip(b"\0").decode("utf-8", "replace")
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number whose first byte says by its zeros at the end how many follow."""
    if at >= len(data):
        raise _Malformed("it is cut off")
    first = data[at]
    extra = 8 if not first else (first & -first).bit_length() - 1
    if at + 1 + extra > len(data):
        raise _Malformed("it is cut off")
    value = int.from_bytes(data[at : at + 1 + extra], "little") >> (8 if not first else extra + 1)
    return value, at + 1 + extra


@cache
def callbacks() -> frozenset[str]:
    """Names of the targets that call back into Python."""
    lines = (Path(__file__).parent.parent / "data" / "jax_callbacks.csv").read_text(encoding="utf-8")
    return frozenset(lines.splitlines()[2:])
