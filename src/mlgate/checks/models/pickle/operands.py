"""Regular expressions of operands that nobody need look at, and what their runs leave behind."""

import re
import struct
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from mlgate.checks.models.pickle import nested
from mlgate.checks.models.pickle.memo import Memo

# Up to so many bytes nothing is looked for in a text; up to so many more it cannot be in digits.
SHORT, LONGEST = 8, 19
_BIG_MEMO = 1 << 24


def whole_texts(tokens: Sequence[bytes]) -> list[bytes] | None:
    """Return the texts of tokens that :func:`short_text` matches, or None where one of them is no text."""
    head = 2 if tokens[0][0] == 0x8C else 5
    texts = [token[head:] for token in tokens]
    try:
        # None of them begins within a character: then all are texts, where all together are.
        b"".join(texts).decode()
    except UnicodeDecodeError:
        return None
    return texts


def consecutive(operands: Sequence[bytes], first: int) -> bool:
    """Say whether the operands of LONG_BINPUT count on from an index, one by one, and not too far."""
    last = first + len(operands)
    return last <= _BIG_MEMO and b"".join(operands) == struct.pack(f"<{len(operands)}I", *range(first, last))


def entries(memo: Memo) -> int:
    """Return the index that the next entry of a memo without holes has."""
    return len(memo.early) + (0 if memo.late is None else len(memo.late))


def remember(memo: Memo, columns: Sequence[Any], count: int) -> None:
    """Write memo entries, turn by turn.

    Args:
        memo: Without holes.
        columns: For each entry of a turn a value, the same in all turns, or texts with their offsets,
            one for each turn: a :class:`Texts`.
        count: Of turns.
    """
    width = len(columns)
    if memo.late is None:
        values: list[Any] = [None] * (width * count)
        for place, column in enumerate(columns):
            texts = type(column) is Texts
            values[place::width] = [each.decode() for each in column.texts] if texts else [column] * count
        memo.early.extend(values)
        return
    codes = array("Q", bytes(8 * width * count))
    for place, column in enumerate(columns):
        if type(column) is Texts:
            codes[place::width] = array("Q", [offset << 1 for offset in column.offsets])
        else:
            codes[place::width] = array("Q", [memo.code(column)]) * count
    memo.late.extend(codes)


class Texts:
    """Texts of a run, by turns.

    Attributes:
        texts: Their bytes.
        offsets: Of their opcodes, in the file.
    """

    __slots__ = ("offsets", "texts")

    def __init__(self, texts: Sequence[bytes], offsets: Iterable[int]) -> None:
        self.texts, self.offsets = texts, offsets


@cache
def short_text(opcode: int, longest: int = LONGEST) -> bytes:
    """Return the expression of a short text of which it is plain that it holds no pickle.

    Args:
        opcode: SHORT_BINUNICODE or BINUNICODE.
        longest: In bytes.
    """
    plain = "".join(nested.PLAIN_STARTS).encode("latin-1")
    # No text begins within a character; what begins as a pickle does is looked at by itself.
    choices = []
    for size in range(longest + 1):
        head = re.escape(bytes([size]) if opcode == 0x8C else struct.pack("<I", size))
        starts = b"" if size <= SHORT else rb"\xc2\xc3" + _escaped(each for each in plain if each < 0x80)
        if size >= nested.SHORTEST_CODED:
            starts += _escaped("".join(nested.CODED_STARTS).encode())
        choices.append(head + (rb"[^\x80-\xbf%b].{%d}" % (starts, size - 1) if size else b""))
    return re.escape(bytes([opcode])) + b"(?:" + b"|".join(choices) + b")"


@cache
def short_bytes() -> bytes:
    """Return the expression of a few bytes of which it is plain that they hold no pickle."""
    starts = _escaped("".join(nested.PLAIN_STARTS).encode("latin-1") + nested.OTHER_STARTS)
    choices = [re.escape(bytes([size])) + b".{%d}" % size for size in range(SHORT + 1)]
    choices += [
        re.escape(bytes([size])) + rb"[^\n\x93" + starts + rb"][^\n\x93]{%d}" % (size - 1)
        for size in range(SHORT + 1, LONGEST + 1)
    ]
    return b"C(?:" + b"|".join(choices) + b")"


def _escaped(data: Iterable[int]) -> bytes:
    return b"".join(re.escape(bytes([each])) for each in data)
