"""The data of one folder of a 7z archive, unpacked piece by piece."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from msgspec import Struct

from mlgate.checks.models.containers._7z_header import Coder, Folder, Malformed
from mlgate.checks.models.containers._compressed import MEMORY
from mlgate.checks.models.containers._zstd import MISSING, Missing, decompressor
from mlgate.checks.models.inflate import ERRORS, SPOOL, Step, deflated, other, too_much
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.checks.models.stream import CHUNK, chunks
from mlgate.core.limits import Limits

_LZMA, _LZMA2, _DELTA = b"\x03\x01\x01", b"\x21", b"\x03"
_AES = b"\x06\xf1\x07\x01"
_ZSTD = b"\x04\xf7\x11\x01"
_NEXT = "pack it again with LZMA2, or not at all"
_NAMES = {
    b"\x03\x04\x01": "PPMd",
    b"\x03\x03\x01\x1b": "BCJ2",
    b"\x04\x01\x09": "Deflate64",
    b"\x04\xf7\x11\x02": "Brotli",
    b"\x04\xf7\x11\x04": "LZ4",
    b"\x04\xf7\x11\x05": "Lizard",
}
# What liblzma can undo: the ids of 7-Zip for its branch filters, old and new.
_BRANCHES = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x06": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x07": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
    b"\x09": lzma.FILTER_SPARC,
}


class Unsupported(Exception):  # noqa: N818 - an answer, not an error
    """The folder is packed in a way that cannot be undone here.

    Args:
        reason: As of a "not checked".
        what: What stands in the way.
    """

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason
        self.what = what


class Part(Struct, frozen=True):
    """A part of what a folder unpacks to.

    Attributes:
        stream: Its bytes.
        size: How many there are.
        crc: Of those.
        problem: None, ``bomb``, ``truncated`` or ``damaged``.
    """

    stream: BinaryIO
    size: int
    crc: int
    problem: str | None


class _Stopped(Exception):  # noqa: N818 - an answer, not an error
    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _undo(folder: Folder) -> Step:
    """Return what undoes a folder's packing.

    Raises:
        Unsupported: See there.
        Malformed: The coders are not joined to one chain.
    """
    chain = _chain(folder)
    for coder in chain:
        if coder.method == _AES:
            raise Unsupported("encrypted", "it is encrypted; a gate cannot look into it")
        if coder.method in _NAMES:
            raise Unsupported("unsupported-format", f"it is packed by {_NAMES[coder.method]}; {_NEXT}")
    chain = [coder for coder in chain if coder.method != b"\x00"]
    if not chain:
        return _copy
    if len(chain) == 1 and chain[0].method in _SINGLE:
        return _SINGLE[chain[0].method]()
    settings = [_filter(coder, folder.size) for coder in chain]
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=settings)
    except (lzma.LZMAError, ValueError) as error:
        raise Unsupported(
            "unsupported-format", f"its coders cannot be undone in this order; {_NEXT}"
        ) from error
    return other(engine)


def _chain(folder: Folder) -> list[Coder]:
    """Return the coders from the content to the packed data."""
    if any(each.inputs != 1 or each.outputs != 1 for each in folder.coders):
        names = [_NAMES[each.method] for each in folder.coders if each.method in _NAMES]
        raise Unsupported("unsupported-format", f"it is packed by {(*names, 'several streams')[0]}; {_NEXT}")
    taken = set(folder.pairs.values())
    last = [at for at in range(len(folder.coders)) if at not in taken]
    chain: list[Coder] = []
    at = last[0] if last else len(folder.coders)
    while len(chain) < len(folder.coders):
        if at >= len(folder.coders):
            raise Malformed("the coders of a folder are not joined")
        chain.append(folder.coders[at])
        if at not in folder.pairs:
            break
        at = folder.pairs[at]
    if len(chain) != len(folder.coders) or folder.packed != [at]:
        raise Malformed("the coders of a folder are not joined")
    return chain


def _copy(data: bytes, most: int) -> tuple[bytes, bytes, bool]:
    return data[:most], data[most:], False


def _zstd() -> Step:
    try:
        return decompressor()
    except Missing as error:
        raise Unsupported("unsupported-format", MISSING) from error


_SINGLE: dict[bytes, Callable[[], Step]] = {
    b"\x04\x01\x08": lambda: deflated(-15),
    b"\x04\x02\x02": lambda: other(bz2.BZ2Decompressor()),
    _ZSTD: _zstd,
}


def _filter(coder: Coder, size: int) -> dict[str, Any]:
    properties = coder.properties
    if coder.method == _LZMA and len(properties) >= 5 and properties[0] < 225:
        dictionary = int.from_bytes(properties[1:5], "little")
        packed = properties[0]
        settings = {"id": lzma.FILTER_LZMA1, "lc": packed % 9, "lp": packed // 9 % 5, "pb": packed // 45}
    elif coder.method == _LZMA2 and len(properties) >= 1 and properties[0] <= 40:
        dictionary = (2 | properties[0] & 1) << properties[0] // 2 + 11 if properties[0] < 40 else 2**32 - 1
        settings = {"id": lzma.FILTER_LZMA2}
    elif coder.method == _DELTA and properties:
        return {"id": lzma.FILTER_DELTA, "dist": properties[0] + 1}
    elif coder.method in _BRANCHES:
        return {"id": _BRANCHES[coder.method]}
    else:
        raise Unsupported("unsupported-format", f"it is packed by method {coder.method.hex()}; {_NEXT}")
    # No match reaches back further than to the start.
    dictionary = max(min(dictionary, size), 4096)
    if dictionary > MEMORY:
        raise Unsupported("limit", f"its dictionary needs too much memory; {_NEXT}")
    return {**settings, "dict_size": dictionary}


class Unpacked:
    """What a folder unpacks to, taken part by part.

    Args:
        stream: The archive.
        place: Offset of the packed data.
        packed: Its bytes.
        folder: How it is packed.
        limits: ``inflated_bytes`` and ``ratio``.
        clock: Of the file.

    Raises:
        Unsupported: It cannot be undone.
        Malformed: It is packed in no sensible way.
    """

    def __init__(  # noqa: PLR0917 - the packed data, and what it may cost
        self, stream: BinaryIO, place: int, packed: int, folder: Folder, limits: Limits, clock: Clock
    ) -> None:
        self._step = _undo(folder)
        self._source: Iterator[bytes] = chunks(stream, place, packed, 1 << 16)
        self._pending = b""
        self._consumed = self._made = 0
        self._ended = False
        self._limits = limits
        self._clock = clock

    def part(self, size: int) -> Part:
        """Return the next ``size`` bytes. Behind a part with a problem there are no more.

        Raises:
            LimitReached: ``inflated_bytes``.
        """
        import tempfile  # noqa: PLC0415 - slow to load, and only needed where something is packed

        out = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=SPOOL))  # noqa: SIM115 - lives on
        made = crc = 0
        problem = None
        try:
            while made < size:
                piece = self._more(min(size - made, CHUNK))
                crc = zlib.crc32(piece, crc)
                out.write(piece)
                made += len(piece)
        except _Stopped as stop:
            problem = stop.problem
        except LimitReached:
            out.close()
            raise
        return Part(stream=out, size=made, crc=crc, problem=problem)

    def _more(self, most: int) -> bytes:
        while not self._ended:
            self._clock.check()
            before = len(self._pending)
            try:
                out, self._pending, self._ended = self._step(self._pending, most)
            except ERRORS as error:
                raise _Stopped("damaged") from error
            self._made += len(out)
            self._clock.spend("inflated_bytes", len(out), self._limits.inflated_bytes)
            if too_much(self._made, self._consumed, self._limits):
                raise _Stopped("bomb")
            if out:
                return out
            if not self._pending:
                self._pending = next(self._source, b"")
                self._consumed += len(self._pending)
            if not self._pending or len(self._pending) == before:
                break
        raise _Stopped("truncated")
