"""Runs of short texts, each with its memo entry, and with a number behind it or none.

Vocabularies, and the names of columns and weights, are lists and dicts of such texts by the hundred
thousand. A run of them is matched at once. What stands within it and begins as a pickle could, is no
text, or has another memo index than the next, ends it. Of a run the stack keeps the first texts and the
last: the others may be any.
"""

import re
from functools import cache
from typing import Any

from mlgate.checks.models.pickle.idioms import Place, Run
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.operands import (
    Texts,
    consecutive,
    entries,
    remember,
    short_text,
    whole_texts,
)
from mlgate.checks.models.pickle.values import KEEP, NUMBER, UNKNOWN

# Longest text in a run, in bytes; fewest texts of one.
_LONGEST = 40
_FEWEST = 24
_LAST = 8
_NUMBER = rb"(?:K.|M..|J....|G.{8})"


def run(place: Place, memo: Memo, stack: list[Any]) -> Run:
    """Take a run of texts, if there is one.

    Args:
        place: Where it would start: ``end``.
        memo: Written to; without holes.
        stack: Gets what the run leaves.

    Returns:
        Where it ends, and how many texts were taken: none, where it is too short or not what it seems.
    """
    buffer, start = place.buffer, place.end
    first = _item().match(buffer, start, place.soft)
    if first is None:
        return Run(start + 1)
    put, number = (first[2] or b"")[:1], first[3] is not None
    one, many = _expressions(buffer[start], put, number)
    found = many.match(buffer, start, place.soft)
    if found is None:
        return Run(start + 1)
    turns = list(one.finditer(buffer, start, found.end()))
    count = len(turns)
    texts = whole_texts([turn[1] for turn in turns]) if count >= _FEWEST else None
    if texts is None or (put == b"r" and not consecutive([turn[2] for turn in turns], entries(memo))):
        return Run(found.end())
    if put:
        remember(memo, [Texts(texts, [place.base + turn.start(1) for turn in turns])], count)
    values: list[Any] = [UNKNOWN] * count
    values[:KEEP] = [text.decode() for text in texts[:KEEP]]
    values[-_LAST:] = [text.decode() for text in texts[-_LAST:]]
    if number:
        pairs: list[Any] = [NUMBER] * (2 * count)
        pairs[::2] = values
        values = pairs
    stack += values
    return Run(found.end(), count, count * (1 + bool(put) + number))


@cache
def _item() -> re.Pattern[bytes]:
    texts = b"%b|%b" % (short_text(0x8C, _LONGEST), short_text(0x58, _LONGEST))
    return re.compile(b"(%b)(\x94|r....)?(%b)?" % (texts, _NUMBER), re.DOTALL)


@cache
def _expressions(opcode: int, put: bytes, number: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:  # noqa: FBT001 - a key of the cache
    source = b"(%b)" % short_text(opcode, _LONGEST)
    source += {b"": b"()", b"r": b"r(....)", b"\x94": b"(\x94)"}[put]
    # Without a number the next opcode is a text again, or ends the run.
    source += _NUMBER if number else b""
    return re.compile(source, re.DOTALL), re.compile(b"(?:%b)++" % source, re.DOTALL)
