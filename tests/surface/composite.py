"""Run the ``run`` steps of the composite action as GitHub's runner would."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ACTION = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


class Result(NamedTuple):
    """What became of a run of the action."""

    codes: dict[str, int]
    outputs: dict[str, str]
    summary: str
    log: str

    @property
    def exit_code(self) -> int:
        return self.codes["Verdict"]

    def annotations(self, kind: str) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith(f"::{kind} ")]


def load() -> dict[str, Any]:
    return yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))


def run(
    workspace: Path,
    temporary: Path,
    inputs: dict[str, str],
    environment: dict[str, str] | None = None,
    interpreter: str = f'exec "{sys.executable}" "$@"',
) -> Result:
    """Run every ``run`` step but the installation; ``uses`` steps are GitHub's to test.

    mlgate and its Python come from the environment that runs the tests.
    """
    action = load()
    given = {name: str(described.get("default", "")) for name, described in action["inputs"].items()}
    assert set(inputs) <= set(given)
    given.update(inputs)
    python = temporary / "mlgate-venv/bin/python"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f"#!/bin/sh\n{interpreter}\n")
    python.chmod(0o755)
    files = {name: temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    steps: dict[str, dict[str, str]] = {}
    codes: dict[str, int] = {}
    log, summary = [], ""
    failed = False
    for step in action["runs"]["steps"]:
        if "uses" in step or step["name"] == "Install mlgate":
            continue
        if failed and "always()" not in step.get("if", ""):
            continue
        for file in files.values():
            file.write_text("")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(temporary),
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_ACTION_PATH": str(ACTION),
            "RUNNER_TEMP": str(temporary),
            "GITHUB_ACTIONS": "true",
            # Nothing listens there: no test asks the network.
            "MLGATE_OSV_URL": "http://127.0.0.1:9/",
            **{name: str(file) for name, file in files.items()},
            **(environment or {}),
            **{name: _resolve(value, given, steps) for name, value in step.get("env", {}).items()},
        }
        script = temporary / "step.sh"
        # The runner would replace expressions here too: there must be none.
        assert not _EXPRESSION.search(step["run"])
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        codes[step["name"]] = done.returncode
        failed = failed or done.returncode != 0
        log.append(done.stdout.decode("utf-8", "replace"))
        summary += files["GITHUB_STEP_SUMMARY"].read_text()
        if "id" in step:
            steps[step["id"]] = _outputs(files["GITHUB_OUTPUT"].read_text())
    outputs = {
        name: _resolve(described["value"], given, steps) for name, described in action["outputs"].items()
    }
    return Result(codes, outputs, summary, "".join(log))


def counts(result: Result) -> dict[str, int]:
    return json.loads(result.outputs["counts"])


def _resolve(text: str, inputs: dict[str, str], steps: dict[str, dict[str, str]]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("inputs."):
            return inputs[name.removeprefix("inputs.")]
        step = re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", name)
        assert step is not None, f"the runner of the tests does not know {name}"
        return steps.get(step[1], {}).get(step[2], "")

    return _EXPRESSION.sub(value, str(text))


def _outputs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        for following in lines:
            if following == end:
                break
            value.append(following)
        found[name] = "\n".join(value)
    return found
