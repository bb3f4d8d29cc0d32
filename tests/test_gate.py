"""The whole chain, from files to a report."""

import datetime as dt
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import pytest

from mlgate import cli, gate, reports
from mlgate.core.facts import Check
from mlgate.core.report import Verdict
from mlgate.core.severity import Severity

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


class Evil:
    """Would run a harmless command, were it ever loaded."""

    def __reduce__(self):
        return os.system, ("echo mlgate-test",)


EVIL = pickle.dumps(Evil())
CLEAN = pickle.dumps({"weights": [1.0, 2.0], "name": "ok"})
OUTCOMES = [(EVIL, 1), (CLEAN, 0), (LFS, 2)]
TODAY = dt.date(2026, 6, 15)


def scan(root, *checks, **more):
    return gate.run(gate.Request(root=root, checks=checks or (Check.MODELS,), today=TODAY, **more))


def reasons(report):
    return {(entry.item.check.value, entry.item.reason) for entry in report.not_checked if entry.counts}


@pytest.mark.parametrize(("content", "code"), OUTCOMES, ids=["evil", "clean", "lfs-pointer"])
@pytest.mark.parametrize("name", reports.formats())
def test_three_outcomes_are_the_same_in_every_format(
    tmp_path, monkeypatch, capsysbinary, name, content, code
):
    monkeypatch.chdir(tmp_path)
    Path("model.pkl").write_bytes(content)
    assert cli.main(["scan", "model.pkl", "--report", name, "--report", f"{name}=out/report"]) == code
    word = {0: b"pass", 1: b"fail", 2: b"undecided"}[code]
    shown = capsysbinary.readouterr().out
    assert shown
    if name not in {"sarif", "csv", "gitlab"}:  # these list results, and have no word for the verdict
        assert word in shown.lower()
    assert Path("out/report").read_bytes()[:200] == shown[:200]


def test_a_flagged_pickle_is_shown_as_readable_python(tmp_path):
    (tmp_path / "model.pkl").write_bytes(EVIL)
    report = scan(tmp_path)
    assert any("system(" in (finding.evidence or "") for finding in report.findings)
    assert any("from posix import system" in (finding.evidence or "") for finding in report.findings)


def test_one_hostile_file_does_not_silence_the_others(tmp_path):
    (tmp_path / "a-empty.pkl").write_bytes(b"")
    (tmp_path / "b-truncated.pkl").write_bytes(CLEAN[:-4])
    (tmp_path / "c-evil.pkl").write_bytes(EVIL)
    (tmp_path / "d-pointer.safetensors").write_bytes(LFS)
    os.mkfifo(tmp_path / "e-pipe.pkl")
    report = scan(tmp_path)
    assert report.verdict is Verdict.FAIL
    assert {entry.item.location.path for entry in report.not_checked} == {
        "a-empty.pkl",
        "b-truncated.pkl",
        "d-pointer.safetensors",
        "e-pipe.pkl",
    }
    assert {finding.location.path for finding in report.findings if finding.blocks} == {"c-evil.pkl"}


def test_a_folder_that_cannot_be_read_is_not_checked():
    # Root reads everything: the test lays its rights down, in a folder that others may enter.
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    try:
        (root / "good.pkl").write_bytes(CLEAN)
        (root / "closed").mkdir()
        (root / "closed" / "evil.pkl").write_bytes(EVIL)
        (root / "secret.pkl").write_bytes(CLEAN)
        scan(root)  # loads what is imported late, while that is still allowed
        (root / "closed").chmod(0)
        (root / "secret.pkl").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            report = scan(root)
        finally:
            os.seteuid(user)
    finally:
        (root / "closed").chmod(0o755)
        shutil.rmtree(root)
    assert report.verdict is Verdict.UNDECIDED
    assert {(entry.item.location.path, entry.item.reason) for entry in report.not_checked} == {
        ("closed", "unreadable"),
        ("secret.pkl", "unreadable"),
    }


def test_nothing_to_look_at_is_not_a_pass(tmp_path):
    assert reasons(scan(tmp_path)) == {("target", "nothing-in-scope")}


@pytest.mark.parametrize("check", list(gate.ALL))
def test_a_broken_policy_is_reported_and_decides_nothing(tmp_path, check):
    (tmp_path / "model.pkl").write_bytes(EVIL)
    (tmp_path / ".mlgate.yaml").write_text("version: 1\nmodels: {exclud: []}\n")
    report = scan(tmp_path, check)
    assert report.verdict is Verdict.UNDECIDED
    (entry,) = report.not_checked
    assert (entry.item.check, entry.item.location.line) == (Check.POLICY, 2)


def test_the_policys_digest_is_part_of_the_report(tmp_path):
    (tmp_path / "model.pkl").write_bytes(CLEAN)
    (tmp_path / ".mlgate.yaml").write_text("version: 1\n")
    assert scan(tmp_path).policy.path == ".mlgate.yaml"
    assert len(scan(tmp_path).policy.sha256) == 64


def test_the_threshold_of_the_command_line_replaces_the_policys(tmp_path):
    (tmp_path / "model.pkl").write_bytes(EVIL)
    (tmp_path / ".mlgate.yaml").write_text("version: 1\nmodels: {fail_on: info}\n")
    assert scan(tmp_path, fail_on=Severity.CRITICAL).fail_on == {"models": Severity.CRITICAL}


def test_a_waiver_expires(tmp_path):
    (tmp_path / "model.pkl").write_bytes(EVIL)
    rules = sorted({finding.rule for finding in scan(tmp_path).findings})
    waivers = "".join(
        f"- {{rule: {rule}, path: model.pkl, reason: our own file, expires: 2026-06-30}}\n" for rule in rules
    )
    (tmp_path / ".mlgate.yaml").write_text("version: 1\nwaivers:\n" + waivers)
    assert scan(tmp_path).verdict is Verdict.PASS
    assert all(finding.waived for finding in scan(tmp_path).findings)
    late = gate.run(gate.Request(root=tmp_path, checks=(Check.MODELS,), today=dt.date(2026, 7, 1)))
    assert late.verdict is Verdict.FAIL
    assert {waiver.status for waiver in late.waivers} == {"expired"}


def test_exclude_is_for_a_walk_and_not_for_a_file_that_is_named(tmp_path):
    (tmp_path / "model.pkl").write_bytes(EVIL)
    (tmp_path / ".mlgate.yaml").write_text('version: 1\nmodels: {exclude: ["*.pkl"]}\n')
    assert scan(tmp_path).verdict is Verdict.PASS
    assert scan(tmp_path, paths=(tmp_path / "model.pkl",)).verdict is Verdict.FAIL


def test_a_defect_in_a_check_is_not_a_pass(tmp_path, monkeypatch):
    import mlgate.checks.models

    def broken(_scope):
        raise RuntimeError("a defect")

    (tmp_path / "model.pkl").write_bytes(CLEAN)
    monkeypatch.setattr(mlgate.checks.models, "collect", broken)
    assert reasons(scan(tmp_path)) == {("models", "check-failed")}


def test_staged_and_changed_exclude_each_other(tmp_path):
    assert reasons(scan(tmp_path, staged=True, changed_since="main")) == {("target", "target")}


def test_an_override_lets_a_format_in_where_it_matches_and_nowhere_else(tmp_path):
    (tmp_path / ".mlgate.yaml").write_text(
        "version: 1\nfail_on: low\nmodels: {allow_formats: [onnx]}\n"
        "overrides:\n- {path: experiments/**, models: {allow_formats: [pickle]}}\n"
    )
    for folder in ("experiments", "serving"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.pkl").write_bytes(CLEAN)
    report = scan(tmp_path)
    assert [finding.location.path for finding in report.findings] == ["serving/model.pkl"]


def test_an_override_that_matches_no_file_is_undecided_on_the_whole_repository_alone(tmp_path):
    (tmp_path / ".mlgate.yaml").write_text(
        "version: 1\noverrides:\n- {path: experimnets/**, fail_on: critical}\n"
    )
    (tmp_path / "model.pkl").write_bytes(CLEAN)
    assert reasons(scan(tmp_path)) == {("policy", "nothing-matched")}
    assert scan(tmp_path, paths=(tmp_path / "model.pkl",)).verdict is Verdict.PASS
