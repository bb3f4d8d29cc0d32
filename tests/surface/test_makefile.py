"""The environment script and the Makefile: nothing is installed here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAKE = """#!/bin/sh
# Stands for an interpreter: a version check, venv, and pip that only write down their call.
case "$*" in
    *version_info*) exit 0 ;;
    "-c import sys; print(sys.executable)") echo "$0" ;;
    "-V") echo "Python 3.13.0" ;;
    "-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
    *) echo "$*" >> "$CALLS" ;;
esac
"""


def make(folder: Path, *arguments: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env={
            "PATH": f"{path}:/usr/bin:/bin",
            "MLGATE_NO_UV": "1",
            "CALLS": str(folder / "calls"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("Makefile", "scripts/environment.sh", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    os.utime(folder / "pyproject.toml", (0, 0))
    return folder


@pytest.fixture
def path(tmp_path):
    """A PATH whose first python is a shim that fails, as pyenv's do."""
    folder = tmp_path / "bin"
    program(folder / "python3.13", "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    program(folder / "python3.12", FAKE)
    return folder


def calls(checkout: Path) -> list[str]:
    file = checkout / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_the_environment_is_made_once_in_a_path_with_spaces(checkout, path):
    first = make(checkout, ".venv/.mlgate-dev", path=path)
    assert first.returncode == 0, first.stderr
    assert "python3.12" in first.stderr
    assert [call for call in calls(checkout) if "[dev]" in call]
    before = calls(checkout)
    assert make(checkout, ".venv/.mlgate-dev", path=path).returncode == 0
    assert calls(checkout) == before


def test_it_is_made_again_when_pyproject_changes(checkout, path):
    make(checkout, ".venv/.mlgate-dev", path=path)
    before = calls(checkout)
    later = (checkout / ".venv/.mlgate-dev").stat().st_mtime + 10
    os.utime(checkout / "pyproject.toml", (later, later))
    make(checkout, ".venv/.mlgate-dev", path=path)
    assert len(calls(checkout)) == 2 * len(before)


def test_the_demo_s_environment_is_the_tests_where_that_is_there(checkout, path):
    make(checkout, ".venv/.mlgate-dev", path=path)
    before = calls(checkout)
    make(checkout, ".venv/.mlgate-assess", path=path)
    assert calls(checkout) == before


def test_without_a_suitable_python_the_message_says_so(checkout, tmp_path):
    old = tmp_path / "old"
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"):
        program(old / name, "#!/bin/sh\nexit 1\n")
    done = make(checkout, ".venv/.mlgate-dev", path=old)
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert not (checkout / ".venv/.mlgate-dev").exists()


def test_a_failed_installation_leaves_no_stamp(checkout, path):
    program(path / "python3.12", FAKE.replace('echo "$*" >> "$CALLS"', "echo no such index; exit 1"))
    done = make(checkout, ".venv/.mlgate-dev", path=path)
    assert done.returncode != 0
    assert "no such index" in done.stderr
    assert not (checkout / ".venv/.mlgate-dev").exists()


def test_help_names_every_target(checkout, path):
    shown = make(checkout, path=path).stdout
    for target in ("demo", "test", "check", "lint", "lock", "docs", "bench", "examples", "clean"):
        assert f"make {target}" in shown


@pytest.mark.parametrize("script", ["scripts/environment.sh", "scripts/lint_surface.sh", "hooks/pre-commit"])
def test_scripts_are_posix(script):
    subprocess.run(["sh", "-n", str(ROOT / script)], check=True)
    assert os.access(ROOT / script, os.X_OK)


def test_the_ci_script_parses():
    subprocess.run(["bash", "-n", str(ROOT / ".ci/run")], check=True)
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert sys.version_info >= (3, 11)
