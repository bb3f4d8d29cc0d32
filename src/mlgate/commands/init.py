"""``mlgate init``: a starter policy."""

import argparse
from pathlib import Path

from mlgate import console, starter

HELP = "write a starter policy from what the repository holds"
ORDER = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and whether a policy may be replaced."""
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    parser.add_argument("--force", action="store_true", help="replace an existing policy")


def run(arguments: argparse.Namespace) -> int:
    """Write the starter policy and say what was found.

    Raises:
        CommandError: There is a policy already, or it cannot be written.
    """
    try:
        console.write(starter.write(arguments.path, force=arguments.force))
    except starter.StarterError as error:
        raise console.CommandError(str(error)) from error
    return 0
