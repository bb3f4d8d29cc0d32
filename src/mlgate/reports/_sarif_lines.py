"""Fingerprints of lines in text files, as GitHub's ``upload-sarif`` computes them.

A line's mark is a hash of the 100 characters from its start on, blanks left out, and its
number among the lines with the same hash. Lines inserted above change neither.

Source: https://github.com/github/codeql-action/blob/main/src/fingerprints.ts
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mlgate.target import named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlgate.core.facts import Location

_WINDOW, _BASE, _MASK = 100, 37, (1 << 64) - 1
_POWERS = tuple(pow(_BASE, _WINDOW - 1 - place, 1 << 64) for place in range(_WINDOW))
_END = 0xFFFF
_LINE_END = re.compile("\r\n?")
_BLANKS = str.maketrans("", "", " \t")
# Larger texts are left to the uploader, which computes the same where a result has no mark.
_MOST_BYTES, _MOST_LINES = 2 << 20, 20_000


class Lines:
    """The marks of lines below a root; each file is read once.

    Args:
        root: Absolute path of the target's root.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        self._marks: dict[str, dict[int, str]] = {}

    def mark(self, location: Location) -> str | None:
        """Return ``primaryLocationLineHash`` of a text location.

        None where the file is gone, a link, no UTF-8 or too large, or has no such line.
        """
        if location.path not in self._marks:
            text = self._text(location.path)
            self._marks[location.path] = {} if text is None else dict(marks(text))
        return self._marks[location.path].get(max(location.line or 1, 1))

    def _text(self, path: str) -> str | None:
        file = named((), self._root).find(path) if path else None
        if file is None or file.kind != "file" or file.size > _MOST_BYTES:
            return None
        try:
            with file.open() as stream:
                data = stream.read(_MOST_BYTES + 1)
            # A byte that is no UTF-8 is read differently by everyone.
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        return None if len(data) > _MOST_BYTES or text.count("\n") > _MOST_LINES else text


def marks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the mark of every line, the empty one after the last line break too."""
    kept = _LINE_END.sub("\n", text).translate(_BLANKS)
    data = kept.encode("utf-16-le", "surrogatepass")
    codes = (*struct.unpack(f"<{len(data) // 2}H", data), _END)
    seen: Counter[int] = Counter()
    starts = (0, *(place + 1 for place, code in enumerate(codes) if code == 0x0A))
    for number, start in enumerate(starts, 1):
        window = codes[start : start + _WINDOW]
        digest = sum(code * power for code, power in zip(window, _POWERS, strict=False)) & _MASK
        seen[digest] += 1
        yield number, f"{digest:x}:{seen[digest]}"
