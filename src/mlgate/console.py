"""What the command line writes, and where: results to standard output or a file, words to standard error."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mlgate.reports import Style
from mlgate.reports._text import printable


class CommandError(Exception):
    """A command cannot do what is asked of it. The text says why, and what to do next."""


def write(text: str, target: Path | None = None) -> None:
    """Write a result to ``target``, or to standard output.

    Raises:
        CommandError: The file cannot be written.
    """
    if target is None:
        # Surrogates stand for bytes of file names that are not UTF-8.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error.strerror or error}") from error


def complain(message: str) -> None:
    """Write one line about what went wrong to standard error."""
    # A file's name may be part of it, and a CI runner takes commands from what is printed.
    print(f"mlgate: {printable(message)}", file=sys.stderr)


def style(target: Path | None, *, quiet: bool = False, verbose: bool = False) -> Style:
    """Return how a report that goes to ``target`` may look."""
    terminal = target is None and sys.stdout.isatty()
    color = bool(os.environ.get("FORCE_COLOR")) or (
        terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    width = min(columns(), 120) if terminal else 80
    return Style(width=max(width, 40), color=color, quiet=quiet, verbose=verbose)


def columns() -> int:
    """Return the width of the terminal, as ``COLUMNS`` or the terminal itself says; 80 without one.

    ``shutil`` says the same, and brings three compression libraries along.
    """
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def progress(*, quiet: bool) -> Callable[[str], None]:
    """Return what shows progress: one line on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        return lambda _message: None

    def show(message: str) -> None:
        # One line, overwritten; an empty message clears it.
        text = "".join(character if character.isprintable() else "?" for character in message)[:78]
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)

    return show
