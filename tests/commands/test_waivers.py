import datetime as dt
import json
import os
import pickle
from pathlib import Path

import pytest

from mlgate import cli


class Evil:
    def __reduce__(self):
        return os.system, ("echo mlgate-test",)


def day(number):
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=number)).isoformat()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.pkl").write_bytes(pickle.dumps(Evil()))
    Path("requirements.txt").write_text("numpy==2.1.2\n")
    Path(".mlgate.yaml").write_text(
        "version: 1\nwaivers:\n"
        f"- {{rule: MLG-DEP-001, package: torch, reason: nothing here calls it, expires: {day(90)}}}\n"
        f"- {{rule: MLG-PKL-002, path: model.pkl, reason: made by ourselves, expires: {day(5)}}}\n"
        f"- {{not_checked: limit, reason: too large to read, expires: {day(-1)}}}\n"
    )
    return tmp_path


def waivers(capsys, *arguments):
    code = cli.main(["waivers", "--format", "json", *arguments])
    return code, json.loads(capsys.readouterr().out)["waivers"]


def test_they_are_listed_by_their_end_with_the_days_that_are_left(here, capsys):
    code, listed = waivers(capsys)
    assert code == 0
    assert [each["days_left"] for each in listed] == [-1, 5, 90]
    assert [each["status"] for each in listed] == ["expired", "unknown", "unknown"]
    assert [each["line"] for each in listed] == [5, 4, 3]


def test_a_run_says_which_are_used(here, capsys):
    _, listed = waivers(capsys, "--run", "--offline")
    assert [each["status"] for each in listed] == ["expired", "used", "unused"]


def test_the_table_says_how_to_learn_which_are_used(here, capsys):
    assert cli.main(["waivers"]) == 0
    assert capsys.readouterr().out.endswith("says which of them are still needed.\n")
    assert cli.main(["waivers", "--run", "--offline"]) == 0
    assert "still needed" not in capsys.readouterr().out


@pytest.mark.parametrize(("days", "code"), [("4", 1), ("0", 1), ("90", 1)])
def test_what_has_ended_is_within_any_number_of_days(here, capsys, days, code):
    assert waivers(capsys, "--within", days)[0] == code


@pytest.mark.parametrize(("days", "code"), [("4", 0), ("5", 1), ("0", 0)])
def test_what_ends_within_the_days_asked_for_is_an_exit_code(here, capsys, days, code):
    policy = Path(".mlgate.yaml")
    policy.write_text(
        "".join(line for line in policy.read_text().splitlines(keepends=True) if "limit" not in line)
    )
    assert waivers(capsys, "--within", days)[0] == code


def test_the_table_is_for_people(here, capsys):
    assert cli.main(["waivers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["ended", day(-1), "expired"]
    assert lines[3].split()[:5] == ["5", "days", day(5), "not", "run"]
    assert "MLG-PKL-002 in model.pkl (line 4)" in lines[3]
    assert lines[4].strip() == "made by ourselves"


def test_a_policy_that_waives_nothing_says_so(here, capsys):
    Path(".mlgate.yaml").write_text("version: 1\n")
    assert cli.main(["waivers", "--within", "30"]) == 0
    assert capsys.readouterr().out == ".mlgate.yaml waives nothing.\n"


@pytest.mark.parametrize("option", [[], ["--run", "--offline"]])
@pytest.mark.parametrize("text", [None, "version: 2\n"])
def test_without_a_policy_it_is_undecided(here, capsys, text, option):
    Path(".mlgate.yaml").unlink()
    if text:
        Path(".mlgate.yaml").write_text(text)
    assert cli.main(["waivers", *option]) == 2
    assert ".mlgate.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("days", ["-1", "1.5", "many", "999999", "\u0665"])
def test_days_are_a_number(here, capsys, days):
    with pytest.raises(SystemExit) as caught:
        cli.main(["waivers", f"--within={days}"])
    assert caught.value.code == 2


def test_a_reason_cannot_speak_to_a_runner(here, capsys):
    Path(".mlgate.yaml").write_text(
        'version: 1\nwaivers:\n- {not_checked: limit, reason: "looked at\\n::error::x", expires: 2999-01-01}\n'
    )
    assert cli.main(["waivers"]) == 0
    assert "\n::error" not in capsys.readouterr().out
