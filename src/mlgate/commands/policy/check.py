"""``mlgate policy check``: whether a policy file is valid."""

import argparse
from pathlib import Path

from mlgate import console, governance
from mlgate.policy import load
from mlgate.policy.document import PolicyError

HELP = "say whether a policy file is valid"
ORDER = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the policy file."""
    default = Path(load.NAME)
    parser.add_argument(
        "file", nargs="?", type=Path, default=default, metavar="FILE", help=f"default: {default}"
    )


def run(arguments: argparse.Namespace) -> int:
    """Say whether the policy is valid, and the baseline that it names.

    Raises:
        CommandError: It is not; the text names file, line and key.
    """
    try:
        loaded = governance.on_disk(Path.cwd(), arguments.file)
    except PolicyError as error:
        raise console.CommandError(str(error)) from error
    console.write(f"{arguments.file}: a valid policy (sha256 {loaded.sha256})\n")
    return 0
