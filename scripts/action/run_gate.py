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
from typing import Any, NamedTuple

import base
import workflow

UNDECIDED = 2
_NO_COMMIT = "0" * 40
_NO_ANSWER = """## ⚠️ mlgate: no answer

mlgate {how} and gave no report, which is never a pass. The log of the step "Run the gate" says why.
"""


class InputError(Exception):
    """An input of the action cannot be used."""


class Plan(NamedTuple):
    """What the gate compares with, and whose policy it goes by.

    Attributes:
        since: Only what differs from the merge base with this commit is looked at; None means everything.
        judge: The commit whose policy holds; None means that of what is checked out.
    """

    since: str | None = None
    judge: str | None = None


def main() -> int:
    """Run the gate and report; return 0 where it gave an answer."""
    reports = Path(os.environ["MLGATE_REPORTS"])
    try:
        workspace = Path(os.environ["GITHUB_WORKSPACE"]).resolve()
        root = _root(workspace)
        code = _gate(root, reports, _plan(root))
    except (InputError, base.BaseError) as error:
        workflow.command("error", str(error), title="mlgate")
        _summarise(reports, f"## ⚠️ mlgate: UNDECIDED\n\n{workflow.text(str(error))}\n")
        workflow.outputs({"exit-code": str(UNDECIDED), "verdict": "undecided"})
        return 0
    report = _load(reports / "report.json")
    if code not in (0, 1, UNDECIDED) or report.get("exit_code") != code:
        how = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with code {code}"
        workflow.command("error", f"mlgate {how}, and without a report", title="mlgate")
        _summarise(reports, _NO_ANSWER.format(how=how))
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
            "json-file": str(reports / "report.json"),
            "counts": json.dumps(counts(report)),
        }
    )
    return 0


def counts(report: dict[str, Any]) -> dict[str, int]:
    """Count open findings by severity, waived ones, known ones, and what counts as not checked."""
    accepted = {"waived": "waived", "baseline": "baseline"}
    kinds = Counter(
        next((kind for key, kind in accepted.items() if each.get(key)), each["severity"])
        for each in report["findings"]
    )
    found = {name: kinds[name] for name in ("critical", "high", "medium", "low", "info", *accepted)}
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


def _plan(root: Path) -> Plan:
    """Decide what is compared with: what a change touches, and everything on any other event."""
    scope, given = _input("SCOPE") or "auto", _input("BASE_REF")
    if scope not in ("auto", "all"):
        raise InputError(f'scope is {scope!r}; it is "auto" or "all"')
    from_base = _switch("POLICY_FROM_BASE")
    if scope == "all" and not from_base:
        base.require_change(root, os.environ)
        return Plan()
    change = base.change(os.environ)
    ref = (change.ref if change else "") if given in ("", _NO_COMMIT) else given
    if not ref:
        # A push has no base: what is pushed is the branch itself.
        return Plan()
    commit = base.resolve(root, ref)
    if scope == "auto" or change is not None:
        base.compare(root, commit, change.what if change else None)
    return Plan(commit if scope == "auto" else None, commit if from_base else None)


def _gate(root: Path, reports: Path, plan: Plan) -> int:
    """Run ``mlgate check`` with the action's inputs; return its exit code."""
    command = [sys.executable, "-I", "-m", "mlgate", "check"]
    for option, name in (("--policy", "POLICY"), ("--checks", "CHECKS"), ("--fail-on", "FAIL_ON")):
        if _input(name):
            command.append(f"{option}={_input(name)}")
    if _switch("OFFLINE"):
        command.append("--offline")
    if plan.since:
        command.append(f"--changed-since={plan.since}")
    if plan.judge:
        command.append(f"--policy-ref={plan.judge}")
    command += [
        "--report=terminal",
        f"--report=json={reports / 'report.json'}",
        f"--report=sarif={reports / 'mlgate.sarif'}",
        f"--report=markdown={reports / 'summary.md'}",
        f"--report=html={reports / 'mlgate.html'}",
    ]
    return _run(command, root)


def _run(command: list[str], root: Path) -> int:
    # Advisories lie where the action's cache finds them, and not where a job before left some.
    environment = {**os.environ, "XDG_CACHE_HOME": str(Path(os.environ["RUNNER_TEMP"], "mlgate-cache"))}
    # What the report quotes (file names, say) must not speak to the runner.
    token = uuid.uuid4().hex
    print(f"::stop-commands::{token}", flush=True)
    try:
        done = subprocess.run(command, cwd=root, env=environment, stdin=subprocess.DEVNULL, check=False)
    finally:
        print(f"\n::{token}::", flush=True)
    return done.returncode


def _summarise(reports: Path, markdown: str) -> None:
    """Say in the summary, and in the file that a comment is made of, why there is no report."""
    (reports / "summary.md").write_text(markdown, encoding="utf-8")
    workflow.summary(markdown)


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
