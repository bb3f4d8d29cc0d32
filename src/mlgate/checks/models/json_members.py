"""JSON as a flat stream of its scalar members: bounded memory, no recursion, no key lost.

``json.loads`` keeps the last of two equal keys, and other loaders keep the first: here
both are seen. What ``json.loads`` accepts, this accepts.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TypeAlias

from msgspec import Struct

from mlgate.checks.models.reader import Clock, LimitReached

Scalar: TypeAlias = str | int | float | bool | None

# No configuration is nested so deep, and json.loads gives up at about as much.
DEEPEST = 1000
# Steps of all paths together, for each character: a text of short scalars far down has more.
_STEPS, _FEW_STEPS = 20, 1_000_000


class Malformed(ValueError):  # noqa: N818 - an answer, not an error
    """The text is no JSON document, or more than one."""


class Member(Struct, frozen=True):
    """One scalar of a document.

    Attributes:
        path: Keys and list indexes that lead to it.
        value: Its value; a number too long for a float is a text.
        offset: Of its first character in the text.
    """

    path: tuple[str | int, ...]
    value: Scalar
    offset: int

    @property
    def key(self) -> str | int | None:
        """The last step of the path, or None for a document that is a scalar."""
        return self.path[-1] if self.path else None


@lru_cache(maxsize=2)  # many readers ask for the same bytes
def begins_json(head: bytes) -> bool:
    """Say whether the first bytes could begin a JSON object or list; space may stand before it."""
    start = head.lstrip(b" \t\r\n\xef\xbb\xbf\xff\xfe\0")[:1]
    # Nothing but space may come before it; nothing but zeros is no text.
    return start in (b"{", b"[") if start else bool(head.strip(b"\0"))


def mentions(text: str, words: Iterable[str]) -> bool:
    """Say whether a document could hold one of the ASCII words, as a key or value, however escaped.

    Quick, so that documents of no interest need not be parsed.
    """
    return any(word in text for word in words) or _escapes().search(text) is not None


def members(text: str, clock: Clock) -> Iterator[Member]:
    """Yield every scalar of a document, in order.

    Raises:
        Malformed: The text is not one JSON document. What was yielded before stands.
        LimitReached: It is nested more than :data:`DEEPEST` deep, or much of it nearly so, or the
            time is up.
    """
    token = _tokens().match
    # Keys and indexes of the open containers; an int counts a list's items.
    path: list[str | int] = []
    expects = "value"
    at = count = 0
    steps = _FEW_STEPS + _STEPS * len(text)
    while True:
        count += 1
        if not count & 0xFFF:
            clock.check()
        found = token(text, at)
        if found is None:
            raise Malformed(f"unexpected text at {at}")
        mark, start, at = found[1], found.start(1), found.end()
        if expects == "end":
            if mark:
                raise Malformed(f"text after the document at {start}")
            return
        if expects in ("value", "value or ]"):
            if mark in ("{", "["):
                if len(path) >= DEEPEST:
                    raise LimitReached("nesting")
                path.append(0 if mark == "[" else "")
                expects = "value or ]" if mark == "[" else "key or }"
                continue
            if mark == "]" and expects == "value or ]":
                path.pop()
            else:
                value, at = _scalar(text, mark, start, at)
                steps -= len(path)
                if steps < 0:
                    raise LimitReached("nesting")
                yield Member(tuple(path), value, start)
            expects = "more" if path else "end"
        elif expects in ("key", "key or }"):
            if mark == '"':
                path[-1], at = _string(text, start)
                expects = ":"
            elif mark == "}" and expects == "key or }":
                path.pop()
                expects = "more" if path else "end"
            else:
                raise Malformed(f"a key is missing at {start}")
        elif expects == ":":
            if mark != ":":
                raise Malformed(f"a colon is missing at {start}")
            expects = "value"
        else:
            step = path[-1]
            if mark == ",":
                if isinstance(step, int):
                    path[-1] = step + 1
                expects = "value" if isinstance(step, int) else "key"
            elif mark == ("]" if isinstance(step, int) else "}"):
                path.pop()
                expects = "more" if path else "end"
            else:
                raise Malformed(f"a comma is missing at {start}")


def _scalar(text: str, mark: str, start: int, end: int) -> tuple[Scalar, int]:
    if mark == '"':
        return _string(text, start)
    if mark in _WORDS:
        return _WORDS[mark], end
    if not mark or mark in "]},:":
        raise Malformed(f"a value is missing at {start}")
    try:
        return json.loads(mark), end
    except ValueError:
        return mark, end  # more digits than Python converts


def _string(text: str, start: int) -> tuple[str, int]:
    try:
        value, end = scanstring(text, start + 1, True)  # noqa: FBT003 - the C function takes no names
    except ValueError as error:
        raise Malformed(str(error)) from error
    return value, end


_WORDS: dict[str, Scalar] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"[ \t\n\r]*+([{}\[\],:\"]|true|false|null|NaN|-?Infinity"
        r"|-?(?:0|[1-9]\d*+)(?:\.\d++)?+(?:[eE][-+]?\d++)?+|\Z)",
        re.ASCII,
    )


@cache
def _escapes() -> re.Pattern[str]:
    # An escaped character of ASCII: nobody needs to write a letter so.
    return re.compile(r"\\u00[2-7]")
