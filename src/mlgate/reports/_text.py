"""Make text that an attacker may have written fit to be shown, and count things in words."""

import re
from collections.abc import Iterable

from mlgate.core.facts import Location

# Characters that count as printable and yet leave no mark: combining grapheme joiner,
# Hangul fillers, Khmer inherent vowels, Mongolian and other variation selectors, Braille blank.
_INVISIBLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Commands of GitHub's and Azure's runners, wherever in a line they stand.
COMMAND = re.compile(r"##(?=\w*\[)")
_LEADING = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*)::")
# Longer text is for machines, which read JSON.
LONGEST = 10_000
DASH = "\N{EN DASH}"


def is_shown(character: str) -> bool:
    """Say whether a character can be shown as it is.

    Controls, ANSI escapes, bidirectional overrides, zero-width and private characters,
    lone surrogates and every white space but the plain blank cannot.
    """
    return character.isprintable() and ord(character) not in _INVISIBLE


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with every character that cannot be shown written as an escape.

    The result has no character that moves a cursor, reorders its neighbours, hides, or
    fails to encode: a line break becomes ``\n``, an escape ``\x1b``. What a CI runner
    takes for a command wherever it stands (``##[error]``) is broken up. At most
    :data:`LONGEST` characters are kept.
    """
    text = clip(text, LONGEST)
    if "##" in text:
        text = COMMAND.sub(r"#\\x23", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if is_shown(one) else _escape(one) for one in text)


def harmless(line: str) -> str:
    """Return a line that no CI runner takes for a workflow command (``::error::``)."""
    return _LEADING.sub(r"\1\\x3a:", line)


def _escape(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clip(text: str, limit: int) -> str:
    """Cut to at most ``limit`` characters, the last one being an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(text: str, *, lines: int, width: int) -> tuple[str, ...]:
    """Return at most ``lines`` printable lines of at most ``width`` characters, and say what was cut."""
    every = text.replace("\r\n", "\n").strip("\n").split("\n")
    shown = [
        clip(harmless(printable(line[: width + 1].replace("\t", "    "))), width) for line in every[:lines]
    ]
    if len(every) > lines:
        shown.append(f"… {counted(len(every) - lines, 'more line')}")
    return tuple(shown)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 finding``, ``2 findings``, ``26,000 findings``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """Join the words that are not empty by a middle dot."""
    return " · ".join(word for word in words if word)


def place(location: Location) -> str:
    """Return where in its file something is, for a person; "" for the file as a whole."""
    parts = [printable(location.member)] if location.member is not None else []
    if location.line is not None:
        parts.append(f"line {location.line}")
    elif location.offset is not None:
        parts.append(f"byte {location.offset}")
    return ", ".join(parts)


def where(location: Location) -> str:
    """Return path and place on one line."""
    return printable(str(location)) or "(repository)"


def size(count: int) -> str:
    """Return a number of bytes in binary units, at most three digits and a decimal."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def figure(value: float | None) -> str:
    """Return a measured number with three decimals, or a dash for none or not a number.

    Numbers that three decimals would hide or swell have three significant digits: ``0.00012``,
    ``1.2e+09``; an infinite one is ``inf``.
    """
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return DASH
    if value and not 0.0005 <= abs(value) < 1e6:
        # A whole number may be too large for a float.
        return f"{value:.3g}" if abs(value) < 1e308 else f"{'-' if value < 0 else ''}inf"
    return f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Return ``[0.480, 0.560]``, or a dash where there is no interval."""
    return DASH if low is None or high is None else f"[{figure(low)}, {figure(high)}]"


def moment(started: str) -> str:
    """Return an ISO 8601 time in UTC for a person: ``2026-01-15 10:20:30 UTC``."""
    zone = " UTC" if started.endswith(("Z", "+00:00")) else ""
    return printable(started.removesuffix("Z").removesuffix("+00:00").replace("T", " ", 1)) + zone
