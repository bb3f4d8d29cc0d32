"""``mlgate policy schema``: the policy's JSON Schema."""

import argparse
import json

from mlgate import console
from mlgate.policy import editor

HELP = "print the policy's JSON Schema, for editors"
ORDER = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is one schema."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - what every command takes
    """Write the schema."""
    console.write(json.dumps(editor.schema(), indent=2) + "\n")
    return 0
