"""Every way in which a dependency audit could pass by accident ends with exit code 2 and a reason."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from mlgate import cli

RECORD = {
    "id": "PYSEC-2020-1",
    "modified": "2020-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "numpy", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0"}]}],
        }
    ],
}


def audit(capsys, *arguments):
    code = cli.main(["audit", ".", "--report", "json", *arguments])
    report = json.loads(capsys.readouterr().out)
    assert report["exit_code"] == code
    return code, {(gap["reason"], gap["message"]) for gap in report["not_checked"]}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "reason", "words"),
    [
        ("note.md", "x", "nothing-to-audit", "no manifest"),
        ("requirements.txt", "# nothing yet\n", "nothing-to-audit", "manifests: []"),
        ("requirements.txt", "-r gone.txt\n", "missing-include", "gone.txt"),
        ("requirements.txt", "numpy=>1\n", "unparseable", ""),
        ("uv.lock", "version = 1\n[[package", "unparseable", ""),
        ("uv.lock", "version = 99\n", "", "99"),
        ("requirements.txt", "numpy\n", "unpinned", "pin it"),
        ("requirements.txt", "numpy==1.*\n", "unpinned", "pin it"),
        ("requirements.txt", "numpy @ git+https://example.org/numpy\n", "vcs-requirement", ""),
        ("requirements.txt", "numpy @ https://example.org/numpy.zip\n", "url-requirement", ""),
        ("requirements.txt", "./numpy\n", "local-requirement", ""),
        ("requirements.txt", "acme-inner==1.0\n", "not-covered", "--advisories"),
    ],
)
def test_a_manifest_that_cannot_be_audited_is_not_a_pass(here, capsys, name, text, reason, words):
    Path(name).write_text(text)
    code, gaps = audit(capsys, "--offline")
    assert code == 2
    assert any(reason in each and words in message for each, message in gaps), gaps


def database(path, *records):
    with zipfile.ZipFile(path, "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))


@pytest.mark.parametrize("kind", ["missing", "no zip", "empty", "truncated"])
def test_a_database_that_cannot_be_used_is_not_a_pass(here, capsys, tmp_path_factory, kind):
    path = tmp_path_factory.mktemp("data") / "all.zip"
    if kind == "no zip":
        path.write_bytes(b"<html>busy</html>")
    elif kind == "empty":
        database(path)
    elif kind == "truncated":
        database(path, RECORD)
        path.write_bytes(path.read_bytes()[:-40])
    Path("requirements.txt").write_text("numpy==2.0\n")
    code, gaps = audit(capsys, "--advisories", os.fspath(path))
    assert code == 2
    assert {reason for reason, _ in gaps} == {"advisories-unreadable"}


def test_a_database_older_than_the_policy_allows_is_not_a_pass(here, capsys, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "all.zip"
    database(path, RECORD)
    Path("requirements.txt").write_text("numpy==2.0\n")
    assert audit(capsys, "--advisories", os.fspath(path))[0] == 0
    Path(".mlgate.yaml").write_text("version: 1\ndependencies: {advisories: {max_age_days: 30}}\n")
    code, gaps = audit(capsys, "--advisories", os.fspath(path))
    assert code == 2
    assert {reason for reason, _ in gaps} == {"advisories-too-old"}


def test_a_service_that_does_not_answer_is_not_a_pass(here, capsys, monkeypatch):
    monkeypatch.setenv("MLGATE_OSV_URL", "http://127.0.0.1:9/all.zip")
    Path("requirements.txt").write_text("numpy==2.1.2\n")
    code, gaps = audit(capsys)
    assert code == 2
    assert any(reason == "advisories-unavailable" and "--offline" in message for reason, message in gaps)
