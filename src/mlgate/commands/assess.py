"""``mlgate assess``: the assessments that the policy names."""

import argparse
from pathlib import Path

from mlgate.commands import _run
from mlgate.core.facts import Check

HELP = "the assessments that the policy names"
ORDER = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the assessments' names."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="default: all")
    _run.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the assessments, or those that are named."""
    wanted = _run.request(
        arguments, root=Path.cwd(), checks=(Check.ASSESSMENT,), assessments=tuple(arguments.name)
    )
    return _run.run(arguments, wanted)
