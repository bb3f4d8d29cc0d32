"""The composite action, its ``run`` steps run with the runner's real files."""

import datetime as dt
import json
import pickle
import re
import sys
import urllib.parse
from pathlib import Path

import pytest
from tests.surface import composite
from tests.surface.checkout import EVIL, commit, git

MODELS = {"checks": "models"}


def test_a_clean_repository_passes(workspace, temporary):
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 0, result.log
    assert result.outputs["verdict"] == "pass"
    assert result.outputs["exit-code"] == "0"
    assert json.loads(Path(result.outputs["sarif-file"]).read_text())["version"] == "2.1.0"
    assert "<html" in Path(result.outputs["html-file"]).read_text()
    assert result.summary
    assert not result.annotations("error")


def test_an_evil_pickle_fails_and_is_annotated(workspace, temporary):
    (workspace / "evil.pkl").write_bytes(EVIL)
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 1, result.log
    assert result.outputs["verdict"] == "fail"
    assert composite.counts(result)["critical"] >= 1
    assert any("file=evil.pkl,line=1," in line for line in result.annotations("error"))
    assert "evil.pkl" in result.summary


def test_what_cannot_be_read_is_undecided(workspace, temporary):
    (workspace / "model.pkl").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
    )
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 2, result.log
    assert result.outputs["verdict"] == "undecided"
    assert composite.counts(result)["not_checked"] == 1
    assert result.annotations("warning")


def test_a_gate_that_crashed_is_never_a_pass(workspace, temporary):
    result = composite.run(workspace, temporary, MODELS, interpreter="kill -9 $$")
    assert result.codes["Run the gate"] != 0
    assert result.exit_code == 2
    assert "no answer" in result.log


@pytest.mark.parametrize("ending", ["kill -9 $$", "exit 0", "exit 1", "exit 2", "exit 70"])
def test_a_gate_that_leaves_no_report_is_never_a_pass(workspace, temporary, ending):
    composite.run(workspace, temporary, MODELS)
    # The script runs as it is, and the mlgate that it starts is a program that ends like this.
    program = temporary / "mlgate that fails"
    program.write_text(f"#!/bin/sh\n{ending}\n")
    program.chmod(0o755)
    driver = temporary / "driver.py"
    driver.write_text(
        "import os, runpy, sys\n"
        f"sys.executable, sys.argv = {str(program)!r}, sys.argv[3:]\n"
        "sys.path[0] = os.path.dirname(sys.argv[0])\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    result = composite.run(workspace, temporary, MODELS, interpreter=f'"{sys.executable}" "{driver}" "$@"')
    assert result.exit_code == 2, result.log
    assert result.outputs["verdict"] == ""
    assert "no answer" in result.summary
    assert any("without a report" in line for line in result.annotations("error"))


def test_two_uses_in_one_job_keep_their_reports_apart(workspace, temporary):
    first = composite.run(workspace, temporary, MODELS)
    (workspace / "evil.pkl").write_bytes(EVIL)
    second = composite.run(workspace, temporary, MODELS)
    assert (first.exit_code, second.exit_code) == (0, 1)
    for name in ("sarif-file", "html-file", "json-file"):
        assert first.outputs[name] != second.outputs[name]
    assert json.loads(Path(first.outputs["json-file"]).read_text())["verdict"] == "pass"


@pytest.mark.parametrize(
    "name", ["policy", "checks", "scope", "base-ref", "policy-from-base", "fail-on", "offline"]
)
@pytest.mark.parametrize(
    "hostile",
    [
        "'\"; touch {marker}; \"'; touch {marker}; $(touch {marker})`touch {marker}`",
        "x\ntouch {marker}\n",
        "--upload-pack=touch {marker}",
        "x\nexit-code=0\nverdict=pass\n::set-output name=verdict::pass",
    ],
)
def test_hostile_inputs_are_only_text(repository, temporary, tmp_path, name, hostile):
    marker = tmp_path / "marker"
    result = composite.run(repository, temporary, {**MODELS, name: hostile.format(marker=marker)})
    assert result.exit_code == 2, result.log
    assert not marker.exists()
    assert not (repository / "exit-code").exists()


@pytest.mark.parametrize("folder", ["..", "/", "missing", "$(touch marker)", "link"])
def test_the_working_directory_lies_in_the_workspace(workspace, temporary, folder):
    (workspace / "link").symlink_to("/")
    result = composite.run(workspace, temporary, {**MODELS, "working-directory": folder})
    assert result.exit_code == 2
    assert list(workspace.glob("marker")) == []


def test_locations_are_relative_to_the_workspace(workspace, temporary):
    inner = workspace / "ser vice"
    inner.mkdir()
    (inner / "evil.pkl").write_bytes(EVIL)
    result = composite.run(workspace, temporary, {**MODELS, "working-directory": "ser vice"})
    assert result.exit_code == 1, result.log
    assert any("file=ser vice/evil.pkl," in line for line in result.annotations("error"))
    log = json.loads(Path(result.outputs["sarif-file"]).read_text())
    uris = {
        place["physicalLocation"]["artifactLocation"]["uri"]
        for each in log["runs"][0]["results"]
        for place in each["locations"]
    }
    assert uris == {urllib.parse.quote("ser vice/evil.pkl")}
    # Else the findings of one folder would close those of another.
    assert log["runs"][0]["automationDetails"]["id"] == "mlgate/ser vice/"


@pytest.mark.parametrize("name", ["mlgate.py", "json.py", "yaml.py", "msgspec.py", "sitecustomize.py"])
def test_nothing_of_the_workspace_is_imported(workspace, temporary, tmp_path, name):
    marker = tmp_path / "marker"
    (workspace / name).write_text(f"open({str(marker)!r}, 'w').close()\n")
    result = composite.run(workspace, temporary, MODELS)
    # A module that takes the place of another is itself a finding.
    assert result.exit_code == (1 if name in ("json.py", "sitecustomize.py") else 0), result.log
    assert not marker.exists()


def test_a_file_name_cannot_speak_to_the_runner(workspace, temporary):
    name = "a\n::error title=fake::, 100%\n::set-output name=verdict::pass.pkl"
    (workspace / name).write_bytes(EVIL)
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 1, result.log
    assert result.outputs["verdict"] == "fail"
    spoken, heard = [], True
    token = ""
    for line in result.log.splitlines():
        if heard and (stop := re.fullmatch(r"::stop-commands::(\w+)", line)):
            heard, token = False, stop[1]
        elif not heard and line == f"::{token}::":
            heard = True
        elif heard and line.startswith("::"):
            spoken.append(line)
    assert spoken
    assert all(line.startswith(("::error file=a%0A", "::warning ")) for line in spoken)
    assert "%2C 100%25" in spoken[0]


def test_a_pull_request_is_judged_by_the_policy_of_its_base(repository, temporary):
    (repository / "evil.pkl").write_bytes(EVIL)
    loose = "version: 1\nmodels: {include: [nothing/**]}\n"
    (repository / ".mlgate.yaml").write_text(loose)
    commit(repository, "loosen the policy and add a model")
    result = composite.run(repository, temporary, MODELS, {"GITHUB_BASE_REF": "main"})
    assert result.exit_code == 1, result.log
    assert "evil.pkl" in result.summary
    assert "MLG-POL-001" in result.summary
    assert (repository / ".mlgate.yaml").read_text() == loose
    assert git(repository, "status", "--porcelain") == ""
    own = composite.run(
        repository, temporary, {**MODELS, "policy-from-base": "false"}, {"GITHUB_BASE_REF": "main"}
    )
    assert own.exit_code == 0, own.log


def test_a_policy_that_is_only_loosened_is_told_and_decides_nothing(repository, temporary):
    (repository / ".mlgate.yaml").write_text("version: 1\nmodels: {fail_on: critical}\n")
    commit(repository, "loosen the policy")
    result = composite.run(repository, temporary, MODELS, {"GITHUB_BASE_REF": "main"})
    assert result.exit_code == 0, result.log
    assert "MLG-POL-001" in result.summary
    (warning,) = result.annotations("warning")
    assert "file=.mlgate.yaml,line=2,title=mlgate MLG-POL-001" in warning


def test_the_policy_that_the_base_extends_is_the_base_s_too(repository, temporary):
    (repository / "evil.pkl").write_bytes(EVIL)
    (repository / "policies/base.yaml").write_text("version: 1\nmodels: {include: [nothing/**]}\n")
    commit(repository, "loosen what the policy extends")
    assert composite.run(repository, temporary, {**MODELS, "base-ref": "main"}).exit_code == 1


@pytest.mark.parametrize("place", [".mlgate.yaml", "policies"])
def test_a_policy_behind_a_link_is_not_what_judges(repository, temporary, place):
    git(repository, "rm", "-r", "--quiet", place)
    (repository / "elsewhere").mkdir()
    (repository / "elsewhere/x.yaml").write_text("version: 1\nmodels: {include: [nothing/**]}\n")
    (repository / "elsewhere/base.yaml").write_text("version: 1\nmodels: {include: [nothing/**]}\n")
    (repository / place).symlink_to("elsewhere" if place == "policies" else "elsewhere/x.yaml")
    (repository / "evil.pkl").write_bytes(EVIL)
    commit(repository, "a link in the policy's place")
    assert composite.run(repository, temporary, {**MODELS, "base-ref": "main"}).exit_code in (1, 2)


def test_the_first_policy_is_judged_by_the_defaults(workspace, temporary):
    git(workspace, "init", "--quiet", "--initial-branch=main")
    commit(workspace, "base without a policy")
    git(workspace, "switch", "--quiet", "--create", "change")
    (workspace / ".mlgate.yaml").write_text("version: 1\nmodels: {exclude: ['*.pkl']}\n")
    (workspace / "evil.pkl").write_bytes(EVIL)
    commit(workspace, "adopt mlgate")
    result = composite.run(workspace, temporary, MODELS, {"GITHUB_BASE_REF": "main"})
    assert result.exit_code == 1, result.log
    assert "no policy there" in result.summary


def test_a_base_that_is_not_here_is_undecided(repository, temporary):
    result = composite.run(repository, temporary, {**MODELS, "base-ref": "no-such-branch"})
    assert result.exit_code == 2
    assert "fetch-depth: 0" in result.log


def test_only_what_changed_since_the_base_is_looked_at(repository, temporary):
    git(repository, "switch", "--quiet", "main")
    (repository / "old.pkl").write_bytes(EVIL)
    commit(repository, "an old sin")
    git(repository, "switch", "--quiet", "--create", "next")
    (repository / "new.pkl").write_bytes(pickle.dumps([1.0]))
    commit(repository, "a clean model")
    assert composite.run(repository, temporary, {**MODELS, "base-ref": "main"}).exit_code == 0
    assert composite.run(repository, temporary, MODELS).exit_code == 1


def test_annotations_stop_at_ten(workspace, temporary):
    for number in range(13):
        (workspace / f"evil-{number}.pkl").write_bytes(EVIL)
    result = composite.run(workspace, temporary, MODELS)
    assert len(result.annotations("error")) == 10
    assert result.annotations("notice") == ["::notice title=mlgate::3 more findings: see the job's summary"]


def test_annotations_of_what_was_not_checked_stop_at_ten_too(workspace, temporary):
    for number in range(12):
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize {number + 1}\n"
        (workspace / f"m{number}.pkl").write_text(pointer)
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 2
    assert len(result.annotations("warning")) == 10
    told = "2 more items that could not be checked: see the job's summary"
    assert result.annotations("notice") == [f"::notice title=mlgate::{told}"]


@pytest.mark.parametrize(("days", "told"), [(13, True), (15, False)])
def test_a_waiver_that_ends_soon_is_told_before(workspace, temporary, days, told):
    ends = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    (workspace / "evil.pkl").write_bytes(EVIL)
    (workspace / ".mlgate.yaml").write_text(
        "version: 1\nwaivers:\n"
        f"  - {{rule: MLG-PKL-002, reason: it is a sample and never loaded, expires: {ends}}}\n"
        f"  - {{rule: MLG-PKL-001, reason: nothing of this kind is here, expires: {ends}}}\n"
    )
    result = composite.run(workspace, temporary, MODELS)
    assert result.exit_code == 0, result.log
    notices = result.annotations("notice")
    assert len(notices) == told
    expected = f"file=.mlgate.yaml,line=3,title=mlgate waiver ends soon::This waiver ends on {ends}"
    assert all(expected in line for line in notices)


def test_it_asks_for_fresh_advisories_and_says_where_it_gets_none(workspace, temporary):
    (workspace / "requirements.txt").write_text("numpy==2.1.2\n")
    online = composite.run(workspace, temporary, {"checks": "dependencies"})
    assert online.exit_code == 2
    (warning,) = online.annotations("warning")
    assert "advisories-unavailable" in warning
    assert "use --offline" in warning
    assert composite.run(workspace, temporary, {"checks": "dependencies", "offline": "true"}).exit_code == 0
