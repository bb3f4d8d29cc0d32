"""A file of R's serialized data: what its objects hold, and what runs when they are used."""

from collections.abc import Iterator

from mlgate.checks.models.formats._r_input import Input, Malformed, Text
from mlgate.checks.models.formats._r_walk import FRAME, PROMISED, Seen, walk
from mlgate.checks.models.formats.r_data import VERSIONS, start
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import read_at
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is code, or leads out of the file.

    Raises:
        Declined: It is no serialization.
        LimitReached: It is too large or nested too deep.
    """
    place = start(blob.head)
    source = _input(blob, place, clock)
    found: dict[tuple[str, str, bool, bool], list[int]] = {}
    problem: Malformed | LimitReached | None = None
    try:
        version = source.integer()
        source.integer()
        source.integer()
        if version not in VERSIONS:
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


def _input(blob: Blob, place: int, clock: Clock) -> Input:
    mark = blob.head[place : place + 1]
    if mark == b"A":
        return Text(blob.stream, blob.size, place + 2, clock)
    return Input(blob.stream, blob.size, place + 2, clock, "big" if mark == b"X" else "little")


def _kind(seen: Seen) -> tuple[str, str, bool, bool]:
    return seen.what, seen.name, bool(seen.where & FRAME), bool(seen.where & PROMISED)
