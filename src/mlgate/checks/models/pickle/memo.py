"""The memo, in eight bytes an entry once it is long.

Pickles of large vocabularies memoize millions of texts and hardly ever look one up. The first
entries are kept as they are. From then on a text is the offset at which it stands in the file, and
whatever could grow is only remembered by its type.
"""

from array import array
from copy import copy
from typing import Any, Self

from mlgate.checks.models.pickle.values import LONGEST, UNKNOWN, Dict, Global, Made, Set
from mlgate.checks.models.pickle.window import Window
from mlgate.checks.models.reader import LimitReached

# Stands for an entry that was never written.
HOLE: Any = object()
# Python 2's pickler leaves out the first; further ahead nobody writes.
_AHEAD = 64
# Entries far from all others, and values that are kept exactly beside the offsets.
_FAR = 20_000
_EXACT = 20_000
_DTYPES = 1_000
_MUTABLE = {list: [UNKNOWN], Dict: Dict((UNKNOWN, UNKNOWN)), Set: Set((UNKNOWN,))}
# In place of an offset: the entry is in the table, at this number divided by two.
_TABLE = 1


class Memo:
    """Entries by their index, as the unpickler's table has them.

    Attributes:
        early: The first entries; :data:`HOLE` where there is none.
        late: The entries after those, once there are many: twice the offset of a text's opcode,
            or twice an index into a table, plus one. None before.
        dense: Whether the next MEMOIZE simply appends.
    """

    __slots__ = ("_codes", "_far", "_holes", "_makers", "_table", "_window", "dense", "early", "late")

    def __init__(self, window: Window) -> None:
        self.early: list[Any] = []
        self.late: array[int] | None = None
        self.dense = True
        self._window = window
        self._far: dict[int, Any] = {}
        self._table: list[Any] = [HOLE]
        self._makers: dict[Any, int] = {}
        self._codes: dict[type, int] = {}
        self._holes = 0

    def __len__(self) -> int:
        return (
            len(self.early) + (len(self.late) if self.late is not None else 0) + len(self._far) - self._holes
        )

    @property
    def full(self) -> bool:
        """Whether of further values, but texts and dtypes, no more is remembered than type or maker."""
        return len(self._table) >= _EXACT + len(self._makers)

    def copy(self) -> Self:
        """Return a memo with the same entries."""
        other = copy(self)
        other.early, other._far = list(self.early), dict(self._far)  # noqa: SLF001 - of the same class
        other.late = None if self.late is None else self.late[:]
        other._table, other._makers = list(self._table), dict(self._makers)  # noqa: SLF001 - as above
        other._codes = dict(self._codes)  # noqa: SLF001 - as above
        return other

    def get(self, index: int) -> Any:
        """Return an entry.

        Raises:
            KeyError: There is none.
        """
        if index < 0:
            raise KeyError(index)
        if index < len(self.early):
            value = self.early[index]
        elif self.late is not None and index - len(self.early) < len(self.late):
            value = self._late(self.late[index - len(self.early)])
        else:
            value = self._far[index]
        if value is HOLE:
            raise KeyError(index)
        return value

    def memoize(self, value: Any) -> None:
        """Write the entry that MEMOIZE writes: its index is the number of entries."""
        self.put(len(self), value)

    def put(self, index: int, value: Any) -> None:
        """Write an entry.

        Raises:
            LimitReached: There are too many entries far from all others.
        """
        early, late = self.early, self.late
        dense = len(early) + (len(late) if late is not None else 0)
        if index < len(early):
            self._holes -= early[index] is HOLE
            early[index] = value
        elif late is not None and index < dense:
            self._holes -= late[index - len(early)] == _TABLE
            late[index - len(early)] = self.code(value)
        elif index > dense + _AHEAD or index in self._far:
            self._far[index] = value
            if len(self._far) > _FAR:
                raise LimitReached("stack")
        else:
            self._holes += index - dense
            if late is None:
                early.extend([HOLE] * (index - dense))
                early.append(value)
            else:
                late.extend([_TABLE] * (index - dense))
                late.append(self.code(value))
            if self._far:
                self._near()
        self.dense = not self._far and not self._holes

    def _near(self) -> None:
        """Move what is no longer far."""
        for index in sorted(self._far):
            dense = len(self.early) + (len(self.late) if self.late is not None else 0)
            if index <= dense + _AHEAD:
                value = self._far.pop(index)
                self.put(index, value)

    def condense(self) -> None:
        """Keep what is written from now on in little space, and nothing that could grow."""
        if self.late is None:
            self.late = array("Q")
            for index, value in enumerate(self.early):
                summary = _MUTABLE.get(type(value))
                if summary is not None:
                    self.early[index] = summary

    def _late(self, code: int) -> Any:
        if code & 1:
            value = self._table[code >> 1]
            return Made(value[0], None, value[1]) if type(value) is _Summary else value
        data = self._window.read(code >> 1, 5 + LONGEST)
        if data[0] == 0x8C:
            return data[2 : 2 + data[1]].decode("utf-8", "surrogatepass")
        return data[5 : 5 + int.from_bytes(data[1:5], "little")].decode("utf-8", "surrogatepass")

    def code(self, value: Any) -> int:
        """Put a value, or what little is remembered of it, into the table; return what :attr:`late` holds."""
        kind = type(value)
        known = self._codes.get(kind)
        if known is not None:
            return known
        makers = self._makers
        key: Any
        if kind in _MUTABLE:
            key = kind
        elif kind is Global:
            key = value
        else:
            result = kind is Made and type(value.maker) is Global
            # How long a joblib array is, its dtype says.
            extra = _DTYPES if result and value.maker.subject == "numpy.dtype" else 0
            if len(self._table) < _EXACT + len(makers) + extra:
                self._table.append(value)
                return len(self._table) * 2 - 1
            key = (value.maker, value.how) if result else None
        at = makers.get(key)
        if at is None:
            value = _MUTABLE.get(kind, value) if key is not None else UNKNOWN
            if type(key) is tuple:
                value = _Summary(key)
            at = makers[key] = len(self._table)
            self._table.append(value)
        if key is kind or (key is None and kind is not Made):
            # Of this type no more will ever be remembered than that.
            self._codes[kind] = at * 2 + 1
        return at * 2 + 1


class _Summary(tuple[Any, str]):
    """Maker and manner of a result of which no more is known."""

    __slots__ = ()
