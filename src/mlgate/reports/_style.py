"""How a report may look; never what it says."""

from msgspec import Struct


class Style(Struct, frozen=True):
    """How a report may look.

    Attributes:
        width: Columns of the terminal; no line of the terminal report is wider.
        color: True where ANSI colours are understood.
        quiet: Show only what fails or could not be checked, and the verdict.
        verbose: Show the inventory, the packages and long evidence too.
    """

    width: int = 80
    color: bool = False
    quiet: bool = False
    verbose: bool = False
