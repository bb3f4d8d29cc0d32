"""The policy at a git ref judges, and what a change would loosen is a finding."""

import datetime as dt
import os
import pickle
import subprocess
from pathlib import Path

import pytest

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.report import Verdict
from mlgate.core.severity import Severity

EVIL = b"cos\nsystem\n(S'echo harmless'\ntR."
CLEAN = pickle.dumps({"weights": [1.0, 2.0]})
STRICT = "version: 1\nfail_on: low\n"
LAX = "version: 1\nmodels:\n  exclude: ['**']\n"
TODAY = dt.date(2026, 6, 15)


def git(*arguments):
    options = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *options, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(message="c"):
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "-m", message)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A checkout whose branch main has a strict policy, and a model on another branch."""
    root = tmp_path / "r"
    root.mkdir()
    monkeypatch.chdir(root)
    git("init", "--quiet", "--initial-branch=main")
    Path(".mlgate.yaml").write_text(STRICT)
    commit()
    git("checkout", "--quiet", "-b", "change")
    Path("model.pkl").write_bytes(EVIL)
    return root


def run(ref="main", **more):
    checks = more.pop("checks", (Check.MODELS,))
    return gate.run(gate.Request(root=Path(), checks=checks, policy_ref=ref, today=TODAY, **more))


def rules(report):
    return [finding.rule for finding in report.findings]


def gaps(report):
    return [entry.item.message for entry in report.not_checked]


def test_a_change_cannot_loosen_the_policy_that_judges_it(here):
    Path(".mlgate.yaml").write_text(LAX)
    assert gate.run(gate.Request(root=Path(), checks=(Check.MODELS,))).verdict is Verdict.PASS
    report = run()
    assert report.verdict is Verdict.FAIL
    loosened = [finding for finding in report.findings if finding.rule == "MLG-POL-001"]
    assert [(finding.subject, finding.location.line, finding.severity) for finding in loosened] == [
        ("fail_on", 1, Severity.MEDIUM),
        ("models.exclude", 3, Severity.MEDIUM),
    ]
    assert "MLG-PKL-002" in rules(report)
    (source,) = [source for source in report.sources if source.name == "policy"]
    assert source.detail["commit"] == git("rev-parse", "main")


@pytest.mark.parametrize(("ref", "named"), [("main", "main ({short})"), ("{commit}", "{short}")])
def test_the_source_names_the_commit_once(here, ref, named):
    commit = git("rev-parse", "main")
    report = run(ref.format(commit=commit))
    (source,) = [source for source in report.sources if source.name == "policy"]
    assert source.summary == f"as it is at {named.format(short=commit[:12])}: .mlgate.yaml"


def test_a_change_that_tightens_is_no_finding(here):
    Path("model.pkl").write_bytes(CLEAN)
    Path(".mlgate.yaml").write_text("version: 1\nfail_on: info\n")
    report = run()
    assert (report.verdict, rules(report)) == (Verdict.PASS, [])
    assert report.fail_on["models"] is Severity.LOW


def test_a_change_without_a_direction_is_a_finding_of_low_severity(here):
    Path("model.pkl").write_bytes(CLEAN)
    Path(".mlgate.yaml").write_text(STRICT + "limits: {facts: 7}\n")
    (finding,) = run().findings
    assert (finding.subject, finding.severity) == ("limits.facts", Severity.LOW)


def test_a_policy_that_is_removed_still_judges(here):
    Path(".mlgate.yaml").unlink()
    report = run()
    assert report.policy.path == ".mlgate.yaml"
    assert "policy" in {finding.subject for finding in report.findings}


def test_where_the_ref_has_no_policy_the_defaults_judge_and_the_report_says_so(here):
    git("rm", "--quiet", ".mlgate.yaml")
    commit()
    git("branch", "bare")
    Path(".mlgate.yaml").write_text(LAX)
    report = run("bare")
    assert report.verdict is Verdict.FAIL
    assert report.policy.path is None
    assert "no policy there" in next(source.summary for source in report.sources if source.name == "policy")
    assert "MLG-POL-001" in rules(report)


def test_what_it_extends_and_its_baseline_are_read_there_too(here):
    Path("base.yaml").write_text("version: 1\nmodels: {allow_formats: [onnx]}\n")
    Path(".mlgate.yaml").write_text("version: 1\nfail_on: low\nextends: base.yaml\nbaseline: b.json\n")
    Path("b.json").write_text('{"version": 1, "entries": []}')
    Path("model.pkl").write_bytes(CLEAN)
    commit()
    git("branch", "base")
    Path("base.yaml").write_text("version: 1\n")
    assert gate.run(gate.Request(root=Path(), writes_baseline=True)).baseline.entries == 0
    report = run("base")
    assert report.verdict is Verdict.FAIL
    assert report.baseline.path == "b.json"
    assert {"models.allow_formats"} <= {finding.subject for finding in report.findings}


def test_a_broken_policy_here_is_undecided_although_another_judges(here):
    Path("model.pkl").write_bytes(CLEAN)
    Path(".mlgate.yaml").write_text("version: 2\n")
    report = run()
    assert report.verdict is Verdict.UNDECIDED
    assert report.not_checked[0].item.check is Check.POLICY


@pytest.mark.parametrize(
    "ref",
    [
        "gone",
        "--upload-pack=touch pwned",
        "--output=pwned",
        "-n",
        "",
        "main..change",
        "main:.mlgate.yaml",
        "main\nx",
        "ma\0in",
        "$(touch pwned)",
        "main^{tree}",
        "../main",
        "0" * 40,
    ],
)
def test_what_is_no_ref_is_undecided_and_runs_nothing(here, ref):
    report = run(ref)
    assert report.verdict is Verdict.UNDECIDED
    assert "fetch it" in gaps(report)[0] or "zero byte" in gaps(report)[0]
    assert not [path for path in here.iterdir() if "pwned" in path.name]


def test_outside_a_checkout_there_is_no_ref(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.pkl").write_bytes(CLEAN)
    report = run()
    assert report.verdict is Verdict.UNDECIDED
    assert "in no git checkout" in gaps(report)[0]


@pytest.mark.parametrize("name", ["../outside.yaml", "/etc/passwd", "a/../../outside.yaml"])
def test_a_policy_outside_is_in_no_commit(here, name):
    Path("../outside.yaml").write_text(LAX)
    report = run(policy=Path(name))
    assert report.verdict is Verdict.UNDECIDED


def test_a_link_does_not_say_which_file_of_the_ref_judges(here):
    Path("lax.yaml").write_text(LAX)
    Path("conf.yaml").write_text(STRICT)
    commit()
    git("branch", "base")
    Path("conf.yaml").unlink()
    Path("conf.yaml").symlink_to("lax.yaml")
    report = run("base", policy=Path("conf.yaml"))
    assert report.verdict is Verdict.FAIL
    assert "MLG-PKL-002" in rules(report)


@pytest.mark.parametrize("name", [".mlgate.yaml", "base.yaml"])
def test_a_link_at_the_ref_is_not_followed(here, name):
    Path("lax.yaml").write_text(LAX)
    Path(".mlgate.yaml").write_text("version: 1\nextends: base.yaml\n")
    Path("base.yaml").write_text("version: 1\n")
    Path(name).unlink()
    Path(name).symlink_to("lax.yaml")
    commit()
    git("branch", "base")
    Path(name).unlink()
    Path(name).write_text("version: 1\n")
    report = run("base")
    assert report.verdict is Verdict.UNDECIDED
    assert "symbolic link" in gaps(report)[0]


@pytest.mark.parametrize(
    "base", ["../up.yaml", "/etc/passwd", "a/../../up.yaml", "https://example.org/a", "folder"]
)
def test_a_policy_at_the_ref_cannot_lead_out_of_it(here, base):
    Path("folder").mkdir()
    Path("folder/x").write_text("x")
    Path(".mlgate.yaml").write_text(f"version: 1\nextends: {base}\n")
    commit()
    git("branch", "base")
    Path(".mlgate.yaml").write_text(STRICT)
    report = run("base")
    assert report.verdict is Verdict.UNDECIDED
    assert "extends" in gaps(report)[0]


def test_the_root_may_lie_deeper_in_the_checkout(here, monkeypatch):
    sub = here / "sub"
    sub.mkdir()
    (sub / ".mlgate.yaml").write_text("version: 1\nfail_on: info\n")
    commit()
    git("branch", "base")
    monkeypatch.chdir(sub)
    Path("model.pkl").write_bytes(CLEAN)
    assert run("base").fail_on["models"] is Severity.INFO


def test_an_object_cannot_stand_for_another(here):
    good = git("rev-parse", "main:.mlgate.yaml")
    Path("lax").write_text(LAX)
    git("replace", good, git("hash-object", "-w", "lax"))
    assert run().verdict is Verdict.FAIL


def test_staged_policies_are_compared_as_they_are_staged(here):
    Path(".mlgate.yaml").write_text(LAX)
    git("add", "--all")
    Path(".mlgate.yaml").write_text(STRICT)
    assert "MLG-POL-001" in rules(run(staged=True))


def test_a_large_policy_at_the_ref_is_refused(here):
    with Path(".mlgate.yaml").open("a") as file:
        file.write("#" * ((32 << 20) + 1))
    commit()
    git("branch", "base")
    Path(".mlgate.yaml").write_text(STRICT)
    assert "larger than" in gaps(run("base"))[0]


def test_a_name_that_is_no_text_is_none(here):
    assert run(os.fsdecode(b"\xff")).verdict is Verdict.UNDECIDED


def test_what_is_wrong_at_the_ref_is_said_to_be_there(here):
    Path(".mlgate.yaml").write_text("version: 1\nmodles: {}\n")
    commit()
    git("branch", "base")
    Path(".mlgate.yaml").write_text(STRICT)
    report = run("base")
    assert report.verdict is Verdict.UNDECIDED
    assert gaps(report)[0].startswith("as it is at base: modles: unknown key")


@pytest.mark.parametrize("name", ["adv/PYSEC-1.json", "adv/PYSEC-2.json"])
def test_a_change_cannot_bring_the_advisories_that_judge_it(here, name):
    """Dependencies that change along with them are not held against them, and never pass so."""
    record = '{"schema_version": "1.6.0", "id": "PYSEC-1", "modified": "%s"}'

    def brought(**more):
        report = run(checks=(Check.DEPENDENCIES,), offline=True, **more)
        return "advisories-changed" in {entry.item.reason for entry in report.not_checked if entry.counts}

    git("checkout", "--quiet", "main")
    Path(".mlgate.yaml").write_text("version: 1\ndependencies: {advisories: {path: adv}}\n")
    Path("adv").mkdir()
    Path("adv/PYSEC-1.json").write_text(record % "2026-06-01T00:00:00Z")
    commit()
    git("checkout", "--quiet", "-b", "other")
    Path(name).write_text(record % "2026-06-02T00:00:00Z")
    commit()
    assert not brought(changed_since="main")
    Path("requirements.txt").write_text("numpy==2.1.2\n")
    commit()
    assert brought(changed_since="main")
    assert brought()
    git("rm", "-rq", "adv")
    git("checkout", "--quiet", "main", "--", "adv")
    assert not brought()
