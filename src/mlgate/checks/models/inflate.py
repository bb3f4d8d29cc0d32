"""Bounded decompression: what came out before an error is kept, and a bomb is stopped."""

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol, TypeAlias, cast

from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.checks.models.stream import CHUNK
from mlgate.core.limits import Limits

# Output up to this size stays in memory; more goes to a temporary file.
SPOOL = 8 << 20
# Below this, a high ratio is an ordinary run of zeros, not a bomb.
_HARMLESS = 16 << 20
# Input that is tried at once where an error is near: it makes some hundred kilobytes at most.
_STEP = 256

# From input and the most output wanted, to output, input left over, and whether this was the end.
Step: TypeAlias = Callable[[bytes, int], tuple[bytes, bytes, bool]]
# What the steps of this module raise on malformed input.
ERRORS = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError)


class Engine(Protocol):
    """A decompressor that keeps the input that it has no use for yet, as :mod:`lzma`'s do."""

    @property
    def eof(self) -> bool:
        """True behind the end of the stream."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take input and return at most ``max_length`` bytes of output."""
        ...


def deflated(bits: int) -> Step:
    """Return a step for deflate data; ``bits`` as for :func:`zlib.decompressobj`.

    What came out before an error is returned first, to the last byte: a loader that reads as it
    goes has had it by then.
    """
    engine = zlib.decompressobj(bits)

    def step(data: bytes, most: int) -> tuple[bytes, bytes, bool]:
        nonlocal engine
        spare = engine.copy()
        try:
            out = engine.decompress(data, most)
        except zlib.error:
            engine = spare
            out, left = _before_error(engine, data, most)
            if len(left) == len(data) or not out:
                raise
            return out, left, False
        return out, engine.unused_data if engine.eof else engine.unconsumed_tail, engine.eof

    return step


def _before_error(engine: Any, data: bytes, most: int) -> tuple[bytes, bytes]:
    """Feed a decompressor until just before it fails; return the output and the input left over."""
    out = bytearray()
    at, width = 0, _STEP
    while at < len(data) and len(out) < most:
        trial = engine.copy()
        try:
            out += trial.decompress(data[at : at + width])
        except zlib.error:
            if width == 1:
                break
            width = 1
            continue
        engine.decompress(data[at : at + width])
        at += width
    return bytes(out), data[at:]


def other(engine: Engine) -> Step:
    """Return a step for bzip2, LZMA and the like; the engine keeps the input left over."""

    def step(data: bytes, most: int) -> tuple[bytes, bytes, bool]:
        out = engine.decompress(data, most)
        return out, engine.unused_data if engine.eof else b"", engine.eof

    return step


def too_much(made: int, taken: int, limits: Limits) -> bool:
    """Say whether output has grown beyond ``limits.ratio`` of the input."""
    return made > max(taken * limits.ratio, _HARMLESS)


class Inflated:
    """What came out of one compressed stream.

    Attributes:
        stream: The output; in memory while small.
        size: Bytes that came out.
        consumed: Bytes that went in.
        complete: True where the end marker was reached.
        error: What the decompressor objected to, or None.
        bomb: True where it was stopped because it grew beyond ``limits.ratio``.
    """

    def __init__(self) -> None:
        import tempfile  # noqa: PLC0415 - slow to load, and only needed where something is packed

        self.stream = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=SPOOL))  # noqa: SIM115 - lives on
        self.size = 0
        self.consumed = 0
        self.complete = False
        self.error: str | None = None
        self.bomb = False


def inflate(  # noqa: PLR0917 - the two options come last
    source: Iterator[bytes],
    step: Step,
    limits: Limits,
    clock: Clock,
    watch: Callable[[bytes], object] = lambda _data: None,
    into: Inflated | None = None,
) -> Inflated:
    """Decompress within the limits; what came out before an error is kept.

    Args:
        source: Compressed bytes.
        step: The method.
        limits: ``inflated_bytes`` is shared by all members of the file; ``ratio``.
        clock: Of the file.
        watch: Told of every piece of output, for a checksum.
        into: What an earlier stream of the same file came to; the output is appended.

    Raises:
        LimitReached: ``inflated_bytes`` or ``file_seconds``.
    """
    out = Inflated() if into is None else into
    out.complete = False
    try:
        _run(out, source, step, limits, clock, watch)
    except LimitReached:
        out.stream.close()
        raise
    return out


def _run(  # noqa: PLR0917 - as above
    out: Inflated,
    source: Iterator[bytes],
    step: Step,
    limits: Limits,
    clock: Clock,
    watch: Callable[[bytes], object],
) -> None:
    for data in source:
        pending = data
        while True:
            clock.check()
            try:
                produced, pending, ended = step(pending, CHUNK)
            except ERRORS as error:
                out.error = str(error) or type(error).__name__
                return
            clock.spend("inflated_bytes", len(produced), limits.inflated_bytes)
            out.stream.write(produced)
            watch(produced)
            out.size += len(produced)
            if ended:
                out.consumed += len(data) - len(pending)
                out.complete = True
                return
            if too_much(out.size, out.consumed + len(data), limits):
                out.bomb = True
                return
            if not pending and len(produced) < CHUNK:
                break
        out.consumed += len(data)
