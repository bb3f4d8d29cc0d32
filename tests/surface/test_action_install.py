"""What the action installs: only what its lock file names, and nothing of the workspace."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.surface import composite

SCRIPTS = composite.ACTION / "scripts/action"
PROJECT = tomllib.loads((composite.ACTION / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Stands for an interpreter: a pip that writes its call down, in an environment that can run mlgate.
PIP = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *"$FAILS"*) [ -z "$FAILS" ] || { echo no such index >&2; exit 1; } ;; esac
"""


def locked():
    """Every requirement of the lock file, and how many digests it has."""
    found, name = {}, ""
    for line in (SCRIPTS / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("    --hash=sha256:"):
            found[name] = found.get(name, 0) + 1
        elif line and not line.startswith((" ", "#")):
            name = line.removesuffix(" \\")
            found[name] = 0
    return found


def test_every_requirement_has_one_version_and_digests():
    for text, digests in locked().items():
        (pin,) = Requirement(text).specifier
        assert pin.operator == "=="
        assert digests


@pytest.mark.parametrize("text", PROJECT["dependencies"] + PROJECT["optional-dependencies"]["assess"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_the_lock_file_has_what_the_project_requires(text, python):
    wanted = Requirement(text)
    marks = {"python_version": python, "python_full_version": f"{python}.0"}
    if wanted.marker and not wanted.marker.evaluate(marks):
        return
    pins = [
        pin
        for pin in map(Requirement, locked())
        if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        and (pin.marker is None or pin.marker.evaluate(marks))
    ]
    assert len(pins) == 1, "run `make lock`"
    (pin,) = pins[0].specifier
    assert Version(pin.version) in wanted.specifier, "run `make lock`"


@pytest.fixture
def install(tmp_path):
    """Run the script as the action does; its interpreter makes environments whose pip is a stand-in."""
    temporary = tmp_path / "runner temp"
    temporary.mkdir()
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import os, runpy, shutil, subprocess, sys\n"
        "real = subprocess.run\n"
        "def run(command, **more):\n"
        "    makes = command[1:4] == ['-I', '-m', 'venv']\n"
        "    done = real([*command, '--without-pip'] if makes else command, **more)\n"
        "    if makes:\n"
        f"        shutil.copy({str(tmp_path / 'pip')!r}, os.path.join(command[-1], 'bin/stand-in'))\n"
        "        os.replace(os.path.join(command[-1], 'bin/stand-in'), os.path.join(command[-1], 'bin/python'))\n"
        "    return done\n"
        "subprocess.run = run\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.path[0] = os.path.dirname(sys.argv[0])\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    (tmp_path / "pip").write_text(PIP)
    (tmp_path / "pip").chmod(0o755)

    def run(extras="", fails=""):
        (tmp_path / "calls").unlink(missing_ok=True)
        workspace = tmp_path / "workspace"
        workspace.mkdir(exist_ok=True)
        (workspace / "venv.py").write_text("raise SystemExit('the workspace was imported')\n")
        done = subprocess.run(
            [sys.executable, "-E", "-s", str(driver), str(SCRIPTS / "install.py")],
            cwd=workspace,
            env={
                "PATH": os.environ["PATH"],
                "RUNNER_TEMP": str(temporary),
                "MLGATE_EXTRAS": extras,
                "CALLS": str(tmp_path / "calls"),
                "FAILS": fails,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls = tmp_path / "calls"
        return done, calls.read_text().splitlines() if calls.exists() else [], temporary / "mlgate-venv"

    return run


def test_pip_takes_only_what_has_the_lock_file_s_digest(install):
    done, (fetch, put), environment = install()
    assert done.returncode == 0, done.stdout + done.stderr
    for call in (fetch, put):
        assert call.startswith("-I -m pip ")
        # No cache of pip's own: what it trusts is not held against a digest everywhere.
        assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir"} <= set(call.split())
    assert " download --dest=" in fetch
    assert " install --no-index " in put
    (place,) = environment.glob("lib/python3*/site-packages/mlgate.pth")
    assert Path(place.read_text().strip(), "mlgate/cli.py").is_file()


def test_it_is_made_once_a_job(install):
    install()
    assert install()[1] == []
    assert len(install(extras="safety")[1]) == 3


def test_extras_come_from_no_cache(install):
    _, (*_, call), _ = install(extras="trees, safety,")
    assert "--no-cache-dir" in call.split()
    assert re.search(r"\bsafety>=", call)
    assert re.search(r"\bxgboost", call)


@pytest.mark.parametrize(
    "extras", ["nothing", "../x", "--index-url=https://example.org", "torch;touch x", "a\nb"]
)
def test_an_unknown_extra_is_refused(install, extras):
    done, calls, _ = install(extras=extras)
    assert done.returncode == 2
    assert calls == []
    (line,) = done.stdout.splitlines()
    assert line.startswith("::error title=mlgate::mlgate could not be installed: extras: ")


def test_a_failed_installation_says_so_and_is_tried_again(install):
    done, _, _ = install(fails="--no-index")
    assert done.returncode == 2
    assert "the lines above say why" in done.stdout
    assert "no such index" in done.stderr
    assert len(install()[1]) == 2


@pytest.mark.parametrize(
    ("system", "version", "code"),
    [("Linux", "sys.version_info", 0), ("Linux", "(3, 10, 13)", 2), ("Windows", "sys.version_info", 2)],
)
def test_where_it_cannot_run_it_says_what_it_needs(tmp_path, system, version, code):
    driver = f"import runpy, sys; sys.version_info = {version}; sys.path[0] = {str(SCRIPTS)!r}; "
    driver += f"runpy.run_path({str(SCRIPTS / 'prepare.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-E", "-s", "-c", driver],
        env={"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"), "RUNNER_OS": system},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("needs Linux or macOS, and Python 3.11 or newer" in done.stdout) == bool(code)


def test_scripts_run_without_the_job_s_environment():
    for step in composite.load()["runs"]["steps"]:
        for line in step.get("run", "").splitlines():
            if "scripts/action" in line:
                assert re.match(r'"\$\w+(/mlgate-venv/bin/python)?" -E -s "\$GITHUB_ACTION_PATH/', line)
