"""``mlgate init``: a policy to start from, and the hook for plain git."""

import argparse
from pathlib import Path

from mlgate import console, hook, profiles, starter
from mlgate.policy import load

HELP = "write a starter policy from what the repository holds, or install the git hook"
ORDER = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the profile, the hook, and whether what is there may be replaced."""
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    known = ", ".join(profiles.names())
    parser.add_argument(
        "--profile",
        choices=profiles.names(),
        default=profiles.DEFAULT,
        metavar="NAME",
        help=f"{known}; default: {profiles.DEFAULT}",
    )
    parser.add_argument(
        "--hook", action="store_true", help="install the pre-commit hook; a policy that is there stays"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace an existing policy; with --hook, an existing hook"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the policy, or install the hook, and say what was done.

    Raises:
        CommandError: One of them is there already, or cannot be written.
    """
    try:
        if arguments.hook:
            place = hook.install(arguments.path, force=arguments.force)
            console.write(f"Installed {place}: it looks at what is staged before each commit.\n")
        if not arguments.hook or not (arguments.path / load.NAME).exists():
            force = arguments.force and not arguments.hook
            console.write(starter.write(arguments.path, arguments.profile, force=force))
    except (hook.HookError, starter.StarterError) as error:
        raise console.CommandError(str(error)) from error
    return 0
