"""Search content of no known format for pickles and executables at plausible places."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from msgspec.structs import replace

from mlgate.checks.models.executable import MAGICS, executable
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined, Reader
from mlgate.checks.models.stream import CHUNK, read_at, window
from mlgate.core.facts import Fact, Location, NotChecked
from mlgate.core.limits import Limits

# Longer than anything that a candidate is known by.
_OVERLAP = 256
# A trial in noise ends within a few opcodes; one that goes on is worth its own message.
_TRIAL = 20_000
_FACTS = 500
_ACTS = frozenset({"pickle.call", "pickle.instance", "pickle.mutation"})


def search(
    blob: Blob, unpickler: Reader | None, limits: Limits, clock: Clock
) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is embedded in a blob that no reader claims.

    Only what proves itself counts: an executable by its structure, a pickle by a name
    that it imports (or, without a protocol header, calls).

    Args:
        blob: Bytes of no known format.
        unpickler: The pickle reader.
        limits: ``search_bytes`` bounds the search, half from each end.
        clock: Of the file.

    Raises:
        LimitReached: Too many candidates, or too much time.
    """
    for offset, kind in _candidates(blob, limits, clock):
        clock.spend("members", 1, limits.members)
        if kind == "executable":
            name = executable(blob.stream, offset, blob.size - offset)
            if name is not None:
                yield blob.fact("payload.executable", name, offset=offset, container=blob.container)
        elif unpickler is not None:
            yield from _trial(blob, offset, unpickler, limits, clock, strict=kind == "call")


def _candidates(blob: Blob, limits: Limits, clock: Clock) -> Iterator[tuple[int, str]]:
    half = limits.search_bytes // 2
    spans = [(0, blob.size)] if blob.size <= 2 * half else [(0, half), (blob.size - half, blob.size)]
    for start, end in spans:
        place = start
        while place < end:
            clock.check()
            data = read_at(blob.stream, place, min(CHUNK + _OVERLAP, end - place))
            if not data:
                break
            # What starts in the overlap is found again in the next chunk.
            yield from ((place + at, kind) for at, kind in _in_chunk(data) if at < CHUNK)
            place += CHUNK


def _in_chunk(data: bytes) -> Iterator[tuple[int, str]]:
    pickles, calls, before, executables = _patterns()
    for match in pickles.finditer(data):
        yield match.start(), "pickle"
    for match in calls.finditer(data):
        line = before.search(data, max(match.start() - 101, 0), match.start())
        if line is not None:
            yield line.start(), "call"
    for match in executables.finditer(data):
        yield match.start(), "executable"


@cache
def _patterns() -> tuple[re.Pattern[bytes], ...]:
    # Two letters are too common: the header that they begin says where another is, not far behind.
    native = b"|".join(re.escape(magic) for magic in MAGICS if magic != b"MZ")
    return (
        # A protocol header, and an opcode that can come first.
        re.compile(rb"\x80[\x02-\x05](?=[\x95(\]})NcKMJGXUTSVILFiBC\x80\x82-\x8f\x96])"),
        # The end of `c<module>\n<name>\n` with the beginning of arguments behind it.
        re.compile(rb"\n(?=[A-Za-z_][A-Za-z0-9_.]{0,99}\n(?:[()\x8c\x94XU]|S['\"]))"),
        re.compile(rb"c[A-Za-z_][A-Za-z0-9_.]{0,99}\Z"),
        re.compile(native + rb"|MZ(?=[\s\S]{60}\0\0)"),
    )


def _trial(
    blob: Blob, offset: int, unpickler: Reader, limits: Limits, clock: Clock, *, strict: bool
) -> Iterator[Fact | NotChecked | Blob]:
    size = blob.size - offset
    stream = window(blob.stream, offset, size)
    part = replace(blob, stream=stream, size=size, head=read_at(stream, 0, min(HEAD, size)), tentative=True)
    brief = replace(limits, opcodes=min(limits.opcodes, _TRIAL))
    seen: list[Fact | NotChecked | Blob] = []
    try:
        seen += islice(unpickler.read(part, brief, clock), _FACTS)
    except Declined:
        return
    if any(isinstance(item, Fact) and convinces(item, strict=strict) for item in seen):
        yield from (_shifted(item, offset) for item in seen if not _names_format(item))


def convinces(fact: Fact, *, strict: bool) -> bool:
    """Say whether a fact shows that bytes are a pickle and no noise.

    Args:
        fact: A fact of the pickle reader.
        strict: True where no protocol header speaks for it: then only an act counts.
    """
    if not fact.detail.get("plausible", True) or not _name().fullmatch(fact.subject):
        return False
    return fact.kind in _ACTS or (fact.kind == "pickle.import" and not strict)


@cache
def _name() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_][\w.]*\.[\w.]+")


def _names_format(item: Fact | NotChecked | Blob) -> bool:
    return isinstance(item, Fact) and item.kind == "core.format"


def _shifted(item: Fact | NotChecked | Blob, offset: int) -> Fact | NotChecked | Blob:
    place = item.location
    if isinstance(item, Blob) or place.offset is None:
        return item
    moved = Location(path=place.path, member=place.member, line=place.line, offset=place.offset + offset)
    return replace(item, location=moved)
