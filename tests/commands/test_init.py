import subprocess
from pathlib import Path

import pytest

from mlgate import cli, profiles


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", profiles.names())
def test_a_profile_is_written_and_valid(here, capsys, name):
    Path("requirements.txt").write_text("numpy==2.1.2\n")
    assert cli.main(["init", "--profile", name]) == 0
    assert f"({name})" in capsys.readouterr().out
    assert cli.main(["policy", "check"]) == 0


def test_an_unknown_profile_names_those_there_are(here, capsys):
    with pytest.raises(SystemExit):
        cli.main(["init", "--profile", "lax"])
    shown = capsys.readouterr().err
    assert all(name in shown for name in profiles.names())


def test_a_hook_comes_with_a_policy_and_leaves_one_that_is_there(here, capsys):
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert cli.main(["init", "--hook"]) == 0
    assert Path(".git/hooks/pre-commit").is_file()
    assert Path(".mlgate.yaml").is_file()
    Path(".mlgate.yaml").write_text("version: 1\n")
    assert cli.main(["init", "--hook", "--force"]) == 0
    assert Path(".mlgate.yaml").read_text() == "version: 1\n"


def test_without_a_checkout_a_hook_is_undecided_and_nothing_is_written(here, capsys):
    assert cli.main(["init", "--hook"]) == 2
    assert "git init" in capsys.readouterr().err
    assert not Path(".mlgate.yaml").exists()


@pytest.mark.parametrize("option", [[], ["--force"]])
def test_a_policy_is_not_written_through_a_link(here, capsys, option):
    Path(".mlgate.yaml").symlink_to("elsewhere.yaml")
    assert cli.main(["init", *option]) == 2
    assert not Path("elsewhere.yaml").exists()
