"""Patterns that are looked for in content of any length, a piece at a time.

Memory does not grow with the content, and the clock of the file is asked between the pieces.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.text import encoding_of
from mlgate.core.limits import Limits

# What is read at once, what a match may look back on, and how long one may be: a command may have
# options to the length of all its arguments.
_PIECE = 4 << 20
_BEHIND = 2048
_AHEAD = 1 << 20
# A run of blanks that is longer is cut to this: between the words of a command there may be any number.
_BLANKS = 1024


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
    words: Sequence[str] = (),
    binary: bool = False,
    most: int | None = None,
    continued: bool = False,
    passed_by: Callable[[str], bool] | None = None,
) -> Iterator[Found]:
    r"""Yield what is found, each text once.

    Args:
        blob: The content.
        patterns: By what they stand for; none matches more than some thousand characters.
        limits: Of the policy.
        clock: Of the file.
        words: Where given, pieces without any of them are not looked at: that is told at the
            speed of memory.
        binary: True to take each byte for a character.
        most: Bytes from the start that are looked at; None for all.
        continued: True where a backslash at the end of a line continues it. The two characters
            come out as a space and ``\v``.
        passed_by: Says of what stands before a match in its line whether it is a comment.

    Raises:
        LimitReached: There is too much of it, or the time is up.
    """
    encoding = "latin-1" if binary else encoding_of(blob.head)
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    size = blob.size if most is None else min(blob.size, most)
    known: set[tuple[str, str]] = set()
    raw, start, line, at, read = "", 0, 1, 0, 0
    while read < size:
        clock.check()
        chunk = read_at(blob.stream, read, min(_PIECE, size - read))
        read += len(chunk)
        final = read >= size or not chunk
        raw += decoder.decode(chunk, final)
        if not binary:
            raw = _runs().sub(_shortened, raw)
        end = len(raw) if final else max(len(raw) - _AHEAD, at)
        if not words or any(word in raw for word in words):
            text = raw.replace("\\\r\n", " \v ").replace("\\\n", " \v") if continued else raw
            for what, pattern in patterns.items():
                for match in _matches(pattern, text, raw, (at, end), passed_by):
                    if (what, match[0]) not in known:
                        clock.spend("facts", 1, limits.facts)
                        known.add((what, match[0]))
                        place = match.start()
                        yield Found(what, match, line + raw.count("\n", 0, place), start + place)
        cut = max(end - _BEHIND, 0)
        line, start = line + raw.count("\n", 0, cut), start + cut
        raw, at = raw[cut:], end - cut
        if not chunk:
            return


def _matches(
    pattern: re.Pattern[str],
    text: str,
    raw: str,
    span: tuple[int, int],
    passed_by: Callable[[str], bool] | None,
) -> Iterator[re.Match[str]]:
    at, end = span
    while at < end:
        match = pattern.search(text, at)
        if match is None or match.start() >= end:
            return
        at = max(match.end(), match.start() + 1)
        if passed_by is not None:
            begin = raw.rfind("\n", 0, match.start()) + 1
            if passed_by(raw[begin : match.start()]):
                # A comment ends with its line, whatever the match goes on to.
                at = raw.find("\n", match.start()) + 1 or len(raw)
                continue
        yield match


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


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(rf"(?<!\s)\s{{{_BLANKS + 1},}}")


@cache
def _ends() -> re.Pattern[str]:
    return re.compile(r"[\"'`%]|\*/|\]\]|\$\{|=#|-->")
