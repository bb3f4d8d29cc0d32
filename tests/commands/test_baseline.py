import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from mlgate import cli

NAME = ".mlgate-baseline.json"


class Evil:
    def __reduce__(self):
        return os.system, ("echo mlgate-test",)


class Worse:
    def __reduce__(self):
        return os.system, ("echo mlgate-test-2",)


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("model.pkl").write_bytes(pickle.dumps(Evil()))
    Path("requirements.txt").write_text("torch==1.13.0\nnumpy>=1\n")
    Path(".mlgate.yaml").write_text(f"version: 1\nbaseline: {NAME}\n")
    return tmp_path


def check(capsys, *arguments):
    capsys.readouterr()
    code = cli.main(["check", "--offline", "--report", "json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def baseline(*arguments):
    return cli.main(["baseline", "--offline", *arguments])


def test_what_is_old_does_not_fail_and_is_never_hidden(here, capsys):
    assert baseline() == 0
    code, report = check(capsys)
    assert code == 0
    assert report["findings"]
    assert all(each["baseline"] and not each["blocks"] for each in report["findings"])
    assert [each["baseline"] for each in report["not_checked"]] == [True]
    assert report["baseline"]["known"] == len(report["findings"]) + 1


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "csv", "sarif"])
def test_every_report_lists_what_is_known(here, capsys, form):
    baseline()
    capsys.readouterr()
    assert cli.main(["check", "--offline", "--report", form]) == 0
    shown = capsys.readouterr().out
    assert "MLG-PKL-002" in shown
    assert "baseline" in shown


def test_without_its_baseline_a_policy_is_no_policy(here, capsys):
    code, report = check(capsys)
    assert code == 2
    assert "write it with `mlgate baseline`" in report["not_checked"][0]["message"]
    assert report["not_checked"][0]["line"] == 2


def test_a_laxer_threshold_makes_nothing_new(here, capsys):
    baseline()
    assert check(capsys, "--fail-on", "critical")[0] == 0


def test_only_what_is_new_fails(here, capsys):
    baseline()
    Path("new.pkl").write_bytes(pickle.dumps(Worse()))
    code, report = check(capsys)
    assert code == 1
    assert {each["path"] for each in report["findings"] if each["blocks"]} == {"new.pkl"}


def test_another_payload_behind_the_same_name_fails(here, capsys):
    baseline()
    Path("model.pkl").write_bytes(pickle.dumps(Worse()))
    code, report = check(capsys)
    assert code == 1
    assert [each["status"] for each in report["baseline"]["stale"]] == ["changed"]


def test_a_copy_of_what_is_old_is_new_and_what_was_moved_is_not(here, capsys):
    baseline()
    Path("production.pkl").write_bytes(Path("model.pkl").read_bytes())
    assert cli.main(["scan", "production.pkl", "--quiet"]) == 1
    Path("model.pkl").unlink()
    assert cli.main(["scan", "production.pkl", "--quiet"]) == 0


def test_a_baseline_shrinks_and_does_not_grow_unasked(here, capsys):
    baseline()
    before = len(json.loads(Path(NAME).read_text())["entries"])
    Path("requirements.txt").write_text("numpy>=1\n")
    Path("new.pkl").write_bytes(pickle.dumps(Worse()))
    _, report = check(capsys)
    assert {each["status"] for each in report["baseline"]["stale"]} == {"gone"}
    assert baseline() == 0
    shown = capsys.readouterr().out
    assert "--accept-new" in shown
    assert "new.pkl" in shown
    entries = json.loads(Path(NAME).read_text())["entries"]
    assert {entry["path"] for entry in entries} == {"model.pkl", "requirements.txt"}
    assert len(entries) < before
    assert check(capsys)[0] == 1
    assert baseline("--accept-new") == 0
    assert check(capsys)[0] == 0


def test_writing_it_twice_changes_nothing(here):
    baseline()
    first = Path(NAME).read_bytes()
    assert baseline() == 0
    assert Path(NAME).read_bytes() == first


def test_an_entry_stays_where_nobody_looked(here, monkeypatch, tmp_path_factory):
    baseline()
    before = Path(NAME).read_bytes()
    # Without advisories the dependency check finds nothing, and says that it cannot know.
    empty = tmp_path_factory.mktemp("none")
    assert baseline("--advisories", str(empty)) == 0
    assert Path(NAME).read_bytes() == before


def test_it_says_how_to_name_it(here, capsys):
    Path(".mlgate.yaml").write_text("version: 1\n")
    assert baseline() == 0
    assert f"add the line `baseline: {NAME}` to .mlgate.yaml" in capsys.readouterr().out
    assert baseline() == 2
    assert "no policy names" in capsys.readouterr().err


def test_a_waived_finding_is_not_taken(here):
    Path("requirements.txt").write_text("numpy>=1\n")
    Path(".mlgate.yaml").write_text(
        f"version: 1\nbaseline: {NAME}\nwaivers:\n"
        "- {rule: MLG-PKL-002, reason: looked at it and fine, expires: 2999-01-01}\n"
    )
    baseline()
    assert [entry["path"] for entry in json.loads(Path(NAME).read_text())["entries"]] == ["requirements.txt"]


def test_a_large_model_has_a_digest_too(here):
    Path(".mlgate.yaml").write_text(f"version: 1\nbaseline: {NAME}\nlimits: {{hash_bytes: 1}}\n")
    baseline()
    found = [entry for entry in json.loads(Path(NAME).read_text())["entries"] if entry["path"] == "model.pkl"]
    assert found
    assert all(len(entry["sha256"]) == 64 for entry in found)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"version": 1, "entries": [{}]}', b"\x80\x04.", b""])
def test_a_hostile_baseline_accepts_nothing(here, capsys, content):
    Path(NAME).write_bytes(content)
    code, report = check(capsys)
    assert code == 2
    assert report["not_checked"][0]["path"] == NAME
    assert "not a baseline" in report["not_checked"][0]["message"]
    assert baseline() == 2
    assert Path(NAME).read_bytes() == content


def test_a_link_is_not_written_through(here, capsys, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "b.json"
    outside.write_text('{"version": 1, "entries": []}')
    Path(NAME).symlink_to(outside)
    assert baseline() == 2
    assert outside.read_text() == '{"version": 1, "entries": []}'


def test_a_folder_that_is_a_link_is_not_written_through(here, capsys, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    Path("sub").symlink_to(outside)
    Path(".mlgate.yaml").write_text("version: 1\nbaseline: sub/b.json\n")
    assert baseline() == 2
    assert "symbolic link" in capsys.readouterr().err
    assert not list(outside.iterdir())


@pytest.mark.parametrize("command", [["check", "--offline"], ["waivers"], ["policy", "diff", ".mlgate.yaml"]])
def test_a_pipe_is_no_baseline_and_stops_nobody(here, capsys, command):
    os.mkfifo(NAME)
    assert cli.main(command) == 2
    shown = capsys.readouterr()
    assert "not a baseline" in shown.out + shown.err


@pytest.mark.parametrize("name", ["../b.json", "/etc/passwd", "a\\b", "."])
def test_a_baseline_lies_in_the_repository(here, capsys, name):
    Path(".mlgate.yaml").write_text(f"version: 1\nbaseline: '{name}'\n")
    code, report = check(capsys)
    assert code == 2
    assert "baseline" in report["not_checked"][0]["message"]


def test_a_known_model_is_not_loaded(here, capsys):
    Path(".mlgate.yaml").write_text(
        f"version: 1\nbaseline: {NAME}\nassessment:\n"
        "- {name: a, model: {path: model.pkl}, data: {path: d.npz, features: x, label: y}, performance: {accuracy: {min: 0.5}}}\n"
    )
    np.savez("d.npz", x=np.zeros((4, 2)), y=np.zeros(4, int))
    baseline()
    code, report = check(capsys)
    assert code == 2
    assert report["measurements"] == []
    assert [each["reason"] for each in report["not_checked"] if each["check"] == "assessment"] == [
        "model-not-cleared"
    ]
