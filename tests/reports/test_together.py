"""The verdict and the exit code are the same whatever reports are asked for, by the real command line."""

import itertools
import pickle
import subprocess
import sys

import pytest
from tests.reports.test_formats import FORMATS, READERS

from mlgate.cli import main

CODES = {"pass": 0, "fail": 1, "undecided": 2}
PAIRS = list(itertools.combinations(FORMATS, 2))


@pytest.fixture(scope="module", params=list(CODES))
def repository(request, tmp_path_factory):
    """A folder whose verdict is the parameter."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "good.pkl").write_bytes(pickle.dumps([1, 2]))
    if request.param == "fail":
        (folder / "bad.pkl").write_bytes(b"cos\nsystem\n(S'echo mlgate-test'\ntR.")
    if request.param == "undecided":
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
        (folder / "big.pkl").write_bytes(pointer)
    return request.param, folder


@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_any_two_reports_say_the_same(names, repository, monkeypatch, tmp_path):
    verdict, folder = repository
    monkeypatch.chdir(folder)
    asked = [option for name in names for option in ("--report", f"{name}={tmp_path / name}")]
    assert main(["scan", ".", *asked]) == CODES[verdict]
    for name in set(names) & set(READERS):
        assert READERS[name]((tmp_path / name).read_text()) == verdict


def test_all_reports_at_once_say_the_same_as_the_exit_code(repository, tmp_path):
    verdict, folder = repository
    asked = [option for name in FORMATS for option in ("--report", f"{name}={tmp_path / name}")]
    command = [sys.executable, "-m", "mlgate", "scan", ".", *asked]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == CODES[verdict], done.stderr
    assert done.stdout == ""
    assert {READERS[name]((tmp_path / name).read_text()) for name in READERS} == {verdict}


@pytest.mark.parametrize("noise", ["--quiet", "--verbose"])
@pytest.mark.parametrize("name", FORMATS)
def test_noise_changes_no_verdict(name, noise, repository, monkeypatch, tmp_path):
    verdict, folder = repository
    monkeypatch.chdir(folder)
    assert main(["scan", ".", noise, "--report", f"{name}={tmp_path / name}"]) == CODES[verdict]
    if name in READERS:
        assert READERS[name]((tmp_path / name).read_text()) == verdict
