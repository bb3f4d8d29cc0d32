"""JSON text that every parser reads and no terminal obeys."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from mlgate.reports._text import is_shown

_DEEPEST, _LONGEST_NUMBER = 32, 4096
# Not shown as they are; and what a CI runner would take for a command (`##[error]`).
_SPECIAL = re.compile(r"[^\n -~]|#(?=#\w*\[)")


def dumps(value: Any) -> str:
    """Encode plain values, two blanks of indent, keys in their order, one line break at the end.

    The text is UTF-8 and holds no control, bidirectional or zero-width character: these
    are JSON escapes. A lone surrogate, which strict parsers refuse, becomes the six
    visible characters of its escape.
    """
    reduced = plain(value)
    try:
        # The same text, in a tenth of the time that the standard library's indented form takes.
        text = msgspec.json.format(msgspec.json.encode(reduced), indent=2).decode()
    except (UnicodeEncodeError, OverflowError):  # lone surrogates; numbers of more than 64 bits
        text = json.dumps(reduced, indent=2, ensure_ascii=False, allow_nan=False)
    return _SPECIAL.sub(_escape, text) + "\n"


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if is_shown(character) and character != "#":
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return f"\\\\u{code:04x}"
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def plain(value: Any, depth: int = 0) -> Any:
    """Reduce a value to what JSON can say: numbers that are not finite become null."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        # Python refuses to write longer ones in decimal digits.
        return value if value.bit_length() <= _LONGEST_NUMBER else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item, depth + 1) for item in items]
    if isinstance(value, bytes):
        return value.hex()
    # Deeper than anybody reads: not even turned into text, which would go to its bottom.
    return "…" if isinstance(value, Mapping | list | tuple | set | frozenset) else str(value)
