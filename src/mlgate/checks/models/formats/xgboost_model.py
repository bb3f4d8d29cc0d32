"""XGBoost models: UBJSON, JSON and the old binary form, with the shape of each tree checked."""

import io
import re
import sys
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models import json_members
from mlgate.checks.models.formats import _ubjson
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import member, printable, read_at
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "xgboost"
KIND = "model"
ORDER = 40

# In the old form the parameters stand before the name of the objective.
_PARAMETERS = 136
_CHILDREN = ("left_children", "right_children")
_CHUNK = 1 << 18


def sniff(blob: Blob) -> bool:
    """Look for the learner at the start, or for the name of an objective in its old place."""
    head = blob.head
    if _first_key().match(head) is not None:
        return True
    if json_members.begins_json(head):
        return _learner().match(head) is not None
    return _objective(head) is not None


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is wrong with the trees, and what the attributes hold.

    Raises:
        Declined: It is something else.
        LimitReached: A text is too long, or there is too much to note.
    """
    objective = _objective(blob.head)
    if objective is not None:
        yield blob.fact("core.format", FORMAT)
        return
    binary = not json_members.begins_json(blob.head) or blob.head[1:2] in b"LliU#"
    trees = _Trees()
    items = _binary(blob, trees, clock) if binary else _text(blob, trees, limits, clock)
    try:
        for name, value in items:
            clock.spend("members", 1, limits.members)
            yield from _attribute(blob, name, value)
    except (_ubjson.Malformed, json_members.Malformed) as error:
        if isinstance(error, json_members.Malformed) or "ends" in str(error):
            yield blob.not_checked("truncated", "the model ends within its trees; fetch it again")
        else:
            yield blob.fact("booster.malformed", f"{error}", format=FORMAT)
        return
    if not trees.learner:
        raise Declined
    trees.done()
    for problem in trees.problems:
        yield blob.fact("booster.malformed", problem, format=FORMAT)


def _attribute(blob: Blob, name: str, value: str) -> Iterator[Fact | Blob]:
    """Yield what an attribute holds, where it may be read by a loader."""
    data = value.encode("utf-8", "surrogatepass")
    pickled = _pickled().match(value)
    if pickled is not None:
        import base64  # noqa: PLC0415 - hardly any model needs it

        try:
            data = base64.b64decode(value + "=" * (-len(value) % 4))
        except ValueError:
            return
        yield blob.fact("booster.pickle", printable(name, 100), format=FORMAT)
        yield member(blob, f"{name}.pkl", io.BytesIO(data), len(data), container=FORMAT)
    elif value[:1] in ("{", "[") or len(data) > 200:
        yield member(blob, f"{name}.json", io.BytesIO(data), len(data), container=FORMAT, tentative=True)


class _Trees:
    """Holds the children of each tree against its number of nodes."""

    def __init__(self) -> None:
        self.learner = False
        self.problems: dict[str, None] = {}
        self._place: tuple[str | int, ...] = ()
        self._nodes: int | None = None
        self._counts: dict[str, int] = {}
        self._reach: dict[str, tuple[int, int]] = {}

    def at(self, path: tuple[str | int, ...]) -> str | None:
        """Go to a member, and return its name where it belongs to a tree."""
        self.learner = self.learner or path[:1] == ("learner",)
        if "trees" not in path:
            return None
        place = path[: path.index("trees") + 2]
        if place != self._place:
            self.done()
            self._place = place
        rest = path[len(place) :]
        return (
            str(rest[-1]) if rest and isinstance(rest[-1], str) else str(rest[-2]) if len(rest) > 1 else None
        )

    def children(self, name: str, count: int, least: int, most: int) -> None:
        """Note how many children a list has, and which the smallest and the greatest is."""
        low, high = self._reach.get(name, (least, most))
        self._counts[name] = self._counts.get(name, 0) + count
        self._reach[name] = min(low, least), max(high, most)

    def nodes(self, value: object) -> None:
        """Note how many nodes the tree says it has."""
        text = str(value)
        self._nodes = int(text) if text.isdecimal() and len(text) < 12 else -1

    def done(self) -> None:
        """Compare what was noted of the last tree."""
        if self._nodes is not None:
            for name in _CHILDREN:
                if self._counts.get(name, 0) != self._nodes:
                    self.problems["a tree has another number of children than of nodes"] = None
                elif self._nodes and not (self._reach[name][0] >= -1 and self._reach[name][1] < self._nodes):
                    self.problems["a tree's child lies outside the tree"] = None
        self._nodes = None
        self._counts.clear()
        self._reach.clear()


def _binary(blob: Blob, trees: _Trees, clock: Clock) -> Iterator[tuple[str, str]]:
    for each in _ubjson.members(blob.stream, blob.size, clock):
        name = trees.at(each.path)
        if name in _CHILDREN and each.kind == "array" and each.count:
            if each.width != 4 or not each.integer:
                trees.problems["a tree's children are no whole numbers of four bytes"] = None
            else:
                trees.children(name, each.count, *_range(blob, each, clock))
        elif name in _CHILDREN and isinstance(each.value, int):
            trees.children(name, 1, each.value, each.value)
        elif name == "num_nodes":
            trees.nodes(each.value)
        elif each.path[:2] == ("learner", "attributes") and isinstance(each.value, str):
            yield str(each.path[-1]), each.value


def _range(blob: Blob, each: _ubjson.Member, clock: Clock) -> tuple[int, int]:
    import array  # noqa: PLC0415 - only these models need it

    least, most = 0, 0
    for start in range(0, each.count * 4, _CHUNK):
        clock.check()
        values = array.array(
            "i", read_at(blob.stream, each.offset + start, min(_CHUNK, each.count * 4 - start))
        )
        if sys.byteorder == "little":
            values.byteswap()
        low, high = min(values), max(values)
        least, most = min(least, low), max(most, high)
    return least, most


def _text(blob: Blob, trees: _Trees, limits: Limits, clock: Clock) -> Iterator[tuple[str, str]]:
    text = read_text(blob, limits)
    for each in json_members.members(text, clock):
        name = trees.at(each.path)
        if name in _CHILDREN and isinstance(each.path[-1], int):
            value = each.value
            if type(value) is int:
                trees.children(name, 1, value, value)
            else:
                trees.problems["a tree's children are no whole numbers"] = None
        elif name == "num_nodes":
            trees.nodes(each.value)
        elif each.path[:2] == ("learner", "attributes") and isinstance(each.value, str):
            yield str(each.path[-1]), each.value


def _objective(head: bytes) -> str | None:
    """Return the objective that the old form names, with or without its magic."""
    start = _PARAMETERS + (4 if head.startswith(b"binf") else 0)
    length = int.from_bytes(head[start : start + 8], "little")
    name = head[start + 8 : start + 8 + length] if 4 <= length <= 64 else b""
    found = _name().fullmatch(name)
    return found[0].decode() if found else None


@cache
def _name() -> re.Pattern[bytes]:
    return re.compile(rb"(?:binary|reg|multi|rank|count|survival|gpu):[a-z:_]{2,40}")


@cache
def _learner() -> re.Pattern[bytes]:
    return re.compile(rb'\s*\{\s*(?:"version"\s*:\s*\[[\d,\s]*\]\s*,\s*)?"learner"\s*:\s*\{')


@cache
def _first_key() -> re.Pattern[bytes]:
    return re.compile(rb"\{(?:#.{2,9})?(?:[iU]|I\0|l\0{3}|L\0{7})\x07(?:learner|version)", re.DOTALL)


@cache
def _pickled() -> re.Pattern[str]:
    # A pickle of protocol 2 to 5 in base64.
    return re.compile(r"gA[I-X][A-Za-z0-9+/\r\n]{6,}={0,2}\Z")
