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
_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")
_TOKENS = re.compile(r"'[^']*'|startsWith|[\w.-]+(?:\(\))?|&&|\|\||[!=]=|[!(),]|\s+")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")", ",": ","}


class Result(NamedTuple):
    """What became of a run of the action."""

    codes: dict[str, int]
    outputs: dict[str, str]
    summary: str
    log: str
    used: list[str]

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
    event: dict[str, Any] | None = None,
) -> Result:
    """Run every ``run`` step but the installation; ``uses`` steps are GitHub's to test.

    mlgate and its Python come from the environment that runs the tests.

    Args:
        workspace: What was checked out.
        temporary: The runner's folder for this job.
        inputs: Of the action, where they differ from its defaults.
        environment: What the runner sets beside the usual.
        interpreter: What the installed Python does.
        event: The payload; ``GITHUB_EVENT_NAME`` in ``environment`` says of which event.
    """
    action = load()
    context = {f"inputs.{name}": str(each.get("default", "")) for name, each in action["inputs"].items()}
    given = {f"inputs.{name}": value for name, value in inputs.items()}
    assert set(given) <= set(context)
    environment = {"GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "acme/models", **(environment or {})}
    (temporary / "event.json").write_text(json.dumps(event or {}))
    context |= given | _contexts(environment, event or {}, temporary)
    _program(temporary / "mlgate-venv/bin/python", interpreter)
    codes: dict[str, int] = {}
    log, summary, used = [], "", []
    failed = False
    for step in action["runs"]["steps"]:
        condition = " ".join(step.get("if", "").split())
        if not _holds(condition, context) or (failed and "always()" not in condition):
            continue
        if "uses" in step or step["name"] == "Install mlgate":
            used.append(step["name"])
            continue
        for name in _FILES:
            (temporary / name).write_text("")
        # The runner would replace expressions here too: there must be none.
        assert not _EXPRESSION.search(step["run"])
        (temporary / "step.sh").write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(temporary / "step.sh")],
            cwd=workspace,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(temporary),
                "GITHUB_WORKSPACE": str(workspace),
                "GITHUB_ACTION_PATH": str(ACTION),
                "GITHUB_EVENT_PATH": str(temporary / "event.json"),
                "RUNNER_TEMP": str(temporary),
                "GITHUB_ACTIONS": "true",
                # Nothing listens there: no test asks the network.
                "MLGATE_OSV_URL": "http://127.0.0.1:9/",
                "GITHUB_API_URL": "http://127.0.0.1:9",
                **{name: str(temporary / name) for name in _FILES},
                **environment,
                **{name: _resolve(value, context) for name, value in step.get("env", {}).items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        codes[step["name"]] = done.returncode
        failed = failed or (done.returncode != 0 and not step.get("continue-on-error"))
        log.append(done.stdout.decode("utf-8", "replace"))
        summary += (temporary / "GITHUB_STEP_SUMMARY").read_text()
        for name, value in _outputs((temporary / "GITHUB_OUTPUT").read_text()).items():
            context[f"steps.{step['id']}.outputs.{name}"] = value
    outputs = {name: _resolve(each["value"], context) for name, each in action["outputs"].items()}
    return Result(codes, outputs, summary, "".join(log), used)


def counts(result: Result) -> dict[str, int]:
    return json.loads(result.outputs["counts"])


def _contexts(environment: dict[str, str], event: dict[str, Any], temporary: Path) -> dict[str, str]:
    repository: Any = event
    for name in ("pull_request", "head", "repo", "full_name"):
        repository = repository.get(name, {}) if isinstance(repository, dict) else {}
    return {
        "steps.python.outputs.python-path": sys.executable,
        "github.event_name": environment["GITHUB_EVENT_NAME"],
        "github.repository": environment["GITHUB_REPOSITORY"],
        "github.event.pull_request.head.repo.full_name": repository if isinstance(repository, str) else "",
        "github.token": "token-of-the-job",
        "runner.temp": str(temporary),
    }


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _holds(condition: str, context: dict[str, str]) -> bool:
    """Evaluate a step's ``if``: comparisons of text, ``startsWith``, and the three operators."""
    assert "".join(_TOKENS.findall(condition)) == condition, condition
    words = []
    for token in _TOKENS.findall(condition):
        if token in _WORDS:
            words.append(_WORDS[token])
        elif token.startswith("'") or token.isspace() or token == "startsWith":
            words.append(token)
        else:
            words.append("True" if token == "always()" else repr(_value(token, context)))
    return bool(eval("".join(words) or "True", {"startsWith": str.startswith}))


def _value(name: str, context: dict[str, str]) -> str:
    if re.fullmatch(r"steps\.[\w-]+\.outputs\.[\w-]+", name):
        return context.get(name, "")
    assert name in context, f"the runner of the tests does not know {name}"
    return context[name]


def _resolve(text: str, context: dict[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: _value(found[1], context), str(text))


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
