"""YAML as a flat stream of its scalars and tags: nothing is constructed, no alias is expanded."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from msgspec import Struct

from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import CHUNK, read_at
from mlgate.checks.models.tables import is_text
from mlgate.checks.models.text import read_text
from mlgate.core.limits import DEFAULT, Limits

# As deep as libyaml goes.
DEEPEST = 1000
# Steps of all paths together, for each character: a text of short scalars far down has more.
_STEPS, _FEW_STEPS = 20, 1_000_000
# PyYAML's own scanner reads about this much in a few seconds.
_MOST_PURE = 1 << 20
# What no loader takes for YAML.
_OTHERS = (
    ".py", ".pyi", ".md", ".rst", ".ipynb", ".html", ".htm", ".js", ".ts", ".css", ".svg", ".xml", ".c", ".h",
    ".cc", ".cpp", ".hpp", ".cu", ".cuh", ".java", ".go", ".rs", ".rb", ".sh", ".csv", ".tsv", ".jsonl",
    ".sql", ".lock", ".toml", ".tex", ".bib", ".map", ".po", ".pot",
)  # fmt: skip
_NAMES = (".yaml", ".yml", "mlmodel", ".conf", ".cfg", ".config")


class Node(Struct, frozen=True):
    """A scalar, or a collection that has a tag of its own.

    Attributes:
        path: Keys and list indexes that lead to it; a key that is no text is "".
        value: Text of a scalar as written, or of the scalar that an alias stands for.
        tag: Its tag where one is written, resolved; else "".
        line: 1-based.
        document: Number of its document.
    """

    path: tuple[str | int, ...]
    value: str | None
    tag: str
    line: int
    document: int


def could_be_yaml(blob: Blob) -> bool:
    """Say whether a loader could take the text for YAML; longer texts only where the name says so."""
    if not blob.size or blob.name.endswith(_OTHERS) or not is_text(blob.head):
        return False
    return blob.size <= DEFAULT.text_bytes or blob.name.endswith(_NAMES)


def named_yaml(blob: Blob) -> bool:
    """Say whether the name says YAML."""
    return blob.name.endswith(_NAMES)


def text_with(blob: Blob, worth: Callable[[str], object], limits: Limits, clock: Clock) -> str:
    """Return the text, where something in it is worth parsing it for.

    Args:
        blob: The text, however long.
        worth: Says whether a text, or a piece of one, has that; of no more than a few hundred characters.
        limits: Of the policy.
        clock: Of the file.

    Raises:
        Declined: There is nothing.
        LimitReached: There is, in a text that is too long to parse.
    """
    if blob.size <= limits.text_bytes:
        text = read_text(blob, limits)
        if not worth(text):
            raise Declined
        return text
    for start in range(0, blob.size, CHUNK):
        clock.check()
        part = read_at(blob.stream, start, CHUNK + 1024)
        # In UTF-16 there is a zero between the letters.
        if worth(part.replace(b"\0", b"").decode("latin-1")):
            raise LimitReached("text_bytes")
    raise Declined


def escaped(text: str) -> bool:
    """Say whether a letter of ASCII is written as an escape, as nobody needs to."""
    return _escapes().search(text) is not None


def nodes(text: str, clock: Clock, *, pure: bool = False, tagged: bool = False) -> Iterator[Node | None]:
    """Yield the nodes in order, and None where a document has ended.

    Args:
        text: Of one or more documents.
        clock: Of the file.
        pure: True to read as PyYAML's own scanner does, and not as libyaml does.
        tagged: True to yield only what has a tag; then the paths do not count.

    Raises:
        ValueError: The text is no YAML from here on. What was yielded before stands.
        LimitReached: It is nested too deep, or the time is up.
    """
    import yaml  # noqa: PLC0415 - most texts never get here

    loader: Any = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if not text.isascii():
        # Surrogates stand for bytes that are no text.
        text = text.encode("utf-8", "replace").decode("utf-8")
    walk = _Walk()
    try:
        for number, event in enumerate(yaml.parse(text, Loader=loader)):
            if not number & 0xFF:
                clock.check()
            if tagged and type(event) is yaml.ScalarEvent and event.tag is None:
                continue
            yield from walk.step(event)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def readable_purely(text: str) -> bool:
    """Say whether PyYAML's own scanner gets through the text in a moderate time."""
    return len(text) <= _MOST_PURE


class _Walk:
    """Follows the events of a parser."""

    def __init__(self) -> None:
        # Keys and indexes of the open collections; None where a mapping waits for a key.
        self._path: list[str | int | None] = []
        self._anchors: dict[str, str] = {}
        self._document = self._steps = 0

    def step(self, event: Any) -> Iterator[Node | None]:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            if event.anchor is not None:
                self._anchors[event.anchor] = event.value
            yield from self._scalar(event.value, event.tag or "", event)
        elif kind == "AliasEvent":
            yield from self._scalar(self._anchors.get(event.anchor), "", event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._path) >= DEEPEST:
                raise LimitReached("nesting")
            if event.tag:
                yield self._node(None, event.tag, event)
            self._path.append(None if kind[0] == "M" else 0)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._path.pop()
            self._advance("")
        elif kind == "DocumentEndEvent":
            self._document += 1
            self._path.clear()
            self._anchors.clear()
            yield None

    def _scalar(self, value: str | None, tag: str, event: Any) -> Iterator[Node]:
        if self._path and self._path[-1] is None:
            self._path[-1] = value or ""
            if tag:
                yield self._node(value, tag, event)
            return
        yield self._node(value, tag, event)
        self._advance(value or "")

    def _advance(self, key: str) -> None:
        """Go on behind a node: to the next item, or from a key to its value and back."""
        if not self._path:
            return
        step = self._path[-1]
        if isinstance(step, int):
            self._path[-1] = step + 1
        else:
            self._path[-1] = key if step is None else None

    def _node(self, value: str | None, tag: str, event: Any) -> Node:
        self._steps += len(self._path)
        if self._steps > _FEW_STEPS + _STEPS * event.start_mark.index:
            raise LimitReached("nesting")
        path = tuple("" if step is None else step for step in self._path)
        return Node(path, value, tag, event.start_mark.line + 1, self._document)


@cache
def _escapes() -> re.Pattern[str]:
    return re.compile(r"\\(?:x|u00|U000000)[2-7]")
