"""Runs of short texts, each with its memo entry, and with a number behind it or none.

Vocabularies, and the names of columns and weights, are lists and dicts of such texts by the hundred
thousand. A run of them is matched at once. What stands within it and begins as a pickle could, is no
text, or has another memo index than the next, ends it.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle.idioms import Place, Run
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.operands import (
    Entry,
    consecutive,
    entries,
    needed,
    remember,
    scalars,
    short_text,
    texts,
)
from mlgate.checks.models.pickle.values import UNKNOWN

# Longest text in a run, in bytes; fewest texts of one.
_LONGEST = 40
_FEWEST = 24
# Memo entries as picklers write them behind each kind of text: others are kept in another way.
_PUTS = {0x8C: b"\x94", 0x58: b"r"}


def run(place: Place, memo: Memo, stack: list[Any], marks: Sequence[Sequence[Any]]) -> Run:
    """Take a run of texts, if there is one.

    Args:
        place: Where it would start: ``end``.
        memo: Written to; without holes.
        stack: Gets what the run leaves.
        marks: The frames of the stack below.

    Returns:
        Where it ends, and how many texts were taken: none, where it is too short or not what it seems.
    """
    buffer, start = place.buffer, place.end
    first = _item().match(buffer, start, place.soft)
    if first is None:
        return Run(start + 1)
    put, number = (first[2] or b"")[:1], first[3] is not None
    if put and put != _PUTS[buffer[start]]:
        return Run(first.end())
    one, many = _expressions(buffer[start], put, number)
    found = many.match(buffer, start, place.soft)
    if found is None:
        return Run(start + 1)
    turns = list(one.finditer(buffer, start, found.end()))
    count = len(turns)
    if count < _FEWEST or (put == b"r" and not consecutive([turn[2] for turn in turns], entries(memo))):
        return Run(found.end())
    try:
        words: list[Any] = texts([turn[1] for turn in turns])
    except UnicodeDecodeError:
        return Run(found.end())
    if put:
        offsets = None if memo.late is None else [place.base + turn.start(1) for turn in turns]
        remember(memo, [Entry("", lambda: words, offsets)], count)
    seen = needed(buffer, found.end(), stack, marks) if found.end() < place.soft else None
    if seen is None:
        seen = count
    elif seen < count:
        words = [*words[:seen], *[UNKNOWN] * (count - seen)]
    if number:
        pairs: list[Any] = [UNKNOWN] * (2 * count)
        pairs[::2] = words
        pairs[1 : 2 * seen : 2] = scalars([turn[3] for turn in turns[:seen]])
        words = pairs
    stack += words
    return Run(found.end(), count, count * (1 + bool(put) + number))


@cache
def _item() -> re.Pattern[bytes]:
    either = b"%b|%b" % (short_text(0x8C, _LONGEST), short_text(0x58, _LONGEST))
    return re.compile(b"(%b)(\x94|r....)?(%b)?" % (either, op.SCALAR), re.DOTALL)


@cache
def _expressions(opcode: int, put: bytes, number: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:  # noqa: FBT001 - a key of the cache
    source = b"(%b)" % short_text(opcode, _LONGEST)
    source += {b"": b"()", b"r": b"r(....)", b"\x94": b"(\x94)"}[put]
    # Without a number the next opcode is a text again, or ends the run; a second number may begin a run
    # of numbers, of which no more is kept than that.
    source += rb"(%b)(?![KMJGN\x88\x89])" % op.SCALAR if number else b""
    return re.compile(source, re.DOTALL), re.compile(b"(?:%b)++" % source, re.DOTALL)
