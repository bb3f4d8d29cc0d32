"""``mlgate waivers``: what is accepted for a time, and for how long still."""

import argparse
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from mlgate import console, gate, governance
from mlgate.commands import _run
from mlgate.core.report import WaiverStatus
from mlgate.policy import load
from mlgate.policy.document import PolicyError
from mlgate.policy.verdict import decide
from mlgate.reports._encode import dumps
from mlgate.reports._text import counted, printable

HELP = "what the policy accepts for a time, and how long still"
ORDER = 54
_FORMATS = ("table", "json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, what is asked of the waivers, and whether the gate is run to see their use."""
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="default: .")
    parser.add_argument(
        "--within",
        type=_days,
        metavar="DAYS",
        help="exit with 1 where one ends within so many days, or has ended",
    )
    parser.add_argument(
        "--run", action="store_true", dest="runs", help="run the gate too, to see which ones are used"
    )
    parser.add_argument("--format", choices=_FORMATS, default="table")
    _run.inputs(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the waivers, those that end soonest first; return 1 where one ends within the days asked for.

    Raises:
        CommandError: There is no policy, or it is not valid.
    """
    today = dt.datetime.now(dt.UTC).date()
    path, waivers = _after_a_run(arguments) if arguments.runs else _as_written(arguments, today)
    waivers = sorted(waivers, key=lambda waiver: (waiver.expires, waiver.summary))
    left = [(dt.date.fromisoformat(waiver.expires) - today).days for waiver in waivers]
    render = _json if arguments.format == "json" else _table
    console.write(render(path, waivers, left))
    return int(arguments.within is not None and any(days <= arguments.within for days in left))


def _as_written(arguments: argparse.Namespace, today: dt.date) -> tuple[str, Sequence[WaiverStatus]]:
    file = arguments.policy or arguments.path / load.NAME
    try:
        loaded = governance.on_disk(arguments.path, file)
    except PolicyError as error:
        raise console.CommandError(str(error)) from error
    return loaded.path or load.NAME, decide(loaded, (), (), today, complete=False).waivers


def _after_a_run(arguments: argparse.Namespace) -> tuple[str, Sequence[WaiverStatus]]:
    request = _run.request(arguments, root=arguments.path)
    report = gate.run(request)
    request.progress("")
    if report.policy.sha256 is None:
        why = next((f": {entry.item.message}" for entry in report.not_checked), "")
        raise console.CommandError(f"{report.policy.path or load.NAME}: no policy to list{why}")
    return report.policy.path or load.NAME, report.waivers


def _table(path: str, waivers: Sequence[WaiverStatus], left: Sequence[int]) -> str:
    if not waivers:
        return f"{printable(path)} waives nothing.\n"
    lines = [f"{'left':>9}  {'until':<10}  {'status':<8}  waiver"]
    for waiver, days in zip(waivers, left, strict=True):
        status = "not run" if waiver.status == "unknown" else waiver.status
        term = "ended" if days < 0 else counted(days, "day")
        place = f" (line {waiver.line})" if waiver.line else ""
        lines += [
            f"{term:>9}  {waiver.expires:<10}  {status:<8}  {printable(waiver.summary)}{place}",
            f"{'':33}{printable(waiver.reason)}",
        ]
    if any(waiver.status == "unknown" for waiver in waivers):
        lines.append("`mlgate waivers --run` runs the gate and says which of them are still needed.")
    return "\n".join(lines) + "\n"


def _json(path: str, waivers: Sequence[WaiverStatus], left: Sequence[int]) -> str:
    listed = [
        {**{name: getattr(waiver, name) for name in waiver.__struct_fields__}, "days_left": days}
        for waiver, days in zip(waivers, left, strict=True)
    ]
    return dumps({"version": 1, "policy": path, "waivers": listed})


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)
