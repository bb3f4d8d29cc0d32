"""``mlgate scan``: the model-file check alone."""

import argparse

from mlgate.commands import _run
from mlgate.core.facts import Check

HELP = "the model-file check alone, on files and folders"
ORDER = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and folders."""
    _run.named(parser)
    _run.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check model files."""
    return _run.run(arguments, _run.paths(arguments, Check.MODELS))
