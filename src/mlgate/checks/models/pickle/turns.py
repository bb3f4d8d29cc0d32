"""What lies between two calls, as a regular expression, and how the values of its runs are made.

The opcodes of one turn are followed on a stack of their own. Each value that they make is a column of a
table whose rows are the turns of a run: read from a group of the expression, or made of columns before it.
So a run leaves the same values, in the memo and on the stack, as its opcodes one by one.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import repeat
from typing import Any, TypeAlias

from msgspec import Struct

from mlgate.checks.models.pickle.events import Event
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.operands import LONGEST, scalars, short_bytes, short_text, texts
from mlgate.checks.models.pickle.values import CONTAINERS, KEEP, Global, Made, cut, likeness

# Groups of an expression, texts and bytes among them (which make it long), and scalars in a row: fewer
# than the ordinary loop takes for a run of them.
_GROUPS, _MANY = 24, 4
_SCALARS = 5
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_CONSTANTS: dict[int, Any] = {0x4E: None, 0x88: True, 0x89: False, 0x29: ()}
# Numbers of an array: of a few bytes, in a list.
_LIST = rb"(?:\((?:K.){2,8}e|K.a)"
_LISTED = re.compile(rb"\](\x94|r....)?(%b)" % _LIST, re.DOTALL)

# Makes a column of a table.
Recipe: TypeAlias = Callable[["Table"], Sequence[Any]]


class Idiom(Struct):
    """What one turn does.

    Attributes:
        source: Of its regular expression.
        recipes: Of its columns.
        puts: What is written to the memo, in order: a value like it, its column, and of a text the group
            of its opcode.
        indexes: Groups that hold memo indexes; as many as puts, or none.
        lists: Groups that hold the items of lists.
        texts: Groups that hold texts.
        events: Of its calls.
        result: The column that it leaves on the stack.
        opcodes: Without those of its lists' items.
    """

    source: bytes
    recipes: list[Recipe]
    puts: list[tuple[Any, int, int | None]]
    indexes: list[int]
    lists: list[int]
    texts: list[int]
    events: list[Event]
    result: int
    opcodes: int


class Table:
    """The values of a run of turns, which are made when they are asked for.

    Args:
        recipes: Of its columns.
        groups: Of the expression, each by turns.
        count: Of turns.
    """

    def __init__(self, recipes: Sequence[Recipe], groups: Sequence[Sequence[bytes]], count: int) -> None:
        self.groups, self.count = groups, count
        self._recipes = recipes
        self._made: dict[int, Sequence[Any]] = {}
        self._texts: dict[int, list[str]] = {}

    def texts(self, group: int) -> list[str]:
        """Return the texts that a group holds.

        Raises:
            UnicodeDecodeError: One of them is none.
        """
        made = self._texts.get(group)
        if made is None:
            made = self._texts[group] = texts(self.groups[group])
        return made

    def column(self, number: int) -> Sequence[Any]:
        """Return a column; the same each time."""
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._recipes[number](self)
        return made

    def first(self, number: int, count: int) -> Sequence[Any]:
        """Return the first values of a column, without making the others if no column was made before."""
        if not count:
            return ()
        if self._made or count >= self.count:
            return self.column(number)[:count]
        return Table(self._recipes, [group[:count] for group in self.groups], count).column(number)


class _Value(Struct):
    """A value of the turn that is followed.

    Attributes:
        shown: Itself, but that numbers and results are any of their type or maker.
        column: Its column.
        part: Of a text, which part of the expression it is.
        group: Of a text, its group.
        token: Of a text, its opcode.
        items: Of a tuple.
    """

    shown: Any
    column: int
    part: int = -1
    group: int | None = None
    token: bytes = b""
    items: list[Any] = []


def follow(buffer: bytes, start: int, end: int, memo: Memo) -> Idiom | None:
    """Return what the opcodes between two offsets do, or None where they do anything that idioms do not.

    Args:
        buffer: The window.
        start: Where the first of two calls, and the memo entry of its result, ended.
        end: Where the second did.
        memo: As it is now.
    """
    turn = _Turn(buffer, start, end, memo)
    try:
        return turn.idiom()
    except (KeyError, UnicodeDecodeError):
        # An entry that is none, a text that is none.
        return None


class _Turn:
    def __init__(self, buffer: bytes, start: int, end: int, memo: Memo) -> None:
        self._buffer, self._at, self._end, self._memo = buffer, start, end, memo
        self._parts: list[bytes] = []
        self._groups = self._operands = self._row = self._opcodes = 0
        self._recipes: list[Recipe] = []
        self._puts: list[tuple[Any, int, int | None]] = []
        self._indexes: list[int] = []
        self._lists: list[int] = []
        self._texts: list[int] = []
        self._events: list[Event] = []
        self._stack: list[_Value] = []
        self._marks: list[int] = []

    def idiom(self) -> Idiom | None:
        while self._at < self._end:
            self._opcodes += 1
            row, self._row = self._row, 0
            if not self._step(self._buffer[self._at], row):
                return None
        if len(self._stack) != 1 or self._marks or self._at != self._end or not self._events:
            return None
        if type(self._stack[0].shown) is not Made or self._groups > _GROUPS or self._operands > _MANY:
            return None
        if self._indexes and len(self._indexes) != len(self._puts):
            # LONG_BINPUT may write what MEMOIZE wrote already.
            return None
        return Idiom(
            b"".join(self._parts), self._recipes, self._puts, self._indexes, self._lists, self._texts,
            self._events, self._stack[0].column, self._opcodes,
        )  # fmt: skip

    def _step(self, opcode: int, row: int) -> bool:
        """Follow one opcode, behind so many scalars in a row; say whether idioms may have it."""
        self._operands += opcode in (0x8C, 0x58, 0x43)
        if opcode in (0x8C, 0x58):  # SHORT_BINUNICODE, BINUNICODE
            return self._text(opcode)
        if opcode in (0x94, 0x72):  # MEMOIZE, LONG_BINPUT
            return self._put(opcode)
        if opcode in (0x68, 0x6A):  # BINGET, LONG_BINGET
            return self._get(2 if opcode == 0x68 else 5)
        if opcode in _TUPLES:
            return self._base() + _TUPLES[opcode] <= len(self._stack) and self._tuple(_TUPLES[opcode])
        if opcode == 0x28:  # MARK
            self._marks.append(len(self._stack))
            return self._take(rb"\(", 1)
        if opcode == 0x74:  # TUPLE
            return bool(self._marks) and self._tuple(len(self._stack) - self._marks.pop())
        if opcode == 0x52:  # REDUCE
            return self._base() + 2 <= len(self._stack) and self._call()
        if opcode == 0x43:  # SHORT_BINBYTES
            found = _token(opcode).match(self._buffer, self._at, self._end)
            if found is None:
                return False
            group = self._group(short_bytes(), found.end() - self._at)
            return self._push(b"", lambda table: [token[2:] for token in table.groups[group]])
        if opcode == 0x5D:  # EMPTY_LIST
            return self._list()
        return self._scalar(opcode, row)

    def _base(self) -> int:
        return self._marks[-1] if self._marks else 0

    def _scalar(self, opcode: int, row: int) -> bool:
        """Follow a number or a constant."""
        size = {0x4B: 2, 0x4D: 3, 0x4A: 5, 0x47: 9}.get(opcode, 1)
        self._row = row + (opcode != 0x29)
        if self._row > _SCALARS:
            return False
        if size > 1:
            floating = opcode == 0x47
            group = self._group(b"G.{8}" if floating else b"(?:K.|M..|J....)", size)
            return self._push(0.0 if floating else 0, lambda table: scalars(table.groups[group]))
        if opcode not in _CONSTANTS:
            return False
        value = _CONSTANTS[opcode]
        self._take(re.escape(bytes([opcode])), 1)
        return self._push(value, lambda table: [value] * table.count)

    def _text(self, opcode: int) -> bool:
        found = _token(opcode).match(self._buffer, self._at, self._end)
        if found is None:
            return False
        token = found.group()
        part = len(self._parts)
        group = self._group(short_text(opcode, LONGEST), len(token))
        self._texts.append(group)
        self._push(texts([token])[0], lambda table: table.texts(group))
        self._stack[-1].part, self._stack[-1].group, self._stack[-1].token = part, group, token
        return True

    def _get(self, size: int) -> bool:
        index = int.from_bytes(self._buffer[self._at + 1 : self._at + size], "little")
        memo, value = self._memo, self._memo.get(index)
        self._take(re.escape(self._buffer[self._at : self._at + size]), size)
        if type(value) is Made:
            # Of a condensed memo each is another.
            return self._push(value, lambda table: [memo.get(index) for _ in range(table.count)])
        return self._push(value, lambda table: [value] * table.count) and type(value) not in CONTAINERS

    def _list(self) -> bool:
        found = _LISTED.match(self._buffer, self._at, self._end)
        if found is None:
            return False
        self._take(rb"\]", 1)
        self._push([0], lambda table: [_items(token) for token in table.groups[group]])
        if found[1]:
            self._opcodes += 1
            self._put(found[1][0])
        group = self._group(_LIST, len(found[2]))
        self._lists.append(group)
        return True

    def _put(self, opcode: int) -> bool:
        if len(self._stack) <= self._base():
            return False
        value = self._stack[-1]
        group = None
        if type(value.shown) is str:
            # A condensed memo keeps where a text stands, if its entry comes at once, as picklers write it.
            group = value.group
            at_once = value.part == len(self._parts) - 1 and value.token[0] == (
                0x8C if opcode == 0x94 else 0x58
            )
            if group is None or not at_once:
                return False
        elif type(value.shown) not in (tuple, bytes, Made, list):
            return False
        self._puts.append((value.shown, value.column, group))
        if opcode == 0x94:
            return self._take(rb"\x94", 1)
        self._indexes.append(self._groups)
        self._parts.append(b"r")
        self._at += 1
        self._group(b"....", 4)
        return True

    def _tuple(self, size: int) -> bool:
        items = self._stack[len(self._stack) - size :]
        if size > KEEP or not size:
            return False
        del self._stack[len(self._stack) - size :]
        columns = [item.column for item in items]
        nests = [type(item.shown) in CONTAINERS for item in items]

        def recipe(table: Table) -> Sequence[Any]:
            parts = [
                map(cut, table.column(column)) if inside else table.column(column)
                for column, inside in zip(columns, nests, strict=True)
            ]
            return list(zip(*parts, strict=True))

        shown = tuple(
            cut(item.shown) if inside else item.shown for item, inside in zip(items, nests, strict=True)
        )
        self._take(re.escape(self._buffer[self._at : self._at + 1]), 1)
        self._push(shown, recipe)
        self._stack[-1].items = items
        return True

    def _call(self) -> bool:
        """Follow a call that is the same, as far as anybody looks, as one that was recorded."""
        args, callee = self._stack.pop(), self._stack.pop()
        maker = callee.shown
        if type(maker) is not Global or type(args.shown) is not tuple or maker.subject == "numpy.dtype":
            # Of dtypes more is remembered.
            return False
        event = maker.quick.get(likeness(args.shown, maker.varied))
        if event is None:
            return False
        column = args.column
        for place, item in enumerate(args.items):
            if item.group is not None and place not in maker.varied:
                # Texts in this place are told apart: it is this one or none.
                self._parts[item.part] = b"(%b)" % re.escape(item.token)
        make = _nested if any(type(each) is Made for each in args.shown) else Made.results
        self._events.append(event)
        self._take(b"R", 1)
        return self._push(
            Made(maker, None, "call"),
            lambda table: make(maker, table.column(column)),
        )

    def _take(self, source: bytes, size: int) -> bool:
        self._parts.append(source)
        self._at += size
        return True

    def _group(self, source: bytes, size: int) -> int:
        self._take(b"(%b)" % source, size)
        self._groups += 1
        return self._groups - 1

    def _push(self, shown: Any, recipe: Recipe) -> bool:
        self._stack.append(_Value(shown, len(self._recipes)))
        self._recipes.append(recipe)
        return True


@cache
def _token(opcode: int) -> re.Pattern[bytes]:
    """Return the expression of a text or of bytes; most files need none of these large ones."""
    return re.compile(short_bytes() if opcode == 0x43 else short_text(opcode), re.DOTALL)


def _nested(maker: Global, calls: Sequence[tuple[Any, ...]]) -> list[Made]:
    return list(map(Made, repeat(maker), calls, repeat("call")))


def _items(token: bytes) -> list[int]:
    return [token[1]] if token[0] == 0x4B else list(token[2:-1:2])
