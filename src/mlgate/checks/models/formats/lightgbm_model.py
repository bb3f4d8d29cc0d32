"""LightGBM models: a text of trees, read line by line."""

from collections.abc import Iterator

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import chunks
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "lightgbm"
KIND = "model"
ORDER = 40

# The lists of a tree with a million leaves.
_LONGEST = 32 << 20
# Children of a million leaves.
_CHILDREN = 8 << 20
# Version 2.0 had no end mark, and what follows the trees.
_ENDS = frozenset(("end of trees", "feature importances:", "feature_importances:"))
_LISTS = ("left_child", "right_child")


def sniff(blob: Blob) -> bool:
    """Look for the first lines."""
    head = blob.head.replace(b"\r\n", b"\n")
    return head.startswith(b"tree\n") and b"\nnum_class=" in head


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what is wrong with the trees.

    Raises:
        LimitReached: A line is too long.
    """
    del limits
    trees = _Trees()
    rest = b""
    for chunk in chunks(blob.stream, 0, blob.size):
        clock.check()
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LONGEST:
            yield blob.fact("booster.malformed", "a line has no end", format=FORMAT)
            return
        for line in lines:
            trees.line(line)
    trees.line(rest)
    trees.done()
    for problem in trees.problems:
        yield blob.fact("booster.malformed", problem, format=FORMAT)
    if not trees.ended:
        yield blob.not_checked("truncated", "the model ends before its last tree does; fetch it again")


class _Trees:
    """Holds the children of each tree against its number of leaves."""

    def __init__(self) -> None:
        self.problems: dict[str, None] = {}
        self.ended = False
        self._leaves: int | None = None
        self._lists: dict[str, tuple[int, int, int]] = {}

    def line(self, line: bytes) -> None:
        """Look at one line."""
        key, _, value = line.strip().partition(b"=")
        name = key.decode("latin-1")
        if name == "Tree":
            self.done()
        elif name == "num_leaves":
            self._leaves = int(value) if value.isdigit() and len(value) < 10 else 0
        elif name in _LISTS:
            self._children(name, value)
        elif name in _ENDS:
            self.ended = True

    def _children(self, name: str, value: bytes) -> None:
        if len(value) > _CHILDREN:
            self.problems["a tree has more leaves than any trainer makes"] = None
            return
        try:
            numbers = [int(each) for each in value.split()]
        except ValueError:
            self.problems["a tree's children are no numbers"] = None
            return
        self._lists[name] = len(numbers), min(numbers, default=0), max(numbers, default=0)

    def done(self) -> None:
        """Compare what was noted of the last tree."""
        leaves, lists = self._leaves, self._lists
        self._leaves, self._lists = None, {}
        if leaves is None:
            return
        if leaves < 1:
            self.problems["a tree has no leaves"] = None
        for name in _LISTS if leaves > 1 else ():
            count, least, most = lists.get(name, (0, 0, 0))
            if count != leaves - 1:
                self.problems["a tree has another number of children than of leaves"] = None
            elif least < -leaves or most >= leaves - 1:
                self.problems["a tree's child lies outside the tree"] = None
