import json
import subprocess
from pathlib import Path

import pytest

from mlgate import cli


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".mlgate.yaml").write_text("version: 1\n")
    return tmp_path


def git(*arguments):
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *arguments], check=True, capture_output=True)


def commit():
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "-m", "c")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("version: 1\n", 0, "Both policies decide alike."),
        ("version: 1\nfail_on: critical\n", 1, "Loosened:\n  fail_on: high -> critical\n"),
        ("version: 1\nfail_on: low\n", 0, "Tightened:\n  fail_on: high -> low\n"),
        ("version: 1\nlimits: {facts: 1}\n", 2, "a person must judge:\n  limits.facts: 2000 -> 1\n"),
        ("version: 1\nfail_on: critical\nlimits: {facts: 1}\n", 1, "limits.facts"),
    ],
)
@pytest.mark.parametrize("base", ["main", "base.yaml"])
def test_the_exit_code_says_whether_it_is_loosened(here, capsys, base, text, code, words):
    Path("base.yaml").write_text("version: 1\n")
    commit()
    Path(".mlgate.yaml").write_text(text)
    assert cli.main(["policy", "diff", base]) == code
    assert words in capsys.readouterr().out


def test_two_files_need_no_checkout(here, capsys):
    Path("new.yaml").write_text("version: 1\nmodels: {exclude: ['\u202eb']}\n".replace("\u202e", "a"))
    assert cli.main(["policy", "diff", ".mlgate.yaml", "new.yaml"]) == 1
    assert "models.exclude: adds ab" in capsys.readouterr().out


def test_a_file_does_not_take_a_branchs_place(here, capsys):
    commit()
    Path("main").write_text("version: 1\nfail_on: critical\n")
    Path(".mlgate.yaml").write_text("version: 1\nfail_on: critical\n")
    assert cli.main(["policy", "diff", "main"]) == 1


def test_a_file_does_not_take_the_place_of_a_branch_that_is_not_here(here, capsys):
    Path("origin").mkdir()
    Path("origin/main").write_text("version: 1\nfail_on: critical\n")
    Path(".mlgate.yaml").write_text("version: 1\nfail_on: critical\n")
    commit()
    assert cli.main(["policy", "diff", "origin/main"]) == 2
    assert "git knows no such commit here" in capsys.readouterr().err


def test_a_policy_that_is_gone_is_a_change(here, capsys):
    commit()
    Path(".mlgate.yaml").unlink()
    assert cli.main(["policy", "diff", "main"]) == 2
    assert ".mlgate.yaml is gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone"], "the policy at gone: git knows no such commit here"),
        (["--", "--output=x"], "the policy at --output=x: git knows no such commit here"),
        (["main", "gone.yaml"], "gone.yaml: there is no such policy file"),
        (["main", "/etc/hostname"], "/etc/hostname"),
        (["broken.yaml"], "broken.yaml:1: modles: unknown key"),
    ],
)
def test_what_cannot_be_compared_is_undecided(here, capsys, arguments, words):
    commit()
    Path("broken.yaml").write_text("modles: {}\n")
    assert cli.main(["policy", "diff", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_word_that_a_runner_obeys_is_not_printed(here, capsys):
    Path("new.yaml").write_text('version: 1\nmodels: {exclude: ["a\\n::error::x", "b\\e2J"]}\n')
    assert cli.main(["policy", "diff", ".mlgate.yaml", "new.yaml"]) == 1
    shown = capsys.readouterr().out
    assert "\n::error" not in shown
    assert "\x1b" not in shown


def test_the_json_form_has_every_effect(here, capsys):
    Path("new.yaml").write_text("version: 1\nfail_on: low\nmodels: {exclude: [a]}\n")
    assert cli.main(["policy", "diff", ".mlgate.yaml", "new.yaml", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "version": 1,
        "loosened": [{"key": "models.exclude", "change": "adds a", "line": 3}],
        "changed": [],
        "tightened": [{"key": "fail_on", "change": "high -> low", "line": 2}],
        "reworded": [],
    }
