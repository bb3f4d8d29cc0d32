"""The commands of the command line: each public module here is one, and is named as it is.

A command is one module with ``HELP``, ``ORDER``, ``arguments`` and ``run``; a new one needs
no edit elsewhere. A package with ``HELP`` and ``ORDER`` is a group, whose modules are its
actions: ``mlgate policy check``. Only the command that runs is imported.
"""

import argparse
from typing import Protocol


class Command(Protocol):
    """What a module of this package provides.

    Attributes:
        HELP: One line about it, in lower case and without a full stop.
        ORDER: Its place in ``mlgate --help``; smaller numbers stand first.
    """

    HELP: str
    ORDER: int

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments to its own parser."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the command and return its exit code.

        ``arguments.fail(message)`` ends the program as argparse does where arguments do not
        go together. What is written is written by :mod:`mlgate.console`.

        Raises:
            CommandError: It cannot do what is asked; the exit code is 2.
        """
        ...
