"""``mlgate baseline``: adopt the gate on a repository as it stands."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from mlgate import adoption, console
from mlgate.commands import _run
from mlgate.policy import load
from mlgate.reports._text import counted, printable

HELP = "write down what there is today, so that only what is new fails"
ORDER = 52
_SHOWN = 10


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and whether new entries are taken."""
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    parser.add_argument(
        "--accept-new", action="store_true", help="take what is new too; without it a baseline only shrinks"
    )
    _run.inputs(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the baseline, and say what it holds and what it cannot hold.

    Raises:
        CommandError: The policy or the target is at fault, or the file cannot be written.
    """
    request = _run.request(arguments, root=arguments.path)
    try:
        done = adoption.write(request, accept_new=arguments.accept_new)
    except adoption.AdoptionError as error:
        raise console.CommandError(str(error)) from error
    request.progress("")
    console.write(_words(done))
    return 0


def _words(done: adoption.Adoption) -> str:
    total = done.kept + len(done.added)
    change = f"{len(done.added):,} new, {done.kept:,} kept, {done.removed:,} removed"
    lines = [f"Wrote {printable(done.path)}: {counted(total, 'entry', 'entries')} ({change})."]
    if done.refused:
        lines.append(f"{counted(len(done.refused), 'finding')} not in it, because a baseline only shrinks:")
        lines += _listed(map(str, done.refused))
        lines.append("Fix them; or take them too, which a reviewer should see: --accept-new.")
    if done.left:
        lines.append("What no baseline can hold, and still counts:")
        lines += _listed(done.left)
    if not done.named:
        policy = done.policy or load.NAME
        start = "" if done.policy else "run `mlgate init`, then "
        lines.append(f"Next: {start}add the line `baseline: {done.path}` to {printable(policy)}.")
    return "\n".join(lines) + "\n"


def _listed(words: Iterable[str]) -> list[str]:
    every = [f"  - {printable(each)}" for each in words]
    more = len(every) - _SHOWN
    return [*every[:_SHOWN], *([f"  - and {more:,} more"] if more > 0 else [])]
