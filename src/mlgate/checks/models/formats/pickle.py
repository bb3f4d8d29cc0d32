"""Pickles of any protocol, joblib files and PyTorch files from before the zip.

What this reader makes of a blob that is not an ordinary pickle, for whoever routes it:

* Empty, or no pickle at all: declined. A file that is *named* like a pickle and that
  nobody reads is for the walk to report; nothing here looks at names.
* A binary pickle (``PROTO`` first) that ends before ``STOP``: read; what it did so far
  stands, and it is "not checked" for the reason ``truncated``.
* A binary pickle that breaks: the same with the reason ``malformed``, unless it breaks at
  once and did nothing, which is declined: such bytes are something else.
* A text pickle (protocols 0 and 1, no header): read where all of it is pickles, or where
  something that Python could import was called before it broke; otherwise declined, since
  ordinary text often starts with a few opcodes.
"""

import binascii
import io
import sys
from collections.abc import Iterator
from typing import BinaryIO

from mlgate.checks.models.pickle import nested as payloads
from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle.nested import Nested
from mlgate.checks.models.pickle.streams import Reading, Stream
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, LimitReached
from mlgate.core.facts import Fact, Location, NotChecked
from mlgate.core.limits import Limits

FORMAT = "pickle"
KIND = "model"
ORDER = 20

# Names that this reader gives to what it hands back.
PAYLOAD = "payload"
# What the pickle itself hands to a loader of PyTorch: content that is no model is "not checked".
LOADED = "payload.pt"
REMAINDER = "remainder"

# A header and less than this before an error is no pickle.
_FEWEST_OPCODES = 8
# What bytes that mean nothing are found to do, now and then.
_BY_CHANCE = frozenset(
    ("extension", "computed-callee", "fill", "amplification", "reader-difference", "persistent-id")
)
# Encoded payloads are decoded up to this size.
_LONGEST_ENCODED = 4 << 20
_LONGEST_LATIN = 64 << 20
# Words of so many letters that begin with the name of a module are no accident.
_LONG_NAME = 8


def sniff(blob: Blob) -> bool:
    """Say whether the first bytes could begin a pickle."""
    head = blob.head
    if len(head) < 2:
        return False
    if head[0] == op.PROTO:
        return head[1] <= op.HIGHEST_PROTOCOL
    return head[0] in op.OPCODES and op.may_begin(head, whole=blob.size <= len(head))


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the pickles do, what could not be read, and payloads that look like pickles.

    Raises:
        Declined: This is no pickle.
        LimitReached: A limit ended the reading; what was yielded stands.
    """
    if blob.size < 2:
        raise Declined
    reading = Reading(blob.stream, blob.size, limits, clock)
    reading.run()
    if not _is_pickle(blob, reading) or (blob.tentative and _is_noise(blob, reading)):
        raise Declined
    yield from _facts(blob, reading)
    yield from _endings(blob, reading)
    for nested in reading.nested:
        yield from _nested(blob, reading, nested)
    if reading.limit is not None:
        raise LimitReached(reading.limit.what)


def _is_pickle(blob: Blob, reading: Reading) -> bool:
    if _is_chance(blob, reading):
        return False
    if reading.limit is not None or reading.acted:
        return True
    if not reading.streams:
        return False
    first, last = reading.streams[0], reading.streams[-1]
    if blob.head[:1] == b"\x80":
        return first.ending != "broken" or bool(reading.imported) or first.opcodes >= _FEWEST_OPCODES
    if first.ending == "stop" and reading.imported:
        return True
    if last.ending == "stop" and reading.trailing is None:
        return True
    # An import alone acts only where the module does something on import; lists of words
    # that begin with "c" import all the time.
    return any(_deliberate(event.detail["module"]) for event in reading.imported)


def _is_chance(blob: Blob, reading: Reading) -> bool:
    """Say whether random bytes read like an import by number, as one file in a thousand does.

    No header, an error or the end before STOP, and nothing but numbers that name imports:
    a process that has not given them a meaning stops at the first of them.
    """
    kinds = {event.kind for event in reading.events}
    return (
        blob.head[:1] != b"\x80"
        and reading.limit is None
        and "extension" in kinds
        and kinds <= _BY_CHANCE
        and all(stream.ending != "stop" for stream in reading.streams)
    )


def _is_noise(blob: Blob, reading: Reading) -> bool:
    """Say whether a payload only begins as a pickle does, as digits and base64 of nothing often do.

    It breaks, or something else follows it, and up to there it imported nothing.
    """
    if blob.container != FORMAT or blob.name != PAYLOAD or reading.limit is not None or reading.imported:
        return False
    return reading.trailing is not None or reading.streams[-1].ending != "stop"


def _deliberate(module: str) -> bool:
    root = module.partition(".")[0]
    known = root in sys.stdlib_module_names or root in ("pip", "setuptools", "numpy", "torch")
    return known and ("." in module or len(module) >= _LONG_NAME)


def _facts(blob: Blob, reading: Reading) -> Iterator[Fact]:
    protocols: dict[int, list[Stream]] = {}
    for stream in reading.streams:
        protocols.setdefault(stream.protocol, []).append(stream)
    for protocol, streams in protocols.items():
        yield blob.fact(
            "pickle.stream", f"protocol {protocol}", offset=streams[0].start, count=len(streams),
            stream=streams[0].start, opcodes=sum(stream.opcodes for stream in streams), legacy=reading.legacy,
        )  # fmt: skip
    if reading.storages:
        yield blob.fact("pickle.storages", "torch", offset=0, stream=0, sizes=dict(reading.storages))
    if blob.container == FORMAT and blob.name == PAYLOAD:
        yield blob.fact(
            "pickle.nested", offset=0, stream=0, acts=reading.acted or bool(reading.imported),
        )  # fmt: skip
    for event in reading.events:
        yield blob.fact(
            f"pickle.{event.kind}", event.subject, offset=event.offset, count=event.count, **event.detail
        )


def _endings(blob: Blob, reading: Reading) -> Iterator[Fact | NotChecked | Blob]:
    last = reading.streams[-1] if reading.streams else None
    if last is not None and last.ending != "stop":
        if reading.acted or reading.imported:
            yield blob.fact(
                "pickle.broken-after-effects", last.ending, offset=last.end, stream=last.start,
                error=last.error, acts=reading.acted,
            )  # fmt: skip
        reason = "truncated" if last.ending == "truncated" else "malformed"
        message = f"This pickle cannot be read to its end ({last.error}); fetch or write the file again."
        if last.ending == "truncated":
            message = (
                f"This pickle is incomplete ({last.error}): what its {blob.size} bytes do was looked at, "
                "what is missing could not be. Fetch it again, and compare its SHA-256 with the publisher's."
            )
        yield blob.not_checked(reason, message, offset=last.end)
        if last.ending == "broken":
            yield from _remainder(blob, reading, last.end)
    elif reading.trailing is not None:
        size = blob.size - reading.trailing
        yield blob.fact("pickle.trailing", offset=reading.trailing, stream=0, size=size)
        yield from _remainder(blob, reading, reading.trailing)


def _remainder(blob: Blob, reading: Reading, offset: int) -> Iterator[Blob]:
    # Not of a remainder in its turn: each would find the next, one byte further on.
    if blob.name != REMAINDER and offset < blob.size:
        size = blob.size - offset
        yield _member(blob, REMAINDER, offset, reading.window.part(offset, size), size)


def _nested(blob: Blob, reading: Reading, nested: Nested) -> Iterator[NotChecked | Blob]:
    data, name = nested.data, LOADED if nested.loaded else PAYLOAD
    if data is None and nested.encoding in ("raw", "compressed"):
        part = reading.window.part(nested.offset, nested.size)
        yield _member(blob, name, nested.offset, part, nested.size)
        return
    if data is None:
        longest = _LONGEST_LATIN if nested.encoding == "latin1" else _LONGEST_ENCODED
        if nested.loaded and nested.size > longest:
            yield blob.not_checked(
                "limit",
                "a long text that the pickle loads as a file was not looked at; "
                "write the file again with pickle protocol 4",
                offset=nested.offset,
            )
        data = reading.window.read(nested.offset, min(nested.size, longest))
    try:
        data = _decoded(data, nested.encoding)
    except (ValueError, binascii.Error):
        return
    yield _member(blob, name, nested.offset, io.BytesIO(data), len(data))


def _decoded(data: bytes, how: str | None) -> bytes:
    """Undo one encoding, and those that show below it."""
    for _ in range(payloads.LEVELS):
        if how in (None, "raw", "compressed"):
            break
        data = payloads.decode(data, how)
        how = payloads.encoding(data[: payloads.HEAD])
    return data


def _member(blob: Blob, name: str, offset: int, stream: BinaryIO, size: int) -> Blob:
    inner = f"{name}@{offset}"
    place = blob.at(None)
    member = inner if place.member is None else f"{place.member}!/{inner}"
    stream.seek(0)
    head = stream.read(HEAD)
    return Blob(
        location=Location(path=place.path, member=member),
        stream=stream,
        size=size,
        head=head,
        name=name,
        depth=blob.depth + 1,
        container=FORMAT,
        # What stands behind a pickle is somebody's: nobody knows whose.
        tentative=blob.tentative if name == REMAINDER else name != LOADED,
    )
