"""A walk over R's serialized objects, without recursion: what is code, and where it stands."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from mlgate.checks.models.formats._r_input import NA, Input, Malformed
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

# Types, as in R's Rinternals.h and serialize.c.
_SYMBOL, _LIST, _CLOSURE, _ENVIRONMENT, _PROMISE, _LANGUAGE = 1, 2, 3, 4, 5, 6
_SPECIAL, _BUILTIN, _CHARS, _DOTS, _BYTECODE, _POINTER, _WEAK = 7, 8, 9, 17, 21, 22, 23
_STRINGS, _VECTORS, _S4 = 16, (19, 20), 25
_ALTREP, _ATTRLIST, _ATTRLANG, _BCREF, _BCDEF = 238, 239, 240, 243, 244
_PERSISTENT, _PACKAGE, _NAMESPACE, _REFERENCE = 247, 248, 249, 255
_ALONE = frozenset({0, 254, 253, 252, 251, 250, 242, 241})
# Classes of vectors that lie in a file.
_MAPPED = "mmap_"
# R itself recurses, and gives up long before.
_DEEPEST = 100_000
_WIDTHS = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
_PAIRS = frozenset({_LIST, _LANGUAGE, _CLOSURE, _PROMISE, _DOTS})
# Where an item stands: below an environment, below a promise, below bytecode, the head of a call.
FRAME, PROMISED, COMPILED, CALLEE = 1, 2, 4, 8
_ALTCLASS, _TAG = 16, 32
# Variables that R calls when it starts or ends with them in its workspace. Source: ?Startup.
_HOOKS = frozenset((".First", ".Last"))
# What runs a text, and where one comes from that nobody can read: together they hide what is run.
_WORDS = frozenset(
    ("eval", "parse", "str2lang", "rawToChar", "intToUtf8", "memDecompress", "base64decode", "url")
)
# Functions that write; models name them, and no value is computed by them.
_WRITING = frozenset(("writeLines", "writeBin", "file.create", "file.append", "sink", "dump", "save"))


class Seen(Struct, frozen=True):
    """Something that is code, or leads out of the file.

    Attributes:
        what: ``promise``, ``closure``, ``bytecode``, ``call``, ``mapped``, ``hook`` or ``word``.
        name: Of what is called, or "".
        offset: Where it stands.
        where: Flags of its place.
    """

    what: str
    name: str
    offset: int
    where: int


def walk(source: Input, limits: Limits, clock: Clock) -> Iterator[Seen]:
    """Yield what one serialized object holds, in order.

    Raises:
        Malformed: The bytes are none. What was yielded before stands.
        LimitReached: ``opcodes`` or ``stack``.
    """
    walker = _Walker(source, limits)
    # Each frame: how many items of which kind follow, and where they stand.
    stack: list[list[int]] = [[_ITEM, 1, 0]]
    count = 0
    while stack:
        top = stack[-1]
        if top[1] <= 0:
            stack.pop()
            continue
        top[1] -= 1
        count += 1
        if not count & 0x3FF:
            clock.check()
            if count > limits.opcodes:
                raise LimitReached("opcodes")
            if len(stack) > min(limits.stack, _DEEPEST):
                raise LimitReached("stack")
        kind, where = top[0], top[2]
        if top[1] <= 0:
            stack.pop()
        yield from walker.item(kind, where, stack)


# Kinds of what follows: an item, compiled code, its constants, and a piece of language among those.
_ITEM, _CODE, _CONSTANT, _PIECE, _CONSTANTS = 0, 1, 2, 3, 4


def _push(stack: list[list[int]], count: int, where: int) -> None:
    """Have items follow; none leave no trace, so that nesting alone takes no memory."""
    if count:
        stack.append([_ITEM, count, where])


class _Walker:
    def __init__(self, source: Input, limits: Limits) -> None:
        self._in = source
        self._limits = limits
        # Names of the symbols that can be referred to; other references have none.
        self._references: list[str] = []
        self._name = ""

    def item(self, kind: int, where: int, stack: list[list[int]]) -> Iterator[Seen]:
        """Read one thing, and push what follows it."""
        if kind == _ITEM:
            yield from self._item(where, stack)
        elif kind == _CODE:
            # The code is an item, its constants follow.
            stack.append([_CONSTANTS, 1, where])
            stack.append([_ITEM, 1, where])
        elif kind == _CONSTANTS:
            stack.append([_CONSTANT, self._count(), where])
        elif kind == _CONSTANT:
            type_ = self._in.integer()
            if type_ == _BYTECODE:
                stack.append([_CODE, 1, where])
            elif type_ in (_LANGUAGE, _LIST, _BCDEF, _BCREF, _ATTRLANG, _ATTRLIST):
                yield from self._piece(type_, where, stack)
            else:
                stack.append([_ITEM, 1, where])
        else:
            yield from self._piece(self._in.integer(), where, stack)

    def _piece(self, type_: int, where: int, stack: list[list[int]]) -> Iterator[Seen]:
        """Read language among the constants of bytecode, which shares its parts."""
        if type_ == _BCREF:
            self._in.integer()
            return
        if type_ == _BCDEF:
            self._in.integer()
            type_ = self._in.integer()
        if type_ not in (_LANGUAGE, _LIST, _ATTRLANG, _ATTRLIST):
            stack.append([_ITEM, 1, where])
            return
        inner = where & ~CALLEE
        head = inner | (CALLEE if type_ in (_LANGUAGE, _ATTRLANG) else 0)
        stack.append([_PIECE, 1, inner])
        stack.append([_PIECE, 1, head])
        stack.append([_ITEM, 1, inner])
        if type_ in (_ATTRLANG, _ATTRLIST):
            stack.append([_ITEM, 1, inner])
        yield from ()

    def _count(self) -> int:
        place = self._in.offset
        count = self._in.integer()
        if count < 0:
            raise Malformed("a length is negative", place)
        return count

    def _length(self) -> int:
        place = self._in.offset
        count = self._in.integer()
        if count == -1:
            count = (self._in.integer() & 0xFFFFFFFF) << 32 | self._in.integer() & 0xFFFFFFFF
        if count < 0 or count > 1 << 52:
            raise Malformed("a length is negative", place)
        return count

    def _refer(self, name: str) -> None:
        if len(self._references) >= self._limits.stack:
            raise LimitReached("stack")
        telling = (
            name in effects()
            or name in _HOOKS
            or name in _WORDS
            or name in _WRITING
            or name.startswith(_MAPPED)
        )
        self._references.append(name if telling else "")

    def _item(self, where: int, stack: list[list[int]]) -> Iterator[Seen]:
        place = self._in.offset
        flags = self._in.integer()
        type_ = flags & 0xFF
        attributes, tag = bool(flags & 0x200), bool(flags & 0x400)
        inner = where & ~(CALLEE | _ALTCLASS | _TAG)
        if type_ in _ALONE:
            return
        if type_ == _SYMBOL:
            yield from self._symbol(where, place)
        elif type_ == _REFERENCE:
            index = (flags >> 8) or self._in.integer()
            if not 0 < index <= len(self._references):
                raise Malformed("a reference leads nowhere", place)
            yield from self._named(self._references[index - 1], where, place)
        elif type_ in _PAIRS:
            yield from self._pair(type_, where, place, stack, attributes=attributes, tag=tag)
        elif type_ == _ENVIRONMENT:
            self._in.integer()
            self._refer("")
            stack.append([_ITEM, 4, inner | FRAME])
        elif type_ in (_NAMESPACE, _PACKAGE, _PERSISTENT):
            self._in.integer()
            for _ in range(self._count()):
                self._chars()
            self._refer("")
        elif type_ == _CHARS:
            self._text(self._in.integer(), place)
            _push(stack, int(attributes), inner)
        elif type_ in (_SPECIAL, _BUILTIN):
            name = self._in.string(self._count()).decode("latin-1")
            yield from self._named(name, where, place)
        elif type_ == _BYTECODE:
            yield Seen("bytecode", "", place, where)
            self._count()
            _push(stack, int(attributes), inner)
            stack.append([_CODE, 1, inner | COMPILED])
        elif type_ == _POINTER:
            self._refer("")
            stack.append([_ITEM, 2 + attributes, inner])
        elif type_ == _WEAK:
            self._refer("")
            _push(stack, int(attributes), inner)
        elif type_ == _ALTREP:
            stack.append([_ITEM, 2, inner])
            stack.append([_ITEM, 1, inner | _ALTCLASS])
        else:
            self._vector(type_, inner, place, stack, attributes=attributes)

    def _vector(
        self, type_: int, inner: int, place: int, stack: list[list[int]], *, attributes: bool
    ) -> None:
        _push(stack, int(attributes), inner)
        if type_ in _WIDTHS:
            self._in.numbers(self._length(), _WIDTHS[type_])
        elif type_ == _STRINGS:
            for _ in range(self._length()):
                self._chars()
        elif type_ in _VECTORS:
            _push(stack, self._length(), inner)
        elif type_ != _S4:
            raise Malformed(f"{type_} is no type", place)

    def _pair(
        self, type_: int, where: int, place: int, stack: list[list[int]], *, attributes: bool, tag: bool
    ) -> Iterator[Seen]:
        inner = where & ~(CALLEE | _ALTCLASS | _TAG)
        head = tail = inner
        if type_ == _PROMISE:
            yield Seen("promise", "", place, where)
            head = tail = inner | PROMISED
        elif type_ == _CLOSURE:
            yield Seen("closure", "", place, where)
        elif type_ == _LANGUAGE:
            head = inner | CALLEE
        elif type_ == _LIST:
            head = tail = inner | where & _ALTCLASS
        # Last in, first out: attributes, tag, head, tail.
        stack.append([_ITEM, 1, tail])
        stack.append([_ITEM, 1, head])
        _push(stack, int(tag), inner | _TAG if type_ == _LIST else inner)
        _push(stack, int(attributes), inner)

    def _symbol(self, where: int, place: int) -> Iterator[Seen]:
        name = self._chars().decode("utf-8", "replace")
        self._refer(name)
        yield from self._named(name, where, place)

    def _named(self, name: str, where: int, place: int) -> Iterator[Seen]:
        if where & _ALTCLASS and name.startswith(_MAPPED):
            yield Seen("mapped", name, place, where)
        elif where & _TAG and name in _HOOKS:
            yield Seen("hook", name, place, where & ~_TAG)
        elif where & (CALLEE | COMPILED) and name in _WORDS:
            yield Seen("word", name, place, where)
        elif (where & PROMISED and where & (CALLEE | COMPILED) and name in _WRITING) or (
            where & (CALLEE | COMPILED) and name in effects()
        ):
            yield Seen("call", name, place, where)

    def _chars(self) -> bytes:
        place = self._in.offset
        flags, size = self._in.pair()
        if flags & 0x2FF != _CHARS:
            raise Malformed("a string is none", place)
        return self._text(size, place)

    def _text(self, size: int, place: int) -> bytes:
        if size in (-1, NA):
            return b""
        if size < 0:
            raise Malformed("a length is negative", place)
        return self._in.string(size)


@cache
def effects() -> frozenset[str]:
    """Names of R functions that start programs, load code or fetch files."""
    lines = (Path(__file__).parent.parent / "data" / "r_effects.csv").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines[2:] if line)
