"""Paper of a fixed width for the terminal report: wrapped paragraphs and tables, never markup."""

from __future__ import annotations

import textwrap
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Literal
from unicodedata import combining, east_asian_width

from mlgate.reports._text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from mlgate.reports._style import Style

_NARROWEST = 40
# Columns that are not broken, on a terminal that has the room.
_WHOLE = frozenset({"value", "interval", "wanted", "n", "outcome", "size", "sha256"})
_NUMBERS = frozenset({"value", "n", "size", "block", "critical", "high", "lower", "accepted", "unread"})
_ROOMY = 76
# Of tables under a title of their own.
_INDENT = 3


class Paper:
    """Where a report is printed; all text that comes here is printable already.

    Attributes:
        width: Columns; no line is wider.
    """

    def __init__(self, style: Style) -> None:
        self._out = StringIO()
        self._color = style.color
        self.width = max(style.width, _NARROWEST)

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415 - heavy; a short plain report does without it

        return Console(
            file=self._out,
            width=self.width,
            force_terminal=self._color,
            color_system="standard" if self._color else None,
            no_color=not self._color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        """Return what was printed, without blanks at the ends of lines and commands at their starts."""
        return "\n".join(harmless(line.rstrip()) for line in self._out.getvalue().split("\n"))

    def gap(self) -> None:
        """Print an empty line."""
        self._out.write("\n")

    def line(self, *parts: tuple[str, str], lead: tuple[str, str] = ("", ""), indent: str = "") -> None:
        """Print a wrapped paragraph.

        Args:
            parts: Printable text and its style, joined.
            lead: Stands before the first line; not wrapped.
            indent: Stands before the other lines.
        """
        words = "".join(text for text, _ in parts)
        if not self._color and _narrow(lead[0] + words):
            self._plain(words, lead[0], indent)
            return
        from rich.text import Text  # noqa: PLC0415 - heavy; a short plain report does without it

        text = Text.assemble(*parts)
        before = Text(*lead)
        room = self.width - max(before.cell_len, len(indent))
        for line in text.wrap(self._console, max(room, 10)):
            self._console.print(Text.assemble(before, line), soft_wrap=True)
            before = Text(indent, lead[1])

    def _plain(self, words: str, lead: str, indent: str) -> None:
        room = self.width - max(len(lead), len(indent))
        before = lead
        for line in textwrap.wrap(words, max(room, 10), break_on_hyphens=False) or [""]:
            self._out.write(f"{before}{line}\n")
            before = indent

    def raw(self, lines: Iterable[str], style: str = "", indent: str = "") -> None:
        """Print lines that are wrapped already; only wide characters can make them wrap again."""
        for line in lines:
            self.line((line, style), lead=(indent, style), indent=indent)

    def title(self, words: str) -> None:
        """Print the title of a section."""
        self.line((words, "bold underline"))

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        total: int,
        styles: Mapping[str, str] | None = None,
        *,
        widths: Mapping[str, int] | None = None,
        head: bool = True,
    ) -> None:
        """Print a table, and a blank line where its widths are its own.

        Args:
            columns: Their heads.
            rows: Printable cells; a long one is folded.
            total: How many rows there are; those that are not shown are counted.
            styles: Style of the last cell of a row, by its word.
            widths: Of columns, where several tables are to be aligned; the first takes the rest.
            head: Print the heads.
        """
        from rich.table import Table  # noqa: PLC0415 - heavy; other formats do without it
        from rich.text import Text  # noqa: PLC0415 - heavy; other formats do without it

        table = Table(
            box=None,
            padding=(0, 1, 0, 0),
            header_style="dim",
            show_edge=False,
            show_header=head,
            expand=widths is not None,
        )
        table.add_column("", width=None if widths is None else _INDENT)
        for name in columns:
            whole = name in _WHOLE and self.width >= _ROOMY
            width = widths.get(name) if widths is not None and whole else None
            ratio = 1 if widths is not None and name == columns[0] else None
            side: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
            table.add_column(name, overflow="fold", no_wrap=whole, width=width, ratio=ratio, justify=side)
        for row in rows:
            cells = [Text(cell) for cell in row]
            cells[-1].stylize((styles or {}).get(row[-1], ""))
            table.add_row("", *cells)
        self._console.print(table)
        if total > len(rows):
            self.line((f"  … {total - len(rows):,} more: see --verbose", "dim"))
        if widths is None:
            self.gap()


def _narrow(text: str) -> bool:
    """Say whether every character fills one column, so that no layout engine is needed."""
    return text.isascii() or not any(east_asian_width(each) in "WF" or combining(each) for each in text)
