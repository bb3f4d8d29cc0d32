"""Calls that come again and again in the same few opcodes, taken in one go.

A list of a million dates is one idiom a million times: a name from the memo, a text or some bytes, a
tuple, a call, and memo entries in between. Once a call has come twice with nothing but such opcodes in
between, the bytes between the two are made into a regular expression in which only operands vary that
nobody looks at (:mod:`~mlgate.checks.models.pickle.turns`), and the longest run of it is taken at once.

Nothing is guessed: whatever could make a difference ends the run, and the ordinary loop goes on from
there. That is a text that is no text or begins as a pickle could, a text in a place where texts are
told apart, a memo index that is not the next one, another entry of the memo, another opcode, the end of
a frame or of the window. What a run leaves in the memo and on the stack are the values that its opcodes
would have left.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.operands import Entry, consecutive, entries, needed, remember
from mlgate.checks.models.pickle.turns import Idiom, Table, follow
from mlgate.checks.models.pickle.values import UNKNOWN

# An idiom is no longer, in bytes.
_LONGEST = 200
# Expressions that one stream may have compiled: one more for so many opcodes, which take as long to read
# as that takes, and so many at most.
_EACH = 10_000
_MOST = 32
# Bytes that are matched at first; then four times as many, and so on: what ends a run late (an index, a
# text that is none) is not looked for again and again across the whole window.
_FIRST = 2048


class Place(Struct, frozen=True):
    """Where an idiom was seen.

    Attributes:
        buffer: The window.
        start: Where the first of two calls, and the memo entry of its result, ended.
        end: Where the second did.
        soft: End of the frame, or of what may be used of the window.
        base: Offset of the window.
    """

    buffer: bytes
    start: int
    end: int
    soft: int
    base: int


class Run(Struct, frozen=True):
    """How far a run went.

    Attributes:
        end: Where it ends.
        turns: How many it took.
        opcodes: How many these have.
    """

    end: int
    turns: int = 0
    opcodes: int = 0


class Idioms:
    """The idioms of one stream."""

    def __init__(self) -> None:
        self._compiled: dict[bytes, tuple[re.Pattern[bytes], re.Pattern[bytes]]] = {}

    def run(
        self, place: Place, memo: Memo, stack: list[Any], marks: Sequence[Sequence[Any]], executed: int
    ) -> Run:
        """Take as many turns as there are, of the idiom that stands between two calls.

        Args:
            place: Where the two are.
            memo: Written to; without holes.
            stack: Gets the results.
            marks: The frames of the stack below.
            executed: Opcodes of the stream so far.
        """
        end, opcodes = place.end, 0
        if not 0 < end - place.start <= _LONGEST:
            return Run(end)
        idiom = follow(place.buffer, place.start, end, memo)
        expressions = None if idiom is None else self._expressions(idiom.source, executed)
        if idiom is None or expressions is None:
            return Run(end)
        one, many = expressions
        tables = []
        size = _FIRST
        while found := many.match(place.buffer, end, min(end + size, place.soft)):
            batch = list(one.finditer(place.buffer, end, found.end()))
            table = _take(idiom, batch, place.base, memo)
            if table is None:
                break
            tables.append(table)
            end, size = found.end(), size * 4
            opcodes += idiom.opcodes * table.count + _listed(idiom, table)
        seen = needed(place.buffer, end, stack, marks) if end < place.soft else None
        for table in tables:
            count = table.count if seen is None else min(table.count, seen)
            seen = None if seen is None else seen - count
            stack += table.first(idiom.result, count)
            stack += [UNKNOWN] * (table.count - count)
        return Run(end, sum(table.count for table in tables), opcodes)

    def _expressions(
        self, source: bytes, executed: int
    ) -> tuple[re.Pattern[bytes], re.Pattern[bytes]] | None:
        found = self._compiled.get(source)
        if found is None and len(self._compiled) < min(executed // _EACH, _MOST):
            found = re.compile(source, re.DOTALL), re.compile(b"(?:%b)++" % source, re.DOTALL)
            self._compiled[source] = found
        return found


def _take(idiom: Idiom, batch: Sequence[re.Match[bytes]], base: int, memo: Memo) -> Table | None:
    """Execute turns, but for what they leave on the stack, if they are what an expression cannot tell."""
    count = len(batch)
    rows = [turn.groups() for turn in batch]
    indexes = [row[group] for row in rows for group in idiom.indexes]
    if indexes and not consecutive(indexes, entries(memo)):
        return None
    table = Table(idiom.recipes, list(zip(*rows, strict=True)), count)
    try:
        for group in idiom.texts:
            table.texts(group)
    except UnicodeDecodeError:
        return None
    put = []
    for like, column, text in idiom.puts:
        told = text is not None and memo.late is not None
        offsets = [base + turn.start(text + 1) for turn in batch] if told and text is not None else None
        put.append(Entry(like, partial(table.column, column), offsets))
    remember(memo, put, count)
    for event in idiom.events:
        event.count += count
    return table


def _listed(idiom: Idiom, table: Table) -> int:
    """Return the number of opcodes that fill lists: of one number APPEND; of several MARK and APPENDS."""
    tokens = (token for group in idiom.lists for token in table.groups[group])
    return sum(2 if len(token) == 3 else len(token) // 2 + 1 for token in tokens)
