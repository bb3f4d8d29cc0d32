"""Run the gate inside the GitHub Action: inputs from the environment, results as outputs.

Always exits with 0 where the gate gave an answer: the action's last step exits with the
gate's own code. Every input is data: none of them reaches a shell.
"""

# ruff: noqa: INP001, S603, T201 - a script that talks to the runner on standard output

import json
import os
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import base_ref
import workflow

UNDECIDED = 2


class InputError(Exception):
    """An input of the action cannot be used."""


def main() -> int:
    """Run the gate and report; return 0 where it gave an answer."""
    reports = Path(os.environ["RUNNER_TEMP"], "mlgate-reports")
    reports.mkdir(parents=True, exist_ok=True)
    for old in reports.iterdir():
        old.unlink()
    try:
        workspace = Path(os.environ["GITHUB_WORKSPACE"]).resolve()
        root = _root(workspace)
        code = _gate(root, reports)
    except (InputError, base_ref.BaseError) as error:
        workflow.command("error", str(error), title="mlgate")
        workflow.summary(f"## mlgate: undecided\n\n{error}\n")
        workflow.outputs({"exit-code": str(UNDECIDED), "verdict": "undecided"})
        return 0
    report = _load(reports / "report.json")
    if code not in (0, 1, UNDECIDED) or report.get("exit_code") != code:
        workflow.command("error", f"mlgate ended with code {code} and without a report", title="mlgate")
        return UNDECIDED
    prefix = root.relative_to(workspace).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    sarif = reports / "mlgate.sarif"
    if prefix and sarif.is_file():
        workflow.rebase_sarif(sarif, prefix)
    workflow.summary((reports / "summary.md").read_text(encoding="utf-8"))
    workflow.annotate(report, prefix)
    workflow.outputs(
        {
            "exit-code": str(code),
            "verdict": report["verdict"],
            "sarif-file": str(sarif) if sarif.is_file() else "",
            "html-file": str(reports / "mlgate.html"),
            "counts": json.dumps(counts(report)),
        }
    )
    return 0


def counts(report: dict[str, Any]) -> dict[str, int]:
    """Count unwaived findings by severity, waived ones, and what counts as not checked."""
    severities = Counter(each["severity"] for each in report["findings"] if each["waived"] is None)
    found = {name: severities[name] for name in ("critical", "high", "medium", "low", "info")}
    found["waived"] = sum(each["waived"] is not None for each in report["findings"])
    found["not_checked"] = sum(each["counts"] for each in report["not_checked"])
    return found


def _root(workspace: Path) -> Path:
    given = _input("WORKING_DIRECTORY") or "."
    try:
        root = (workspace / given).resolve()
    except (OSError, ValueError) as error:
        raise InputError(f"working-directory {given!r}: {error}") from error
    if not root.is_relative_to(workspace) or not root.is_dir():
        raise InputError(f"working-directory {given!r} is no folder inside the workspace")
    return root


def _gate(root: Path, reports: Path) -> int:
    """Run ``mlgate check`` with the action's inputs; return its exit code."""
    command = [sys.executable, "-I", "-m", "mlgate", "check"]
    for option, name in (("--policy", "POLICY"), ("--checks", "CHECKS"), ("--fail-on", "FAIL_ON")):
        if _input(name):
            command.append(f"{option}={_input(name)}")
    if _switch("OFFLINE"):
        command.append("--offline")
    if _input("BASE_REF"):
        command.append(f"--changed-since={base_ref.resolve(root, _input('BASE_REF'))}")
    command += [
        "--report=terminal",
        f"--report=json={reports / 'report.json'}",
        f"--report=sarif={reports / 'mlgate.sarif'}",
        f"--report=markdown={reports / 'summary.md'}",
        f"--report=html={reports / 'mlgate.html'}",
    ]
    if not _switch("POLICY_FROM_BASE"):
        return _run(command, root)
    ref = _input("BASE_REF") or os.environ.get("GITHUB_BASE_REF", "")
    if not ref:
        # A push has no base: what is pushed is the branch itself.
        return _run(command, root)
    with base_ref.policy_of(root, base_ref.resolve(root, ref), _input("POLICY") or ".mlgate.yaml") as found:
        if not found:
            workflow.command(
                "warning", f"{ref} has no policy yet; the change is judged by its own", title="mlgate"
            )
        return _run(command, root)


def _run(command: list[str], root: Path) -> int:
    # What the report quotes (file names, say) must not speak to the runner.
    token = uuid.uuid4().hex
    print(f"::stop-commands::{token}", flush=True)
    try:
        return subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode
    finally:
        print(f"\n::{token}::", flush=True)


def _switch(name: str) -> bool:
    value = _input(name) or "false"
    if value not in ("true", "false"):
        shown = name.lower().replace("_", "-")
        raise InputError(f'{shown} is {value!r}; it is "true" or "false"')
    return value == "true"


def _input(name: str) -> str:
    return os.environ.get(f"MLGATE_{name}", "")


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
