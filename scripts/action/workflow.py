"""What a step says to GitHub's runner: outputs, the job's summary, annotations."""

# ruff: noqa: INP001, T201 - a script that talks to the runner on standard output

import datetime as dt
import json
import os
import re
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Limits of the runner: bytes of a step's summary, annotations of one type in one step.
_SUMMARY_BYTES = 1 << 20
_ANNOTATIONS = 10
_SOON = dt.timedelta(days=14)
_CUT = "\n\n... cut here: the summary is too long for GitHub. The HTML report has all of it.\n"


def outputs(values: Mapping[str, str]) -> None:
    """Set outputs of this step."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        for name, value in values.items():
            # A delimiter that nobody can guess: a value may hold any line.
            end = f"end-{uuid.uuid4().hex}"
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def summary(markdown: str) -> None:
    """Add to the job's summary, cut at a line where it would be too long."""
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("ab") as file:
        room = _SUMMARY_BYTES - file.tell()
        data = f"{markdown}\n".encode(errors="backslashreplace")
        if len(data) > room:
            data = data[: max(room - len(_CUT.encode()), 0)].rpartition(b"\n")[0] + _CUT.encode()
        file.write(data)


def text(message: str) -> str:
    """Return a message as Markdown that does nothing: no markup, mention, reference or link."""
    fence = "`" * (max((len(run) for run in re.findall("`+", message)), default=0) + 1)
    return f"{fence} {' '.join(message.split())} {fence}"


def command(kind: str, message: str, **properties: str | int) -> None:
    """Write one workflow command: ``error``, ``warning`` or ``notice``."""
    named = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    print(f"::{kind} {named}::{_data(message)}", flush=True)


def annotate(report: Mapping[str, Any], prefix: str) -> None:
    """Annotate what blocks, worst first, what was not checked, and what loosens the policy.

    Args:
        report: The JSON report; findings stand worst first.
        prefix: Of the working directory, from the workspace: "" or ``folder/``.
    """
    blocking = [each for each in report["findings"] if each["blocks"]]
    gaps = [each for each in report["not_checked"] if each["counts"]]
    # Whoever adds a waiver and stays red learns from it that the policy of the base judges.
    loosened = [each for each in report["findings"] if each["check"] == "policy" and not each["blocks"]][:1]
    for kind, each, title in (
        *(("error", finding, _title(finding)) for finding in blocking[:_ANNOTATIONS]),
        *(("warning", finding, _title(finding)) for finding in loosened),
        *(("warning", gap, f"not checked: {gap['reason']}") for gap in gaps[: _ANNOTATIONS - len(loosened)]),
    ):
        place: dict[str, str | int] = {}
        if each["path"] not in ("", "."):
            place["file"] = prefix + each["path"]
            place["line"] = each["line"] or 1
        command(kind, _message(each), **place, title=f"mlgate {title}")
    rest = (
        (len(blocking) - _ANNOTATIONS, "finding", ""),
        (len(gaps) + len(loosened) - _ANNOTATIONS, "item", " that could not be checked"),
    )
    more = [
        f"{count:,} more {noun}{'s' if count > 1 else ''}{what}" for count, noun, what in rest if count > 0
    ]
    if more:
        command("notice", f"{' and '.join(more)}: see the job's summary", title="mlgate")
    _remind(report, prefix)


def _remind(report: Mapping[str, Any], prefix: str) -> None:
    """Say which waivers that hold something back end soon, before they do."""
    soon = (dt.datetime.fromisoformat(report["started"]).date() + _SOON).isoformat()
    ending = [each for each in report["waivers"] if each["status"] == "used" and each["expires"] <= soon]
    # The last annotation of this type says how many findings were left out.
    for each in sorted(ending, key=lambda waiver: str(waiver["expires"]))[: _ANNOTATIONS - 1]:
        command(
            "notice",
            f"This waiver ends on {each['expires']}, and then what it accepts fails again: {each['summary']}",
            file=prefix + report["policy"]["path"],
            line=each["line"] or 1,
            title="mlgate waiver ends soon",
        )


def rebase_sarif(path: Path, prefix: str) -> None:
    """Make the locations of a SARIF file relative to the workspace, and its category the folder's own.

    Code scanning keeps one analysis of a category: without that, one folder's findings would close another's.

    Args:
        path: The SARIF file, rewritten.
        prefix: Of the working directory, from the workspace, with a slash at its end.
    """
    log = json.loads(path.read_text(encoding="utf-8"))
    for location in _locations(log):
        location["uri"] = urllib.parse.quote(prefix) + location["uri"]
    for run in log.get("runs", ()):
        run["automationDetails"] = {"id": f"mlgate/{prefix}"}
        base = run.get("originalUriBaseIds", {}).get("%SRCROOT%", {})
        end = urllib.parse.quote(prefix)
        if base.get("uri", "").endswith("/" + end):
            base["uri"] = base["uri"][: -len(end)]
    path.write_text(json.dumps(log, ensure_ascii=False), encoding="utf-8")


def _locations(log: Any) -> Iterator[dict[str, Any]]:
    """Yield every artifact location that is relative to the source root."""
    pending = [log]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("uriBaseId") == "%SRCROOT%" and "uri" in value:
                yield value
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _title(finding: Mapping[str, Any]) -> str:
    return f"{finding['rule']} ({finding['severity']})"


def _message(each: Mapping[str, Any]) -> str:
    fix = each.get("fix")
    return f"{each['message']}\n\n{fix}" if fix else str(each["message"])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
