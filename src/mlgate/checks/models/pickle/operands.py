"""Regular expressions of operands that nobody need look at, their values, and the memo of their runs."""

import re
import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from mlgate.checks.models.pickle import nested
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.values import KEEP, Dict

# Up to so many bytes nothing is looked for in a text; up to so many more it cannot be in digits.
SHORT, LONGEST = 8, 19
_BIG_MEMO = 1 << 24
_CONSTANTS = {0x4E: None, 0x88: True, 0x89: False}


class Entry(Struct, frozen=True):
    """One of the memo entries of a turn, in all turns of a run.

    Attributes:
        like: A value of its type, and if it is a result, of its maker.
        values: Makes those of the turns.
        offsets: Where they are texts, of their opcodes in the file: what a condensed memo keeps.
    """

    like: Any
    values: Callable[[], Sequence[Any]]
    offsets: Sequence[int] | None


class _Scalars(dict[bytes, Any]):
    def __missing__(self, token: bytes) -> Any:
        opcode = token[0]
        value: Any
        if opcode == 0x47:  # BINFLOAT
            value = struct.unpack(">d", token[1:])[0]
        elif opcode in _CONSTANTS:
            value = _CONSTANTS[opcode]
        else:
            value = int.from_bytes(token[1:], "little", signed=opcode == 0x4A)
        self[token] = value
        return value


def scalars(tokens: Sequence[bytes]) -> list[Any]:
    """Return the values of opcodes that stand for a number, None, True or False."""
    return list(map(_Scalars().__getitem__, tokens))


def texts(tokens: Sequence[bytes]) -> list[str]:
    """Return the texts of opcodes that :func:`short_text` matches.

    Raises:
        UnicodeDecodeError: One of them is none, or is with lone surrogates only.
    """
    head = 2 if tokens and tokens[0][0] == 0x8C else 5
    return [token[head:].decode() for token in tokens]


def consecutive(operands: Sequence[bytes], first: int) -> bool:
    """Say whether the operands of LONG_BINPUT count on from an index, one by one, and not too far."""
    last = first + len(operands)
    return last <= _BIG_MEMO and b"".join(operands) == struct.pack(f"<{len(operands)}I", *range(first, last))


def entries(memo: Memo) -> int:
    """Return the index that the next entry of a memo without holes has."""
    return len(memo.early) + (0 if memo.late is None else len(memo.late))


def remember(memo: Memo, put: Sequence[Entry], count: int) -> None:
    """Write memo entries, turn by turn, as MEMOIZE would.

    Args:
        memo: Without holes.
        put: The entries of a turn, in order; none of them is a dtype.
        count: Of turns.
    """
    width = len(put)
    if memo.late is None:
        values: list[Any] = [None] * (width * count)
        for place, entry in enumerate(put):
            values[place::width] = entry.values()
        memo.early.extend(values)
        return
    codes = array("Q", bytes(8 * width * count))
    for place, entry in enumerate(put):
        if entry.offsets is not None:
            codes[place::width] = array("Q", [offset << 1 for offset in entry.offsets])
    others = [(place, entry) for place, entry in enumerate(put) if entry.offsets is None]
    turn = 0
    if others and not memo.full:
        columns = [(place, entry.values()) for place, entry in others]
        while turn < count and not memo.full:
            for place, column in columns:
                codes[turn * width + place] = memo.code(column[turn])
            turn += 1
    if turn < count:
        for place, entry in others:
            codes[turn * width + place :: width] = array("Q", [memo.code(entry.like)]) * (count - turn)
    memo.late.extend(codes)


def needed(buffer: bytes, position: int, stack: Sequence[Any], marks: Sequence[Sequence[Any]]) -> int | None:
    """Say how many values anybody can see that are put on a stack before ``position``; None for all.

    Where the next opcode hands them to a list or a dict, that is as many as it keeps.
    """
    opcode = buffer[position]
    kind = list if opcode == 0x65 else Dict if opcode == 0x75 else None  # APPENDS, SETITEMS
    if kind is None or not marks or not marks[-1] or type(marks[-1][-1]) is not kind:
        return None
    return max(KEEP - len(stack), 0)


@cache
def short_text(opcode: int, longest: int = LONGEST) -> bytes:
    """Return the expression of a short text of which it is plain that it holds no pickle.

    Args:
        opcode: SHORT_BINUNICODE or BINUNICODE.
        longest: In bytes.
    """
    plain = "".join(nested.PLAIN_STARTS).encode("latin-1")
    # What begins as a pickle does is looked at by itself; of those beyond ASCII, the first byte tells.
    choices = []
    for size in range(longest + 1):
        head = re.escape(bytes([size]) if opcode == 0x8C else struct.pack("<I", size))
        starts = b"" if size <= SHORT else rb"\xc2\xc3" + _escaped(each for each in plain if each < 0x80)
        if size >= nested.SHORTEST_CODED:
            starts += _escaped("".join(nested.CODED_STARTS).encode())
        first = b"[^%b].{%d}" % (starts, size - 1) if starts else b".{%d}" % size
        choices.append(head + (first if size else b""))
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
