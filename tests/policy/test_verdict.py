import datetime as dt

import pytest

from mlgate.core.facts import Check, Location, NotChecked
from mlgate.core.findings import Finding
from mlgate.core.report import Verdict
from mlgate.core.severity import Severity
from mlgate.policy.document import PolicyError
from mlgate.policy.load import load
from mlgate.policy.verdict import decide, fail_at

TODAY = dt.date(2026, 6, 15)


def policy(text=""):
    return load("p.yaml", lambda _path: f"version: 1\n{text}".encode())


def finding(rule="MLG-PKL-002", severity=Severity.HIGH, check=Check.MODELS, path="models/a.pkl", **more):
    values = {"subject": "posix.system", "advisory": None, "aliases": (), "cvss": None, **more}
    return Finding(
        rule=rule,
        name="n",
        severity=severity,
        check=check,
        location=Location(path),
        message="m",
        fix="f",
        fingerprint="0",
        **values,
    )


def vulnerable(**more):
    values = {"subject": "torch==2.1.0", "advisory": "PYSEC-1", "aliases": ("CVE-1", "GHSA-1"), **more}
    return finding("MLG-DEP-001", check=Check.DEPENDENCIES, path="requirements.txt", **values)


def gap(reason="lfs-pointer", path="models/b.bin", subject="", check=Check.MODELS):
    return NotChecked(check, reason, Location(path), "m", subject)


def verdict(text="", findings=(), gaps=(), **more):
    return decide(policy(text), findings, gaps, TODAY, complete=True, **more)


def waiver(**keys):
    keys = {"reason": "looked at it, it is fine", "expires": "2026-12-31", **keys}
    return "waivers:\n- " + "\n  ".join(f"{key}: {value}" for key, value in keys.items()) + "\n"


@pytest.mark.parametrize(
    ("findings", "gaps", "expected"),
    [
        ([], [], Verdict.PASS),
        ([finding(severity=Severity.MEDIUM)], [], Verdict.PASS),
        ([finding()], [], Verdict.FAIL),
        ([], [gap()], Verdict.UNDECIDED),
        ([finding()], [gap()], Verdict.FAIL),
        ([finding(severity=Severity.MEDIUM)], [gap()], Verdict.UNDECIDED),
    ],
)
def test_three_outcomes(findings, gaps, expected):
    decision = verdict("", findings, gaps)
    assert decision.verdict is expected
    assert decision.verdict.exit_code == {"pass": 0, "fail": 1, "undecided": 2}[expected.value]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("fail_on: critical", False),
        ("models: {fail_on: critical}", False),
        ("dependencies: {fail_on: low}", True),
    ],
)
def test_the_threshold_is_the_checks_own_or_the_policys(text, blocks):
    assert verdict(text, [finding()]).findings[0].blocks is blocks


@pytest.mark.parametrize(("cvss", "blocks"), [(None, False), (6.9, False), (7.0, True)])
def test_a_cvss_score_fails_whatever_the_severity(cvss, blocks):
    text = "dependencies: {fail_on: {severity: critical, cvss: 7.0}}"
    assert verdict(text, [vulnerable(severity=Severity.LOW, cvss=cvss)]).findings[0].blocks is blocks


@pytest.mark.parametrize(
    "keys",
    [
        {"rule": "MLG-DEP-001"},
        {"rule": "MLG-DEP-001", "advisory": "PYSEC-1"},
        {"rule": "MLG-DEP-001", "advisory": "cve-1"},
        {"rule": "MLG-DEP-001", "advisory": "GHSA-1", "path": "requirements.txt"},
        {"rule": "MLG-DEP-001", "package": "Torch"},
        {"rule": "MLG-DEP-001", "subject": "torch==2.1.0", "path": "'*.txt'"},
    ],
)
def test_a_waiver_accepts_a_finding_and_leaves_it_in_the_report(keys):
    decision = verdict(waiver(**keys), [vulnerable()])
    assert decision.verdict is Verdict.PASS
    assert decision.findings[0].waived.reason == "looked at it, it is fine"
    assert decision.findings[0].waived.line == 3
    assert decision.waivers[0].status == "used"


@pytest.mark.parametrize(
    "keys",
    [
        {"rule": "MLG-DEP-002"},
        {"rule": "MLG-DEP-001", "advisory": "CVE-2"},
        {"rule": "MLG-DEP-001", "path": "other.txt"},
        {"rule": "MLG-DEP-001", "package": "torchvision"},
        {"rule": "MLG-DEP-001", "subject": "torch==2.1.1"},
        {"not_checked": "lfs-pointer"},
    ],
)
def test_a_waiver_for_something_else_is_unused(keys):
    decision = verdict(waiver(**keys), [vulnerable()])
    assert decision.verdict is Verdict.FAIL
    assert decision.waivers[0].status == "unused"


def test_an_unused_waiver_is_only_called_so_after_a_whole_run():
    loaded = policy(waiver(rule="MLG-DEP-001"))
    assert decide(loaded, [], [], TODAY, complete=False).waivers[0].status == "unknown"


def test_a_waiver_holds_on_its_last_day_and_no_longer():
    loaded = policy(waiver(rule="MLG-DEP-001", expires="2026-06-15"))
    assert decide(loaded, [vulnerable()], [], TODAY, complete=True).verdict is Verdict.PASS
    late = decide(loaded, [vulnerable()], [], TODAY + dt.timedelta(days=1), complete=True)
    assert late.verdict is Verdict.FAIL
    assert (late.waivers[0].status, late.waivers[0].matched) == ("expired", 1)


def test_something_not_checked_can_be_waived_by_its_reason():
    decision = verdict(waiver(not_checked="lfs-pointer", path="models/**"), [], [gap()])
    assert decision.verdict is Verdict.PASS
    assert decision.not_checked[0].waived is not None
    assert not decision.not_checked[0].counts


@pytest.mark.parametrize(("setting", "expected"), [("warn", Verdict.PASS), ("undecided", Verdict.UNDECIDED)])
def test_unpinned_requirements_count_as_the_policy_says(setting, expected):
    item = gap("unpinned", "requirements.txt", "torch", Check.DEPENDENCIES)
    assert verdict(f"dependencies: {{unpinned: {setting}}}", [], [item]).verdict is expected


def test_warn_excuses_nothing_but_unpinned_requirements():
    assert verdict("dependencies: {unpinned: warn}", [], [gap()]).verdict is Verdict.UNDECIDED


def test_one_severity_can_replace_every_threshold():
    changed = fail_at(
        policy("models: {fail_on: critical}\ndependencies: {fail_on: {cvss: 1}}").policy, Severity.LOW
    )
    assert {changed.threshold(check) for check in Check} == {Severity.LOW}


@pytest.mark.parametrize(
    ("until_fixed", "fixed_in", "result", "status"),
    [
        (True, None, Verdict.PASS, "used"),
        (True, "2.6.0", Verdict.FAIL, "fixed"),
        (False, "2.6.0", Verdict.PASS, "used"),
    ],
)
def test_a_waiver_until_fixed_ends_when_a_fix_exists(until_fixed, fixed_in, result, status):
    text = waiver(rule="MLG-DEP-001", advisory="CVE-1", until_fixed=str(until_fixed).lower())
    decision = verdict(text, [vulnerable(fixed_in=fixed_in)])
    assert decision.verdict is result
    assert [(each.status, each.matched) for each in decision.waivers] == [(status, 1)]
    assert (decision.findings[0].waived is None) is (result is Verdict.FAIL)


def test_another_waiver_may_still_accept_what_is_fixed():
    both = waiver(rule="MLG-DEP-001", until_fixed="true") + waiver(rule="MLG-DEP-001").removeprefix(
        "waivers:\n"
    )
    decision = verdict(both, [vulnerable(fixed_in="2.6.0")])
    assert decision.verdict is Verdict.PASS
    assert [each.status for each in decision.waivers] == ["fixed", "used"]


def test_a_waiver_past_its_expiry_is_expired_fix_or_no_fix():
    text = waiver(rule="MLG-DEP-001", until_fixed="true", expires="2026-06-14")
    decision = verdict(text, [vulnerable(fixed_in="2.6.0")])
    assert [each.status for each in decision.waivers] == ["expired"]


@pytest.mark.parametrize("keys", [{"not_checked": "unpinned"}, {"rule": "MLG-PKL-002"}])
def test_only_an_advisory_can_be_fixed(keys):
    with pytest.raises(PolicyError, match="until_fixed"):
        policy(waiver(until_fixed="true", **keys))
