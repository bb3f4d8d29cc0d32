"""``mlgate rules``: every rule there is."""

import argparse

from mlgate import console, rulebook, rules

HELP = "every rule"
ORDER = 70
_RENDER = {
    "table": rulebook.render_table,
    "json": rulebook.render_json,
    "markdown": rulebook.render_markdown,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the format."""
    parser.add_argument("--format", choices=list(_RENDER), default="table")


def run(arguments: argparse.Namespace) -> int:
    """Write every rule."""
    console.write(_RENDER[arguments.format](rules.load()))
    return 0
