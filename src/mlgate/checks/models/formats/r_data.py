"""R's serialized data: `.rds`, and `.rda` or `.RData`, once unpacked."""

from collections.abc import Iterator

from mlgate.checks.models.formats._r_input import Input, Malformed, Text
from mlgate.checks.models.formats._r_walk import FRAME, PROMISED, Seen, walk
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "r-data"
KIND = "model"
ORDER = 20

_SAVED = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")
_VERSIONS = (2, 3)
# R 1.4.0, which wrote version 2 first.
_OLDEST_WRITER = 0x010400


def sniff(blob: Blob) -> bool:
    """Look for the mark of an encoding and a version of the format."""
    place = _start(blob.head)
    head = blob.head[place:]
    if head.startswith(b"A\n"):
        words = head[2:100].split(None, 3)
        return len(words) >= 3 and words[0] in (b"2", b"3") and all(word.isdigit() for word in words[:3])
    order = {b"X\n": "big", b"B\n": "little"}.get(head[:2])
    if order is None or len(head) < 14:
        return False
    version, writer = (int.from_bytes(head[at : at + 4], order) for at in (2, 6))  # type: ignore[arg-type]
    return version in _VERSIONS and writer >> 24 == 0 and writer >= _OLDEST_WRITER


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is code, or leads out of the file.

    Raises:
        Declined: It is no serialization.
        LimitReached: It is too large or nested too deep.
    """
    place = _start(blob.head)
    source = _input(blob, place, clock)
    found: dict[tuple[str, str, bool, bool], list[int]] = {}
    problem: Malformed | LimitReached | None = None
    try:
        version = source.integer()
        source.integer()
        source.integer()
        if version not in _VERSIONS:
            raise Declined
        if version == 3:
            source.string(max(source.integer(), 0))
        for seen in walk(source, limits, clock):
            # Every kind of sight once, with how often: a model of many functions is one fact.
            counted = found.setdefault(_kind(seen), [seen.offset, 0])
            counted[1] += 1
    except (Malformed, LimitReached) as error:
        problem = error
    for (what, name, frame, promised), (offset, count) in found.items():
        yield blob.fact(f"r.{what}", name, offset=offset, count=count, frame=frame, promised=promised)
    if isinstance(problem, LimitReached):
        raise problem
    if problem is not None:
        yield blob.not_checked(
            "malformed",
            f"R's data cannot be followed to its end: {problem}; what came before was looked at. "
            "Fetch the file again",
            offset=problem.at,
        )
    elif read_at(blob.stream, source.offset, min(HEAD, blob.size - source.offset)).strip():
        yield blob.fact("core.unaccounted", "bytes behind R's data", offset=source.offset)


def _start(head: bytes) -> int:
    place = 5 if head.startswith(_SAVED) else 0
    # R takes a line feed that an earlier text has left.
    return place + head.startswith(b"\nA", place)


def _input(blob: Blob, place: int, clock: Clock) -> Input:
    mark = blob.head[place : place + 1]
    if mark == b"A":
        return Text(blob.stream, blob.size, place + 2, clock)
    return Input(blob.stream, blob.size, place + 2, clock, "big" if mark == b"X" else "little")


def _kind(seen: Seen) -> tuple[str, str, bool, bool]:
    return seen.what, seen.name, bool(seen.where & FRAME), bool(seen.where & PROMISED)
