"""Another tool's command line: bounded, away from the repository, and never taken from it."""

import os
import sys
import time
from pathlib import Path

import pytest

from mlgate.checks.dependencies.auditors import _command
from mlgate.checks.dependencies.auditors._command import FailedError


@pytest.fixture
def run(tmp_path):
    def start(program, seconds=20.0, limit=1 << 20, **environment):
        return _command.run(
            (sys.executable, "-I", "-S", "-c", program),
            folder=tmp_path,
            environment=environment,
            seconds=seconds,
            limit=limit,
        )

    return start


def program_in(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    return path


def test_gives_status_output_and_errors(run):
    outcome = run(
        "import sys; print('out'); print('err\\N{BULLET}', file=sys.stderr); sys.exit(64)", PYTHONUTF8="1"
    )
    assert (outcome.code, outcome.output) == (64, b"out\n")
    assert outcome.errors.startswith("err")


def test_sees_only_the_environment_and_the_folder_it_is_given(run, tmp_path):
    outcome = run("import os; print(os.getcwd(), sorted(os.environ))", ONLY="this")
    assert outcome.output.decode().split(" ", 1)[0] == str(tmp_path.resolve())
    assert b"ONLY" in outcome.output
    assert b"HOME" not in outcome.output


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_one_that_writes_without_end_is_stopped(run, stream):
    with pytest.raises(FailedError) as failure:
        run(f"import sys\nwhile True: sys.{stream}.write('x' * 65536)")
    assert failure.value.reason == "auditor-output"


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(600)",
        "import os, time; os.close(1); os.close(2); time.sleep(600)",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])",
    ],
    ids=["sleeps", "closes its pipes", "waits for a child"],
)
def test_one_that_hangs_is_stopped(run, program):
    with pytest.raises(FailedError) as failure:
        run(program, seconds=1.0)
    assert failure.value.reason == "auditor-timeout"


def test_what_it_started_is_stopped_with_it(run, tmp_path):
    child = "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(FailedError):
        run(
            f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {child!r}])",
            seconds=2.0,
        )
    number = (tmp_path / "child").read_text()
    for _ in range(100):
        state = Path("/proc", number, "stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child lives on")


def test_one_that_cannot_be_started_is_said(tmp_path):
    with pytest.raises(FailedError) as failure:
        _command.run((str(tmp_path / "none"),), folder=tmp_path, environment={}, seconds=1, limit=1)
    assert failure.value.reason == "auditor-failed"


def test_a_module_of_this_interpreter_comes_first_and_does_not_look_into_the_folder(tmp_path):
    command = _command.locate("pytest", "pytest", tmp_path, os.environ)
    assert command == (sys.executable, "-P", "-m", "pytest")


def test_a_program_on_the_path_comes_second(tmp_path):
    path = program_in(tmp_path / "bin", "a-tool")
    found = _command.locate("no_such_module_of_ours", "a-tool", tmp_path / "repo", {"PATH": str(path.parent)})
    assert found == (str(path),)


def test_a_program_of_the_repository_is_not_taken(tmp_path, monkeypatch):
    inside = program_in(tmp_path / "repo" / "bin", "a-tool")
    link = tmp_path / "links" / "a-tool"
    link.parent.mkdir()
    link.symlink_to(inside)
    monkeypatch.chdir(tmp_path / "repo")
    for path in [str(inside.parent), "bin", "", ".", str(link.parent), f":{inside.parent}:."]:
        found = _command.locate("no_such_module_of_ours", "a-tool", tmp_path / "repo", {"PATH": path})
        assert found is None


def test_of_the_environment_little_is_kept(tmp_path):
    environ = {
        "PATH": "/bin",
        "https_proxy": "http://proxy:1",
        "SECRET_TOKEN": "x",
        "PIP_INDEX_URL": "https://evil.example",
        "PYTHONPATH": "/evil",
        "HOME": "/home/someone",
        "ASKED_FOR": "1",
    }
    kept = _command.environment(tmp_path, environ, ["ASKED_FOR", "NOT_SET"])
    assert kept.items() >= {"PATH": "/bin", "https_proxy": "http://proxy:1", "ASKED_FOR": "1"}.items()
    assert kept["HOME"] == str(tmp_path)
    assert not kept.keys() & {"SECRET_TOKEN", "PIP_INDEX_URL", "PYTHONPATH", "NOT_SET"}
