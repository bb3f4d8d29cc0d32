"""TOML with the lines on which things stand, which the standard reader does not tell."""

import re
from collections.abc import Iterator
from typing import Any

from mlgate.checks.dependencies.manifest import Unreadable

_LINE = re.compile(r"line (\d+)")
# The standard reader keeps every beginning of a dotted key: 200 KB of dots take 40 GB.
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"""(?<![\w.\-"']){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{50,}}""")
_TABLE = re.compile(r"^\s*\[")


def load(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return the document and its lines.

    Raises:
        Unreadable: It is not TOML.
    """
    import tomllib  # noqa: PLC0415 - start-up time

    try:
        text = data.decode("utf-8-sig")
        if _LONG_KEY.search(text):
            raise Unreadable("unparseable", "has a key of more than 50 parts; no lock file has")
        return tomllib.loads(text), text.split("\n")
    except RecursionError as error:
        raise Unreadable("unparseable", "is nested too deeply to be a lock file") from error
    except ValueError as error:
        # Not only TOMLDecodeError: numbers of a thousand digits and bytes that are no UTF-8.
        found = _LINE.search(str(error))
        message = f"is not valid TOML: {error}; write it anew with the tool that made it"
        raise Unreadable("unparseable", message, int(found[1]) if found else None) from error


def tables(lines: list[str], name: str, count: int) -> list[tuple[int | None, int | None]]:
    """Return (first, last) 1-based lines of each ``[[name]]`` table, last exclusive.

    Where there are not exactly ``count`` of them (text that only looks like a table, or
    an array written inline), no line can be told, and every pair is (None, None).
    """
    header = re.compile(rf"^\s*\[\[\s*\"?{re.escape(name)}\"?\s*\]\]\s*(?:#.*)?$")
    starts = [number for number, line in enumerate(lines, 1) if header.match(line)]
    if not starts or len(starts) != count:
        return [(None, None)] * count
    return [*zip(starts, [*starts[1:], len(lines) + 1], strict=True)]


def line_of(lines: list[str], key: str, section: tuple[int | None, int | None]) -> int | None:
    """Return the line of a key of a table, or the table's own line where it has none."""
    first, last = section
    if first is None or last is None:
        return None
    wanted = re.compile(rf"^\s*\"?{re.escape(key)}\"?\s*=")
    for number in range(first + 1, last):
        line = lines[number - 1]
        if wanted.match(line):
            return number
        if _TABLE.match(line):
            break
    return first


def strings(lines: list[str], wanted: set[str]) -> Iterator[tuple[str, int]]:
    """Yield (text, line) for each quoted string on a line of its own, or in a list, that is wanted."""
    for number, line in enumerate(lines, 1):
        for quoted in re.findall(r'"([^"\\]*)"|\'([^\']*)\'', line):
            text = quoted[0] or quoted[1]
            if text in wanted:
                yield text, number
