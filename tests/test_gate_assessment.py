"""How the gate leads from the model check to an assessment, and what a change touches."""

import datetime as dt
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.report import Verdict

PASSING = Path(__file__).parent.parent / "examples" / "passing"
POLICY = """\
version: 1
assessment:
  - name: digits
    model: {path: MODEL}
    data: {path: data/holdout.npz, features: image, label: digit, range: [0, 1], limit: 100}
    performance: {accuracy: {min: 0.9}}
"""


class Evil:
    def __reduce__(self):
        return os.system, ("echo mlgate-test",)


@pytest.fixture
def repository(tmp_path):
    shutil.copytree(PASSING / "models", tmp_path / "models")
    shutil.copytree(PASSING / "data", tmp_path / "data")
    (tmp_path / ".mlgate.yaml").write_text(POLICY.replace("MODEL", "models/digits.onnx"))
    return tmp_path


def run(root, *checks, **more):
    return gate.run(gate.Request(root=root, checks=checks, today=dt.date(2026, 6, 15), offline=True, **more))


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")


@pytest.mark.parametrize("checks", [(Check.ASSESSMENT,), (Check.MODELS, Check.ASSESSMENT)])
def test_a_model_that_passed_the_model_check_is_assessed(repository, checks):
    report = run(repository, *checks)
    assert report.verdict is Verdict.PASS
    assert [figure.name for figure in report.measurements] == ["accuracy"]


@pytest.mark.parametrize("checks", [(Check.ASSESSMENT,), (Check.MODELS, Check.ASSESSMENT)])
def test_a_flagged_model_is_never_loaded(repository, checks):
    (repository / "models" / "evil.pkl").write_bytes(pickle.dumps(Evil()))
    (repository / ".mlgate.yaml").write_text(POLICY.replace("MODEL", "models/evil.pkl"))
    report = run(repository, *checks)
    assert report.verdict is Verdict.FAIL
    assert not report.measurements
    assert ("assessment", "model-not-cleared") in {
        (entry.item.check.value, entry.item.reason) for entry in report.not_checked
    }


def test_a_model_that_the_policy_excludes_is_checked_before_it_is_loaded(repository):
    policy = POLICY.replace("MODEL", "models/digits.onnx") + 'models: {exclude: ["models/**"]}\n'
    (repository / ".mlgate.yaml").write_text(policy)
    report = run(repository, Check.MODELS, Check.ASSESSMENT)
    assert "models/digits.onnx" in {record.path for record in report.inventory}
    assert len(report.measurements) == 1


def test_a_model_that_could_not_be_read_to_its_end_is_not_loaded(repository):
    model = repository / "models" / "digits.onnx"
    model.write_bytes(model.read_bytes()[:-100])
    report = run(repository, Check.ASSESSMENT)
    assert report.verdict is Verdict.UNDECIDED
    assert not report.measurements


def test_a_large_model_has_a_digest_when_it_is_assessed(repository):
    policy = POLICY.replace("MODEL", "models/digits.onnx") + "limits: {hash_bytes: 10}\n"
    (repository / ".mlgate.yaml").write_text(policy)
    assert len(run(repository, Check.MODELS, Check.ASSESSMENT).measurements) == 1


def test_an_assessment_that_no_change_touches_is_not_run_and_says_so(repository):
    commit(repository)
    (repository / "other.txt").write_text("x")
    report = run(repository, Check.ASSESSMENT, changed_since="HEAD")
    assert report.verdict is Verdict.PASS
    assert not report.measurements
    assert [source.name for source in report.sources] == ["not run"]


@pytest.mark.parametrize("touched", [".mlgate.yaml", "data/holdout.npz", "models/digits.onnx"])
def test_an_assessment_runs_where_its_model_data_or_policy_changed(repository, touched):
    git(repository, "init", "-q")
    git(repository, "commit", "-qm", "empty", "--allow-empty")
    git(repository, "add", "-A")
    git(repository, "reset", "-q", touched)
    git(repository, "commit", "-qm", "the rest")
    git(repository, "add", touched)
    assert len(run(repository, Check.ASSESSMENT, staged=True).measurements) == 1


def test_an_assessment_runs_where_what_its_policy_extends_changed(repository):
    (repository / "ci").mkdir()
    (repository / ".mlgate.yaml").rename(repository / "ci/base.yaml")
    (repository / ".mlgate.yaml").write_text("version: 1\nextends: ci/base.yaml\n")
    commit(repository)
    with (repository / "ci/base.yaml").open("a") as file:
        file.write("    # another day\n")
    assert len(run(repository, Check.ASSESSMENT, changed_since="HEAD").measurements) == 1


@pytest.mark.parametrize("scope", [{"staged": True}, {"changed_since": "HEAD"}])
def test_an_assessment_runs_where_a_file_of_it_is_deleted(repository, scope):
    commit(repository)
    git(repository, "rm", "-q", "models/digits.onnx")
    report = run(repository, Check.ASSESSMENT, **scope)
    assert report.verdict is Verdict.UNDECIDED
    assert [gap.item.check for gap in report.not_checked] == [Check.ASSESSMENT]


def test_a_named_assessment_runs_whatever_changed(repository):
    commit(repository)
    (repository / "other.txt").write_text("x")
    report = run(repository, Check.ASSESSMENT, changed_since="HEAD", assessments=("digits",))
    assert len(report.measurements) == 1


def test_a_policy_that_is_not_staged_yet_counts_all_the_same(repository):
    policy = repository / ".mlgate.yaml"
    text = policy.read_text()
    policy.unlink()
    commit(repository)
    policy.write_text(text + "fail_on: low\n")
    (repository / "models" / "digits.onnx").write_bytes(b"")
    git(repository, "add", "models")
    assert run(repository, Check.MODELS, staged=True).policy.path == ".mlgate.yaml"


def test_a_policy_of_the_index_is_the_one_that_counts(repository):
    commit(repository)
    (repository / ".mlgate.yaml").write_text("broken: [")
    (repository / "note.txt").write_text("x")
    git(repository, "add", "note.txt")
    assert not run(repository, Check.MODELS, staged=True).not_checked


def test_a_policy_elsewhere_is_named_by_its_path(repository, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "strict.yaml"
    other.write_text("version: 1\nfail_on: low\n")
    assert run(repository, Check.MODELS, policy=other).policy.path == other.as_posix()
    inside = repository / "policies" / "strict.yaml"
    inside.parent.mkdir()
    inside.write_text("version: 1\n")
    assert run(repository, Check.MODELS, policy=inside).policy.path == "policies/strict.yaml"


def test_a_policy_that_is_a_link_is_not_followed(repository):
    policy = repository / ".mlgate.yaml"
    policy.rename(repository / "real.yaml")
    policy.symlink_to("real.yaml")
    report = run(repository, Check.MODELS)
    assert report.verdict is Verdict.UNDECIDED
    assert [entry.item.reason for entry in report.not_checked] == ["policy"]


def test_every_waiver_is_accounted_for_after_a_whole_run(repository):
    waiver = "waivers: [{rule: MLG-PKL-002, reason: a file that is gone, expires: 2030-01-01}]\n"
    with (repository / ".mlgate.yaml").open("a") as stream:
        stream.write(waiver + "dependencies: {manifests: []}\n")
    assert [waiver.status for waiver in run(repository, *gate.ALL).waivers] == ["unused"]
    assert [waiver.status for waiver in run(repository, Check.MODELS).waivers] == ["unknown"]
