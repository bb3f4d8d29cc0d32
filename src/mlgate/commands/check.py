"""``mlgate check``: the whole gate on a repository."""

import argparse
from pathlib import Path

from mlgate import gate
from mlgate.commands import _run
from mlgate.core.facts import Check

HELP = "the whole gate on a repository, by its policy"
ORDER = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and which checks run."""
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    parser.add_argument("--checks", type=_checks, metavar="LIST", help="only these, e.g. models,dependencies")
    _run.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the gate on a repository."""
    checks = arguments.checks or gate.ALL
    return _run.run(arguments, _run.request(arguments, root=arguments.path, checks=checks))


def _checks(text: str) -> tuple[Check, ...]:
    known = {check.value: check for check in gate.ALL}
    for name in text.split(","):
        if name not in known:
            raise argparse.ArgumentTypeError(f"no check {name!r}; one of {', '.join(known)}")
    return tuple(known[name] for name in text.split(","))
