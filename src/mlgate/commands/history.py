"""``mlgate history``: how the verdict and its counts went."""

import argparse
from pathlib import Path

from mlgate import console, history
from mlgate.core.report import Verdict
from mlgate.reports import _encode, _trend

HELP = "verdicts and counts of earlier runs, from their JSON reports"
ORDER = 65


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the reports and the format."""
    parser.add_argument(
        "path", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="JSON reports, or folders of them"
    )
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("-v", "--verbose", action="store_true", help="every run, however many there are")


def run(arguments: argparse.Namespace) -> int:
    """Write the trend; the exit code is 2 where anything that was named could not be read."""
    found = history.read(arguments.path)
    if arguments.format == "json":
        console.write(_encode.dumps(_trend.values(found)))
    else:
        console.write(_trend.text(found, console.style(None, verbose=arguments.verbose)))
    complete = found.runs and not found.unreadable
    return Verdict.PASS.exit_code if complete else Verdict.UNDECIDED.exit_code
