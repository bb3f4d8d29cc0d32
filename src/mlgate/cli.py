"""The command line: parse, run one command, return its exit code. The one wall around all of it."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from types import ModuleType

from mlgate import __version__, console
from mlgate.core import discovery
from mlgate.core.report import Verdict

UNDECIDED = Verdict.UNDECIDED.exit_code

_COMMANDS = "mlgate.commands"
_EPILOG = """\
exit codes:
  0  pass       everything in scope was checked, and nothing reaches its threshold
  1  fail       at least one finding does
  2  undecided  something could not be checked, or the policy or the arguments are at fault

Start with `mlgate init`, then `mlgate check`.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing is raised but by argparse."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser(argv[0] if argv else None).parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the report has had enough; keep the interpreter from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNDECIDED
    except KeyboardInterrupt:
        return _undecided("interrupted; nothing was decided")
    except console.CommandError as error:
        return _undecided(str(error))
    except Exception as error:
        if os.environ.get("MLGATE_DEBUG"):
            raise
        return _undecided(f"internal error: {type(error).__name__}: {error}; MLGATE_DEBUG=1 shows where")
    return code


def _undecided(message: str) -> int:
    console.complain(message)
    return UNDECIDED


def _parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of every command, or of the one that is about to run: a scan loads no other."""
    parser = argparse.ArgumentParser(
        prog="mlgate",
        description="Decide whether a change to a machine-learning repository may merge.",
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=console.columns() - 2),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mlgate {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    alone = command in discovery.names(_COMMANDS)
    found = [discovery.module(_COMMANDS, str(command))] if alone else discovery.modules(_COMMANDS)
    _add(commands, found)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", modules: Sequence[ModuleType]
) -> None:
    for module in sorted(modules, key=lambda module: module.ORDER):
        name = module.__name__.rpartition(".")[2]
        description = f"{module.HELP[0].upper()}{module.HELP[1:]}."
        parser = commands.add_parser(
            name,
            help=module.HELP,
            description=description,
            formatter_class=partial(argparse.HelpFormatter, width=console.columns() - 2),
            allow_abbrev=False,
        )
        if hasattr(module, "__path__"):
            actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
            _add(actions, discovery.modules(module.__name__))
        else:
            module.arguments(parser)
            parser.set_defaults(run=module.run, fail=parser.error)
