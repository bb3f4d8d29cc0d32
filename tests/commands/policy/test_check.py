from pathlib import Path

from mlgate import cli


def test_a_policy_is_valid_only_with_the_baseline_that_it_names(tmp_path, monkeypatch, capsys):
    """Otherwise the check of a policy would pass what `mlgate check` refuses."""
    monkeypatch.chdir(tmp_path)
    Path(".mlgate.yaml").write_text("version: 1\nbaseline: b.json\n")
    assert cli.main(["policy", "check"]) == 2
    assert ".mlgate.yaml:2: baseline: there is no file b.json" in capsys.readouterr().err
    Path("b.json").write_text("{}")
    assert cli.main(["policy", "check"]) == 2
    assert "b.json: not a baseline" in capsys.readouterr().err
    Path("b.json").write_text('{"version": 1, "entries": []}')
    assert cli.main(["policy", "check"]) == 0
