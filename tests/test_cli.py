import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from mlgate import cli, gate, rules

CLEAN = pickle.dumps({"weights": [1.0]})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_bytes(CLEAN)
    return tmp_path


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["scan"], "name at least one file or folder"),
        (["scan", "model.pkl", "--report", "pdf"], "no report format 'pdf'; one of csv, gitlab"),
        (
            ["scan", "model.pkl", "--report", "json", "--report", "sarif"],
            "only one report can go to standard output",
        ),
        (["scan", "model.pkl", "--fail-on", "huge"], "invalid choice"),
        (
            ["check", "--checks", "models,nonsense"],
            "no check 'nonsense'; one of models, dependencies, assessment",
        ),
        (["scan", "model.pkl", "-q", "-v"], "not allowed with"),
        (["audit", "model.pkl", "."], "manifests or folders, not both"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(here, capsys, arguments, words):
    assert words in refused(capsys, *arguments)


def test_a_path_that_does_not_exist_is_undecided(here, capsys):
    assert cli.main(["scan", "gone.pkl"]) == 2
    assert "no file or folder gone.pkl" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_undecided(here, capsys):
    assert cli.main(["scan", "model.pkl", "--report", "json=model.pkl/x.json"]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_message_cannot_speak_to_a_ci_runner(here, capsys):
    assert cli.main(["scan", "model.pkl", "--report", "json=model.pkl/x\n::error::y"]) == 2
    assert "\n::error" not in capsys.readouterr().err


def test_a_defect_is_undecided_and_says_how_to_see_more(here, capsys, monkeypatch):
    monkeypatch.setattr(gate, "run", lambda _request: 1 / 0)
    assert cli.main(["scan", "model.pkl"]) == 2
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_an_interruption_is_undecided(here, capsys, monkeypatch):
    def interrupted(_request):
        raise KeyboardInterrupt

    monkeypatch.setattr(gate, "run", interrupted)
    assert cli.main(["scan", "model.pkl"]) == 2
    assert "nothing was decided" in capsys.readouterr().err


def test_results_go_to_standard_output_and_nothing_to_standard_error(here, capsys):
    assert cli.main(["scan", "model.pkl", "--report", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["verdict"] == "pass"
    assert shown.err == ""


def test_a_reader_that_goes_away_is_no_crash(here):
    program = "import sys; from mlgate.cli import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", program, "rules", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 2


def test_explain_takes_an_id_or_a_name(here, capsys):
    assert cli.main(["explain", "mlg-pkl-002"]) == 0
    by_id = capsys.readouterr().out
    name = next(rule.name for rule in rules.load() if rule.id == "MLG-PKL-002")
    assert cli.main(["explain", name]) == 0
    assert capsys.readouterr().out == by_id


def test_explain_takes_the_id_that_code_scanning_shows(here, capsys):
    assert cli.main(["explain", "MLG-DEP-001-critical"]) == 0
    assert "MLG-DEP-001" in capsys.readouterr().out


def test_explain_helps_with_a_typo(here, capsys):
    assert cli.main(["explain", "MLG-PKL-02"]) == 2
    assert "did you mean MLG-PKL-0" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_rules_lists_every_rule(here, capsys, form):
    assert cli.main(["rules", "--format", form]) == 0
    shown = capsys.readouterr().out
    assert all(rule.id in shown for rule in rules.load())


def test_the_schema_is_printed(here, capsys):
    assert cli.main(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "mlgate policy"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("version: 1\n", 0, "a valid policy"),
        ("version: 1\nmodles: {}\n", 2, "policy.yaml:2: modles: unknown key; did you mean `models`?"),
        (
            "version: 1\nwaivers:\n- {rule: MLG-PKL-999, reason: long enough, expires: 2030-01-01}\n",
            2,
            "policy.yaml:3: waivers[0].rule: there is no rule MLG-PKL-999",
        ),
    ],
)
def test_a_policy_can_be_checked_alone(here, capsys, text, code, words):
    Path("policy.yaml").write_text(text)
    assert cli.main(["policy", "check", "policy.yaml"]) == code
    shown = capsys.readouterr()
    assert words in (shown.err if code else shown.out)


def test_assessing_nothing_is_not_a_pass(here, capsys):
    assert cli.main(["assess"]) == 2
    assert "the policy names no assessment" in capsys.readouterr().out


def test_init_writes_a_policy_that_check_accepts(here, capsys):
    Path("requirements.txt").write_text("numpy==2.1.2\n")
    assert cli.main(["init"]) == 0
    assert "Found: 1 pickle" in Path(".mlgate.yaml").read_text()
    assert "requirements.txt" in Path(".mlgate.yaml").read_text()
    capsys.readouterr()
    assert cli.main(["check", "--offline"]) == 0


def test_init_does_not_replace_a_policy_unasked(here, capsys):
    Path(".mlgate.yaml").write_text("broken")
    assert cli.main(["init"]) == 2
    assert "--force" in capsys.readouterr().err
    assert Path(".mlgate.yaml").read_text() == "broken"
    assert cli.main(["init", "--force"]) == 0


@pytest.mark.parametrize("name", ["a b.onnx", "x\n  evil: 1.onnx", "é.onnx", "'q\".onnx"])
def test_init_survives_any_file_name(here, capsys, name):
    Path(name).write_bytes(CLEAN)
    (here / "sub: [").mkdir()
    (here / "sub: [" / "requirements.txt").write_text("numpy==2.1.2\n")
    assert cli.main(["init"]) == 0
    capsys.readouterr()
    assert cli.main(["check", "--offline", "--report", "json"]) in (0, 2)
    assert json.loads(capsys.readouterr().out)["policy"]["path"] == ".mlgate.yaml"


def test_a_file_name_that_is_no_text_is_reported(here, capsys):
    (here / os.fsdecode(b"\xff\xfe.pkl")).write_bytes(b"")
    assert cli.main(["scan", ".", "--report", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["not_checked"]


def test_no_module_of_the_current_folder_is_imported(tmp_path):
    """As a module, Python looks there first: in the repository that is judged."""
    for name in ("yaml", "msgspec", "argparse", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('marker', 'w').write('x')\n")
    (tmp_path / ".mlgate.yaml").write_text("version: 1\n")
    ran = subprocess.run(
        [sys.executable, "-m", "mlgate", "check"], cwd=tmp_path, capture_output=True, check=False
    )
    assert ran.returncode in (0, 2), ran.stderr
    assert not (tmp_path / "marker").exists()
