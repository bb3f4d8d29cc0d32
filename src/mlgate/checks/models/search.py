"""Patterns that are looked for in content of any length, a piece at a time.

Memory does not grow with the content, and the clock of the file is asked between the pieces.
"""

import codecs
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType

from msgspec import Struct

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.text import Lines, encoding_of
from mlgate.core.limits import Limits

# What is read at once, what a match may look back on, and how long one may be: a command may have
# options to the length of all its arguments.
_PIECE = 4 << 20
_BEHIND = 2048
_AHEAD = 1 << 20
# A run of blanks that is longer is cut to this: between the words of a command there may be any number.
_BLANKS = 1024
# Lines before and behind the one with a word of a pattern that the pattern may take; of those behind,
# blank ones do not count.
_LINES_BEFORE, _LINES_BEHIND = 2, 4
# Of a line that is longer before a match it is not asked whether it is a comment.
_LONGEST_COMMENT = 4096


class Found(Struct, frozen=True):
    """A match.

    Attributes:
        what: Name of its pattern.
        match: Of the text around it.
        line: 1-based.
        offset: Of its first character, in characters; in bytes where the content is no text.
    """

    what: str
    match: re.Match[str]
    line: int
    offset: int


def found(
    blob: Blob,
    patterns: Mapping[str, re.Pattern[str]],
    limits: Limits,
    clock: Clock,
    *,
    words: Mapping[str, Sequence[str]] = MappingProxyType({}),
    binary: bool = False,
    most: int | None = None,
    continued: bool = False,
    passed_by: Callable[[str], bool] | None = None,
) -> Iterator[Found]:
    """Yield what is found, each text once.

    Args:
        blob: The content.
        patterns: By what they stand for; none matches more than some thousand characters.
        limits: Of the policy.
        clock: Of the file.
        words: By the names of patterns; where given, a pattern is looked for in the lines around its
            words alone: they are found nearly at the speed of memory.
        binary: True to take each byte for a character.
        most: Bytes from the start that are looked at; None for all.
        continued: True where a backslash at the end of a line continues it, within a word as well.
        passed_by: Says of what stands before a match in its line whether it is a comment.

    Raises:
        LimitReached: There is too much of it, or the time is up.
    """
    known: set[tuple[str, str]] = set()
    size = blob.size if most is None else min(blob.size, most)
    # A mark alone makes no UTF-16: a shell minds neither the mark nor the zeros between the letters.
    told = encoding_of(blob.head) if b"\0" in blob.head else "utf-8"
    for encoding in ("latin-1",) if binary else dict.fromkeys((told, "utf-8")):
        for text, span, line, start in _pieces(blob, encoding, size, clock, continued=continued):
            lines = Lines(text.raw)
            for what, pattern in patterns.items():
                regions = _regions(text.text, words[what]) if what in words else [(0, len(text.text))]
                for match, place in _matches(pattern, text, span, regions, passed_by):
                    clock.check()
                    if (what, match[0]) not in known:
                        clock.spend("facts", 1, limits.facts)
                        known.add((what, match[0]))
                        yield Found(what, match, line + lines.at(place) - 1, start + place)


def _pieces(
    blob: Blob, encoding: str, size: int, clock: Clock, *, continued: bool
) -> Iterator[tuple["_Plain", tuple[int, int], int, int]]:
    """Yield pieces that overlap: the text, which part of it is new, and its line and offset."""
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    raw, start, line, at, read = "", 0, 1, 0, 0
    begins = True
    while read < size:
        clock.check()
        chunk = read_at(blob.stream, read, min(_PIECE, size - read))
        read += len(chunk)
        final = read >= size or not chunk
        raw += decoder.decode(chunk, final)
        if encoding != "latin-1":
            raw = _runs().sub(_shortened, raw)
        end = len(raw) if final else max(len(raw) - _AHEAD, at)
        yield (_Joined if continued else _Plain)(raw, begins=begins), (at, end), line, start
        if final:
            return
        cut = max(end - _BEHIND, 0)
        begins = raw[cut - 1] == "\n" if cut else begins
        line, start = line + raw.count("\n", 0, cut), start + cut
        raw, at = raw[cut:], end - cut


class _Plain:
    """A text as it stands.

    Args:
        raw: The text.
        begins: True where it begins with a line, and not within one.
    """

    def __init__(self, raw: str, *, begins: bool) -> None:
        self.raw = self.text = raw
        self._begins = begins

    def line(self, place: int) -> int | None:
        """Return where a line begins, unless it goes on from one before, or is longer than any comment."""
        begin = self.raw.rfind("\n", max(place - _LONGEST_COMMENT, 0), place) + 1
        if not begin:
            return 0 if place <= _LONGEST_COMMENT and self._begins else None
        return None if self.raw[max(begin - 3, 0) : begin].rstrip("\r\n").endswith("\\") else begin

    def place(self, at: int) -> int:
        """Return where a character of ``text`` stands in ``raw``."""
        return at

    def inside(self, place: int) -> int:
        """Return where a character of ``raw`` stands in ``text``."""
        return place


class _Joined(_Plain):
    """A text whose lines go on behind a backslash, as one that has these taken out."""

    def __init__(self, raw: str, *, begins: bool) -> None:
        super().__init__(raw, begins=begins)
        pieces, self._at, self._gone = [], [0], [0]
        last = length = gone = 0
        for found in _continued().finditer(raw):
            pieces.append(raw[last : found.start()])
            length += found.start() - last
            gone += found.end() - found.start()
            last = found.end()
            self._at.append(length)
            self._gone.append(gone)
        pieces.append(raw[last:])
        self.text = "".join(pieces)

    def place(self, at: int) -> int:
        return at + self._gone[bisect_right(self._at, at) - 1]

    def inside(self, place: int) -> int:
        behind = bisect_right(range(len(self._at)), place, key=lambda each: self._at[each] + self._gone[each])
        return place - self._gone[behind - 1]


def _regions(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield, in order, which parts of a text may hold a pattern that has one of the words: whole lines."""
    # Most texts have none of them, which is told faster for each by itself.
    there = tuple(word for word in words if word in text)
    first = last = line_end = 0
    for found in _any(there).finditer(text) if there else ():
        if found.start() < line_end:
            continue  # of a line that has been looked at
        begin, line_end = _lines_around(text, found.start())
        end = line_end
        for _ in range(_LINES_BEHIND):
            while end < len(text) and text[end].isspace():
                end += 1
            end = text.find("\n", end) + 1 or len(text)
        if last and begin > last:
            yield first, last
            last = 0
        first, last = first if last else begin, end
    if last:
        yield first, last


def _lines_around(text: str, place: int) -> tuple[int, int]:
    """Return where the lines begin that a pattern may begin in, and where the place's own ends."""
    begin = place
    for _ in range(_LINES_BEFORE + 1):
        begin = text.rfind("\n", 0, max(begin, 0))
    return begin + 1, text.find("\n", place) + 1 or len(text)


def _matches(
    pattern: re.Pattern[str],
    text: _Plain,
    span: tuple[int, int],
    regions: Iterable[tuple[int, int]],
    passed_by: Callable[[str], bool] | None,
) -> Iterator[tuple[re.Match[str], int]]:
    at, end = text.inside(span[0]), span[1]
    for first, last in regions:
        at = max(at, first)
        while (match := pattern.search(text.text, at, last)) is not None:
            place = text.place(match.start())
            if place >= end:
                return
            at = max(match.end(), match.start() + 1)
            begin = None if passed_by is None else text.line(place)
            if passed_by is not None and begin is not None and passed_by(text.raw[begin:place]):
                # A comment ends with its line, whatever the match goes on to.
                at = text.inside(text.raw.find("\n", place) + 1 or len(text.raw))
            else:
                yield match, place


def comments(*marks: str, anywhere: bool = False) -> Callable[[str], bool]:
    """Return what says of the start of a line whether it begins a comment.

    A quote or a bracket in it may be the end of a text or a comment of several lines, and what
    follows it no comment at all: then it is none.

    Args:
        marks: That begin a comment.
        anywhere: True where a comment may follow on other text.
    """

    def begins(start: str) -> bool:
        comment = start.lstrip()
        if anywhere:
            at = max(start.rfind(mark) for mark in marks)
            comment = start[at:] if at >= 0 else ""
        return comment.startswith(marks) and _ends().search(comment) is None

    return begins


def _shortened(run: re.Match[str]) -> str:
    """Cut a run of blanks; its first lines stay lines."""
    return ("\n" * run[0].count("\n") or run[0])[:_BLANKS]


@lru_cache(maxsize=64)
def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(rf"(?<!\s)\s{{{_BLANKS + 1},}}")


@cache
def _continued() -> re.Pattern[str]:
    return re.compile(r"\\\r?\n")


@cache
def _ends() -> re.Pattern[str]:
    return re.compile(r"[\"'`%]|\*/|\]\]|\$\{|=#|-->|\\u")
