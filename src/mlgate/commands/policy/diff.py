"""``mlgate policy diff``: what a change to the policy loosens, and what it tightens."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mlgate import console, governance
from mlgate.policy import diff, load
from mlgate.policy.changes import Change
from mlgate.policy.directions import Effect
from mlgate.policy.document import PolicyError
from mlgate.policy.load import PolicyFile
from mlgate.reports._encode import dumps
from mlgate.reports._text import printable
from mlgate.target import TargetError

HELP = "say what a change to the policy loosens, and what it tightens"
ORDER = 30
_TITLES = {
    Effect.LOOSENED: "Loosened",
    Effect.CHANGED: "Changed, in a direction that a person must judge",
    Effect.TIGHTENED: "Tightened",
    Effect.REWORDED: "Without effect on what passes",
}
_YAML = (".yaml", ".yml")
_CODES = {Effect.LOOSENED: 1, Effect.CHANGED: 2}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two policies."""
    parser.add_argument(
        "base", metavar="BASE", help="a branch, tag or commit; or a policy file (.yaml, .yml)"
    )
    default = Path(load.NAME)
    parser.add_argument(
        "file", nargs="?", type=Path, default=default, metavar="FILE", help=f"default: {default}"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = "exit codes: 0 nothing is loosened, 1 something is, 2 something changed that may be"


def run(arguments: argparse.Namespace) -> int:
    """Compare two policies; return 0, 1 where something is loosened, 2 where something may be.

    Raises:
        CommandError: One of them cannot be read or is not valid.
    """
    root, file = Path.cwd(), arguments.file
    try:
        # A policy that is gone leaves the defaults, and that is a change too.
        gone = file == Path(load.NAME) and not file.exists()
        new = load.DEFAULT if gone else governance.on_disk(root, file)
        old = _base(root, arguments.base, file)
    except (PolicyError, TargetError) as error:
        raise console.CommandError(str(error)) from error
    changes = diff.compare(old, new)
    console.write(_json(changes) if arguments.format == "json" else _words(changes))
    return next((_CODES[change.effect] for change in changes if change.effect in _CODES), 0)


def _base(root: Path, base: str, file: Path) -> PolicyFile:
    """Return the policy at a git ref, or else in a YAML file.

    A file must not take a branch's place, nor that of a branch which was not fetched.
    """
    try:
        return governance.at_ref(root, base, governance.inside(file, root))[1]
    except TargetError:
        if not (base.endswith(_YAML) and Path(base).is_file()):
            raise
        return governance.on_disk(root, Path(base))


def _words(changes: Sequence[Change]) -> str:
    if not changes:
        return "Both policies decide alike.\n"
    lines: list[str] = []
    for effect, title in _TITLES.items():
        those = [change for change in changes if change.effect is effect]
        if those:
            lines += [f"{title}:", *(f"  {printable(f'{each.key}: {each.words}')}" for each in those)]
    return "\n".join(lines) + "\n"


def _json(changes: Sequence[Change]) -> str:
    listed = {
        effect.value: [
            {"key": each.key, "change": each.words, "line": each.line}
            for each in changes
            if each.effect is effect
        ]
        for effect in Effect
    }
    return dumps({"version": 1, **listed})
