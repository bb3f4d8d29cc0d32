"""The text of a requirements file as pip sees it: decoded, joined, without comments."""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from msgspec import Struct

from mlgate.checks.dependencies.manifest import Unreadable, shown

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_CODECS = re.compile(r"^(?:utf-(?:8|16|32)|ascii|iso8859-|cp\d|koi8|gb|big5|euc_|shift_jis)")


def decode(data: bytes) -> str:
    """Decode by byte order mark, coding comment (PEP 263) or as UTF-8, in this order.

    Raises:
        Unreadable: It is not text.
    """
    encoding = "utf-8"
    for mark, name in _BOMS:
        if data.startswith(mark):
            encoding = name
            data = data[len(mark) :] if name == "utf-8" else data
            break
    else:
        for first in data.split(b"\n", 2)[:2]:
            if found := _CODING.match(first):
                encoding = found[1].decode("ascii")
    try:
        text = data.decode(_trusted(encoding))
    except (LookupError, ValueError) as error:
        raise Unreadable(
            "unparseable", f"is not text in {shown(encoding, 40)}; save it as UTF-8 without other bytes"
        ) from error
    if "\0" in text:
        raise Unreadable("unparseable", "holds NUL characters; save it as UTF-8 text")
    return text


def _trusted(encoding: str) -> str:
    """Refuse codecs that hide text (UTF-7, rot13) or take forever (punycode)."""
    if not _CODECS.match(codecs.lookup(encoding).name):
        raise LookupError(encoding)
    return encoding


_MOST_PARTS = 100_000
# Where pip splits.
_SPLITS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"


def _ends(text: str) -> int:
    """Count line ends as editors do; pip splits at more."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


@cache
def _line() -> re.Pattern[str]:
    # What str.splitlines does, line by line.
    return re.compile(rf"([^{_SPLITS}]*+)(\r\n|[{_SPLITS}]|\Z)")


@cache
def _blank() -> re.Pattern[str]:
    return re.compile(r"\s++")


@cache
def _hash() -> re.Pattern[str]:
    return re.compile(r"(?:\A|(?<=\s))#")


class Logical(Struct, frozen=True):
    """One logical line.

    Attributes:
        number: 1-based line on which it starts.
        text: Joined, without its comment.
        doubt: Why installers do not agree on where it ends, or "".
    """

    number: int
    text: str
    doubt: str = ""


def logical_lines(text: str) -> Iterator[Logical]:
    """Yield joined lines without comments, as pip joins them.

    uv ends a line at a comment's end, whatever backslash stands there, and reads a new
    requirement where a backslash glues one to the text before. Both are said.

    Raises:
        Unreadable: More lines are joined to one than anybody writes.
    """
    number = 1
    start = 1
    parts: list[str] = []
    at = 0
    while at < len(text):
        if not parts:
            blank = _blank().match(text, at)
            number += _ends(blank[0]) if blank else 0
            at = blank.end() if blank else at
        found = _line().match(text, at)
        if found is None:
            break
        line, end, at = found[1], found[2], found.end()
        comment = line.lstrip().startswith("#")
        start = start if parts else number
        number += _ends(end)
        if line.endswith("\\") and not comment:
            if len(parts) == _MOST_PARTS:
                raise Unreadable("limit", f"joins more than {_MOST_PARTS} lines to one; shorten it", start)
            parts.append(line.strip("\\"))
            continue
        parts.append(f" {line}" if comment else line)
        yield from _logical(start, parts)
        parts = []
    yield from _logical(start, parts)


def _logical(number: int, parts: list[str]) -> Iterator[Logical]:
    joined = _without_comment("".join(parts))
    if joined:
        yield Logical(number, joined, _doubt(parts))


def _doubt(parts: list[str]) -> str:
    last = " "  # of all that stands before a part
    for part, after in pairwise(parts):
        if _comment(last + part) >= 0:
            return (
                "a comment on this line ends in a backslash, after which pip goes on with the comment and uv "
                "with a new line; remove the backslash"
            )
        last = part[-1:] or last
        if last.strip() and after[:1].strip():
            return (
                "a backslash joins this line to the next without a blank between them, which pip and uv read "
                "differently; put a blank before the backslash"
            )
    return ""


def _comment(line: str) -> int:
    """Return where the first ``#`` stands that starts the line or follows white space, or -1."""
    found = _hash().search(line)
    return found.start() if found else -1


def _without_comment(line: str) -> str:
    at = _comment(line)
    return (line if at < 0 else line[:at]).strip()
