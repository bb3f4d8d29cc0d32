"""The command line: parse, call the gate, write the reports, return the exit code."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlgate import __version__, gate, reports, rules
from mlgate.core.facts import Check
from mlgate.core.report import Verdict
from mlgate.core.severity import Severity
from mlgate.policy import load
from mlgate.policy.document import PolicyError
from mlgate.reports import Style
from mlgate.reports._text import printable

UNDECIDED = Verdict.UNDECIDED.exit_code

_EPILOG = """\
exit codes:
  0  pass       everything in scope was checked, and nothing reaches its threshold
  1  fail       at least one finding does
  2  undecided  something could not be checked, or the policy or the arguments are at fault

Start with `mlgate init`, then `mlgate check`.
"""


class OutputError(Exception):
    """A report cannot be written."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing is raised but by argparse."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the report has had enough; keep the interpreter from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNDECIDED
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was decided")
    except OutputError as error:
        return _complain(str(error))
    except Exception as error:
        if os.environ.get("MLGATE_DEBUG"):
            raise
        return _complain(f"internal error: {type(error).__name__}: {error}; MLGATE_DEBUG=1 shows where")
    return code


def _complain(message: str) -> int:
    # A file's name may be part of it, and a CI runner takes commands from what is printed.
    print(f"mlgate: {printable(message)}", file=sys.stderr)
    return UNDECIDED


def _check(arguments: argparse.Namespace) -> int:
    return _run(arguments, gate.Request(root=arguments.path, checks=_checks(arguments), **_shared(arguments)))


def _checks(arguments: argparse.Namespace) -> tuple[Check, ...]:
    return tuple(Check(name) for name in arguments.checks.split(",")) if arguments.checks else gate.ALL


def _scan(arguments: argparse.Namespace) -> int:
    return _paths(arguments, Check.MODELS)


def _audit(arguments: argparse.Namespace) -> int:
    return _paths(arguments, Check.DEPENDENCIES)


def _paths(arguments: argparse.Namespace, check: Check) -> int:
    paths = tuple(arguments.path)
    partial = arguments.staged or arguments.changed_since is not None
    if not paths and not partial:
        arguments.fail("name at least one file or folder (or --staged, or --changed-since REF)")
    if check is Check.DEPENDENCIES and len({path.is_dir() for path in paths}) > 1:
        arguments.fail("name manifests or folders, not both at once")
    request = gate.Request(root=Path.cwd(), checks=(check,), paths=paths or None, **_shared(arguments))
    return _run(arguments, request)


def _assess(arguments: argparse.Namespace) -> int:
    names = tuple(arguments.name)
    request = gate.Request(
        root=Path.cwd(), checks=(Check.ASSESSMENT,), assessments=names, **_shared(arguments)
    )
    return _run(arguments, request)


def _shared(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "policy": arguments.policy,
        "fail_on": Severity(arguments.fail_on) if arguments.fail_on else None,
        "advisories": arguments.advisories,
        "offline": arguments.offline,
        "changed_since": arguments.changed_since,
        "staged": arguments.staged,
        "jobs": arguments.jobs,
        "progress": _progress(quiet=arguments.quiet),
    }


def _run(arguments: argparse.Namespace, request: gate.Request) -> int:
    wanted = arguments.report or [("terminal", None)]
    if len([target for _, target in wanted if target is None]) > 1:
        arguments.fail("only one report can go to standard output; give the others a file (FORMAT=FILE)")
    report = gate.run(request)
    request.progress("")
    for name, target in wanted:
        _write(reports.load(name).render(report, _style(arguments, target)), target)
    return report.exit_code


def _write(text: str, target: Path | None) -> None:
    if target is None:
        # Surrogates stand for bytes of file names that are not UTF-8.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def _style(arguments: argparse.Namespace, target: Path | None) -> Style:
    terminal = target is None and sys.stdout.isatty()
    color = bool(os.environ.get("FORCE_COLOR")) or (
        terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    width = 80
    if terminal:
        import shutil  # noqa: PLC0415 - a pipe has no width

        width = min(shutil.get_terminal_size((80, 24)).columns, 120)
    return Style(width=max(width, 40), color=color, quiet=arguments.quiet, verbose=arguments.verbose)


def _progress(*, quiet: bool) -> Callable[[str], None]:
    if quiet or not sys.stderr.isatty():
        return lambda _message: None

    def show(message: str) -> None:
        # One line, overwritten; an empty message clears it.
        text = "".join(character if character.isprintable() else "?" for character in message)[:78]
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)

    return show


def _rules(arguments: argparse.Namespace) -> int:
    from mlgate import rulebook  # noqa: PLC0415 - a scan does not need it

    render = {
        "table": rulebook.render_table,
        "json": rulebook.render_json,
        "markdown": rulebook.render_markdown,
    }
    _write(render[arguments.format](rules.load()), None)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from mlgate import rulebook  # noqa: PLC0415 - a scan does not need it

    wanted = arguments.rule.casefold()
    # Code scanning shows MLG-DEP-001-critical where a rule's severity varies.
    base = "-".join(wanted.split("-")[:3])
    for rule in rules.load():
        if rule.name.casefold() == wanted or rule.id.casefold() == base:
            _write(rulebook.render_rule(rule), None)
            return 0
    import difflib  # noqa: PLC0415 - only a mistake needs it

    names = [name for rule in rules.load() for name in (rule.id, rule.name)]
    close = difflib.get_close_matches(arguments.rule, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return _complain(f"there is no rule {arguments.rule}{hint} (`mlgate rules` lists them)")


def _init(arguments: argparse.Namespace) -> int:
    from mlgate import starter  # noqa: PLC0415 - a scan does not need it

    try:
        written = starter.write(arguments.path, force=arguments.force)
    except starter.StarterError as error:
        return _complain(str(error))
    _write(written, None)
    return 0


def _policy_check(arguments: argparse.Namespace) -> int:
    try:
        loaded = load.from_disk(arguments.file, arguments.file.as_posix())
        load.check_rules(loaded, (rule.id for rule in rules.load()))
    except PolicyError as error:
        return _complain(str(error))
    _write(f"{arguments.file}: a valid policy (sha256 {loaded.sha256})\n", None)
    return 0


def _policy_schema(_arguments: argparse.Namespace) -> int:
    import json  # noqa: PLC0415 - a scan does not need it

    _write(json.dumps(load.schema(), indent=2) + "\n", None)
    return 0


def _report_option(text: str) -> tuple[str, Path | None]:
    name, _, target = text.partition("=")
    if name not in reports.formats():
        raise argparse.ArgumentTypeError(f"no report format {name!r}; one of {', '.join(reports.formats())}")
    return name, Path(target) if target not in ("", "-") else None


def _checks_option(text: str) -> str:
    known = [check.value for check in gate.ALL]
    for name in text.split(","):
        if name not in known:
            raise argparse.ArgumentTypeError(f"no check {name!r}; one of {', '.join(known)}")
    return text


def _jobs_option(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 256")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlgate",
        description="Decide whether a change to a machine-learning repository may merge.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"mlgate {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    check = _command(commands, "check", "the whole gate on a repository, by its policy", _check, run=True)
    check.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    check.add_argument(
        "--checks", type=_checks_option, metavar="LIST", help="only these, e.g. models,dependencies"
    )
    scan = _command(commands, "scan", "the model-file check alone, on files and folders", _scan, run=True)
    scan.add_argument("path", nargs="*", type=Path, metavar="PATH")
    audit = _command(
        commands, "audit", "the dependency check alone, on manifests or folders", _audit, run=True
    )
    audit.add_argument("path", nargs="*", type=Path, metavar="PATH")
    assess = _command(commands, "assess", "the assessments that the policy names", _assess, run=True)
    assess.add_argument("name", nargs="*", metavar="NAME", help="default: all")

    init = _command(commands, "init", "write a starter policy from what the repository holds", _init)
    init.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    init.add_argument("--force", action="store_true", help="replace an existing policy")
    explain = _command(commands, "explain", "what a rule means, why it matters, how to fix it", _explain)
    explain.add_argument("rule", metavar="RULE", help="id or name, e.g. MLG-PKL-002")
    listing = _command(commands, "rules", "every rule", _rules)
    listing.add_argument("--format", choices=["table", "json", "markdown"], default="table")
    policy = commands.add_parser(
        "policy", help="check a policy file, or print its schema", allow_abbrev=False
    )
    actions = policy.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = _command(actions, "check", "say whether a policy file is valid", _policy_check)
    check.add_argument(
        "file", nargs="?", type=Path, default=Path(load.NAME), metavar="FILE", help=f"default: {load.NAME}"
    )
    _command(actions, "schema", "print the policy's JSON Schema, for editors", _policy_schema)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    function: Callable[[argparse.Namespace], int],
    *,
    run: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
    )

    def fail(message: str) -> NoReturn:
        parser.error(message)

    parser.set_defaults(command=function, fail=fail)
    if run:
        _shared_options(parser)
    return parser


def _shared_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("options of every run").add_argument
    add("--policy", type=Path, metavar="FILE", help="default: .mlgate.yaml at the root, if there is one")
    add(
        "--report",
        action="append",
        type=_report_option,
        metavar="FORMAT[=FILE]",
        help=f"repeatable; {', '.join(reports.formats())}; without a file, standard output",
    )
    add(
        "--fail-on",
        choices=[severity.value for severity in Severity],
        metavar="SEVERITY",
        help="fail at this severity, whatever the policy says: info, low, medium, high, critical",
    )
    add("--changed-since", metavar="REF", help="only files that differ from the merge base with REF")
    add("--staged", action="store_true", help="only what is staged for the next commit, read from the index")
    add(
        "--jobs",
        type=_jobs_option,
        metavar="N",
        help="worker processes for model files; default: as many as help",
    )
    add("--advisories", type=Path, metavar="PATH", help="a directory or zip of OSV records")
    add("--offline", action="store_true", help="never use the network")
    noise = parser.add_mutually_exclusive_group().add_argument
    noise("-q", "--quiet", action="store_true", help="only what fails the run")
    noise("-v", "--verbose", action="store_true", help="also the inventory and the packages")
