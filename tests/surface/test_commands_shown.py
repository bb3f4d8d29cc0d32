"""Every command that a page shows is run, in a small repository where it answers as the page says."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from tests.checks.assessment import onnx_models
from tests.surface.checkout import commit, git
from tests.surface.test_docs import NAMES, ROOT, UNKNOWN, blocks, commands

from mlgate import cli

POLICY = """\
version: 1
assessment:
  - name: digits
    model: {path: models/digits.onnx}
    data: {path: data/holdout.npz, features: image, label: digit}
    performance: {accuracy: {min: 0.95}}
waivers:
  - rule: MLG-DEP-001
    advisory: CVE-2022-45907
    reason: the vulnerable function is not called here
    expires: 2030-01-31
"""
ADVISORY = {
    "id": "PYSEC-2020-1",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "numpy"}, "versions": ["1.0"]}],
}
# What else than 0 a page says of a command, or shows.
CODES = {
    "scan models/new.pkl": 1,
    "check examples/blocked": 1,
}
SHOWN = sorted({" ".join(words) for name in set(NAMES) - UNKNOWN for words in commands(name)})


class Evil:
    def __reduce__(self):
        return os.system, ("echo hi",)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A repository like that of the pages: a model, data, pinned packages, a policy, earlier reports."""
    home = tmp_path_factory.mktemp("small")
    for folder in ("models", "data", "reports"):
        (home / folder).mkdir()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 4)).astype(np.float32)
    weights = rng.normal(size=(4, 3)).astype(np.float32)
    np.savez(home / "data/holdout.npz", image=x, digit=(x @ weights).argmax(axis=1))
    (home / "models/digits.onnx").write_bytes(onnx_models.linear(weights))
    (home / "download.pt").write_bytes(pickle.dumps({"weights": [0.5]}))
    (home / "requirements.txt").write_text("numpy==2.2.0\n")
    (home / ".mlgate.yaml").write_text(POLICY)
    with zipfile.ZipFile(home / "advisories.zip", "w") as archive:
        archive.writestr("PYSEC-2020-1.json", json.dumps(ADVISORY))
    git(home, "init", "--quiet", "--initial-branch=main")
    commit(home, "a small repository")
    git(home, "update-ref", "refs/remotes/origin/main", "HEAD")
    return home


@pytest.fixture
def repository(small, tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    shutil.copytree(small, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


def offline(words):
    """Keep a command from the network, and the examples from their attacks, which tests of their own run."""
    if words[0] in {"check", "scan", "audit", "assess", "baseline"} and "--offline" not in words:
        words = [*words, "--offline"]
    return [*words, "--checks", "models,dependencies"] if words[1:2] and "examples/" in words[1] else words


@pytest.mark.parametrize("command", SHOWN)
def test_it_answers_as_the_page_says(repository, command, capsys):
    words = command.split()
    if words[0] == "init":
        (repository / ".mlgate.yaml").unlink()
    if "examples/" in command:
        shutil.copytree(ROOT / "examples", repository / "examples")
    if "new.pkl" in command:
        (repository / "models/new.pkl").write_bytes(pickle.dumps(Evil()))
    if "--history" in words or words[0] == "history":
        cli.main(["check", "--offline", "--report", "json=reports/1.json"])
    try:
        code = cli.main(offline(words))
    except SystemExit as error:
        code = error.code
    output = capsys.readouterr()
    assert code == CODES.get(command, 0), output.out + output.err


def test_commands_are_shown():
    assert len(SHOWN) > 30
    assert set(CODES) <= set(SHOWN)


def console(name):
    for block in blocks(name, "console"):
        command, _, output = block.partition("\n")
        yield command.removeprefix("$ mlgate ").split(), output


def test_the_readme_shows_what_is_printed(repository):
    (repository / ".mlgate.yaml").unlink()
    (repository / "models/new.pkl").write_bytes(pickle.dumps(Evil()))
    shown = list(console("README.md"))
    assert [words[0] for words, _ in shown] == ["scan", "--help"]
    for words, output in shown:
        done = subprocess.run(
            [sys.executable, "-m", "mlgate", *words],
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        # Only the seconds differ from run to run, and where lines are broken from Python to Python.
        said, expected = (re.sub(r"in \d+\.\d s", "in 0.0 s", text).split() for text in (done.stdout, output))
        assert said == expected
