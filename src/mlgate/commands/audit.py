"""``mlgate audit``: the dependency check alone."""

import argparse

from mlgate.commands import _run
from mlgate.core.facts import Check

HELP = "the dependency check alone, on manifests or folders"
ORDER = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the manifests or folders."""
    _run.named(parser)
    _run.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check dependencies."""
    if len({path.is_dir() for path in arguments.path}) > 1:
        arguments.fail("name manifests or folders, not both at once")
    return _run.run(arguments, _run.paths(arguments, Check.DEPENDENCIES))
