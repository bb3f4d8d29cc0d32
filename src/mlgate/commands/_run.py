"""What the commands that run the gate share: their options, the request, and the reports."""

import argparse
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from mlgate import console, gate, history, reports
from mlgate.core.facts import Check
from mlgate.core.report import Report
from mlgate.core.severity import Severity


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every run."""
    add = inputs(parser).add_argument
    add(
        "--report",
        action="append",
        type=_report,
        metavar="FORMAT[=FILE]",
        help=f"repeatable; {', '.join(reports.formats())}; without a file, standard output",
    )
    add(
        "--fail-on",
        choices=[severity.value for severity in Severity],
        metavar="SEVERITY",
        help="fail at this severity, whatever the policy says: info, low, medium, high, critical",
    )
    add(
        "--history",
        action="append",
        type=Path,
        metavar="PATH",
        help="JSON reports of earlier runs, or a folder of them, to compare with; repeatable",
    )
    add(
        "--policy-ref",
        metavar="REF",
        help="judge by the policy as it is at REF; what the one here would loosen is a finding",
    )
    add("--changed-since", metavar="REF", help="only files that differ from the merge base with REF")
    add("--staged", action="store_true", help="only what is staged for the next commit, read from the index")


def inputs(parser: argparse.ArgumentParser) -> "argparse._ArgumentGroup":
    """Add what a run rests on, whatever comes of it, and return the group of options."""
    group = parser.add_argument_group("options of every run")
    add = group.add_argument
    add("--policy", type=Path, metavar="FILE", help="default: .mlgate.yaml at the root, if there is one")
    add("--jobs", type=_jobs, metavar="N", help="worker processes for model files; default: as many as help")
    add("--advisories", type=Path, metavar="PATH", help="a directory or zip of OSV records")
    add("--offline", action="store_true", help="never use the network")
    noise = parser.add_mutually_exclusive_group().add_argument
    noise("-q", "--quiet", action="store_true", help="only what fails the run")
    noise("-v", "--verbose", action="store_true", help="also the inventory and the packages")
    parser.set_defaults(fail_on=None, policy_ref=None, changed_since=None, staged=False)
    return group


def named(parser: argparse.ArgumentParser) -> None:
    """Add the files and folders that a command is for."""
    parser.add_argument("path", nargs="*", type=Path, metavar="PATH")
    parser.add_argument(
        "--force-exclude",
        action="store_true",
        help="leave out what the policy excludes, even where it is named; for hooks",
    )


def paths(arguments: argparse.Namespace, check: Check) -> gate.Request:
    """Return the request for one check on the files and folders that are named."""
    wanted = tuple(arguments.path)
    partial = arguments.staged or arguments.changed_since is not None
    if not wanted and not partial:
        arguments.fail("name at least one file or folder (or --staged, or --changed-since REF)")
    return request(
        arguments,
        root=Path.cwd(),
        checks=(check,),
        paths=wanted or None,
        force_exclude=arguments.force_exclude,
    )


def request(arguments: argparse.Namespace, **own: Any) -> gate.Request:
    """Return the request that the shared options and the command's ``own`` fields make."""
    return gate.Request(
        policy=arguments.policy,
        policy_ref=arguments.policy_ref,
        fail_on=Severity(arguments.fail_on) if arguments.fail_on else None,
        advisories=arguments.advisories,
        offline=arguments.offline,
        changed_since=arguments.changed_since,
        staged=arguments.staged,
        jobs=arguments.jobs,
        progress=console.progress(quiet=arguments.quiet),
        **own,
    )


def run(arguments: argparse.Namespace, request: gate.Request) -> int:
    """Run the gate, write every report that is asked for, and return the exit code.

    Raises:
        CommandError: A report cannot be written.
    """
    wanted = arguments.report or [("terminal", None)]
    if len([target for _, target in wanted if target is None]) > 1:
        arguments.fail("only one report can go to standard output; give the others a file (FORMAT=FILE)")
    report = gate.run(request)
    request.progress("")
    if arguments.history:
        report = _compared(report, arguments.history)
    for name, target in wanted:
        style = console.style(target, quiet=arguments.quiet, verbose=arguments.verbose)
        console.write(reports.load(name).render(report, style), target)
    return report.exit_code


def _compared(report: Report, named: list[Path]) -> Report:
    found = history.read(named)
    for problem in found.unreadable:
        console.complain(f"--history: {problem}")
    return replace(report, history=found)


def _report(text: str) -> tuple[str, Path | None]:
    name, _, target = text.partition("=")
    if name not in reports.formats():
        raise argparse.ArgumentTypeError(f"no report format {name!r}; one of {', '.join(reports.formats())}")
    return name, Path(target) if target not in ("", "-") else None


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 256")
    return int(text)
