"""``mlgate scan`` and ``mlgate audit`` on files that are named, and on what the policy leaves out of them."""

import pytest

from mlgate import cli

EVIL = b"cos\nsystem\n(S'echo harmless'\ntR."


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/model.pkl").write_bytes(EVIL)
    (tmp_path / "samples/requirements.txt").write_text("torch==1.13.0\n")
    (tmp_path / ".mlgate.yaml").write_text(
        "version: 1\nmodels: {exclude: [samples/**]}\ndependencies: {exclude: [samples/**]}\n"
    )
    return tmp_path


def test_a_file_that_is_named_is_looked_at(here):
    assert cli.main(["scan", "samples/model.pkl"]) == 1
    assert cli.main(["audit", "--offline", "samples/requirements.txt"]) == 1


def test_force_exclude_holds_it_to_the_policy(here):
    assert cli.main(["scan", "--force-exclude", "samples/model.pkl"]) == 0
    (here / "model.pkl").write_bytes(EVIL)
    assert cli.main(["scan", "--force-exclude", "samples/model.pkl", "model.pkl"]) == 1


def test_force_exclude_holds_a_manifest_to_the_policy(here, capsys):
    # Nothing is left to audit, which is never a pass.
    assert cli.main(["audit", "--offline", "--force-exclude", "samples/requirements.txt"]) == 2
    assert "nothing-to-audit" in capsys.readouterr().out


def test_a_name_that_looks_like_an_option_follows_two_dashes(here):
    (here / "-x.pkl").write_bytes(EVIL)
    assert cli.main(["scan", "--force-exclude", "--", "-x.pkl"]) == 1
