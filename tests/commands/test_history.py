import json
import pickle

import pytest

from mlgate.cli import main


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.pkl").write_bytes(pickle.dumps([1, 2]))
    return tmp_path


def scan(repository, name, *options):
    return main(["scan", "good.pkl", "--report", f"json={repository / 'runs' / name}", *options])


def test_earlier_runs_are_a_table(repository, capsys):
    scan(repository, "a.json")
    scan(repository, "b.json")
    assert main(["history", "runs"]) == 0
    shown = capsys.readouterr().out
    assert "2 runs: 2 pass" in shown
    assert "no change." in shown


def test_json_is_for_machines(repository, capsys):
    scan(repository, "a.json")
    assert main(["history", "--format", "json", "runs/a.json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["verdict"], run["exit_code"], run["path"]) == ("pass", 0, "runs/a.json")


def test_what_cannot_be_read_is_named_and_the_exit_code_is_2(repository, capsys):
    scan(repository, "a.json")
    (repository / "runs" / "bad\x1b[2J.json").write_text("{}")
    assert main(["history", "runs"]) == 2
    shown = capsys.readouterr().out
    assert "bad\\x1b[2J.json" in shown
    assert "\x1b" not in shown


def test_an_empty_folder_is_no_history(repository, capsys):
    (repository / "empty").mkdir()
    assert main(["history", "empty"]) == 2
    assert "There is no JSON report here" in capsys.readouterr().out


def test_a_run_is_compared_with_earlier_ones(repository, capsys):
    scan(repository, "a.json")
    assert scan(repository, "b.json", "--history", "runs", "--report", "html=page.html") == 0
    page = (repository / "page.html").read_text()
    assert '<section id="history"' in page
    assert "this run" in page
    assert capsys.readouterr().err == ""


def test_a_history_that_cannot_be_read_is_said_and_changes_no_verdict(repository, capsys):
    assert scan(repository, "a.json", "--history", "gone", "--report", "html=page.html") == 0
    assert "--history: gone: it cannot be read" in capsys.readouterr().err
    assert "gone: it cannot be read" in (repository / "page.html").read_text()
