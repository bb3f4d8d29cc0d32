import pytest

from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.core.severity import Severity
from mlgate.policy.load import load
from mlgate.rules.dependencies import RULES

PLACE = Location("requirements.txt", line=3)
VULNERABLE = {
    "name": "torch",
    "version": "1.0",
    "condition": None,
    "advisory": "PYSEC-2024-1",
    "aliases": ["GHSA-1", "CVE-1"],
    "cvss": None,
    "severity": None,
    "fixed": "1.1",
    "upgrade": "1.2",
    "auditors": ["osv"],
}


def findings(kind, subject="torch==1.0", policy="", place=PLACE, **detail):
    loaded = load(".mlgate.yaml", lambda _: f"version: 1\n{policy}\n".encode())
    return judge(RULES, [Fact(kind, place, subject, detail)], loaded.policy)


def test_a_vulnerable_pin_is_a_finding_with_all_its_ids():
    (finding,) = findings("dependency.vulnerable", **VULNERABLE | {"severity": "medium", "cvss": 5.5})
    assert (finding.rule, finding.severity, finding.cvss) == ("MLG-DEP-001", Severity.MEDIUM, 5.5)
    assert (finding.advisory, finding.aliases) == ("PYSEC-2024-1", ("GHSA-1", "CVE-1"))
    assert finding.location == PLACE
    assert finding.fix.startswith("torch==1.2")
    assert "unknown" not in finding.message


@pytest.mark.parametrize("fail_on", ["info", "low", "medium", "high", "critical"])
def test_an_unknown_severity_counts_as_at_the_threshold_and_says_so(fail_on):
    (finding,) = findings(
        "dependency.vulnerable", policy=f"dependencies: {{fail_on: {fail_on}}}", **VULNERABLE
    )
    assert finding.severity is Severity(fail_on)
    assert "severity is unknown" in finding.message


@pytest.mark.parametrize(
    ("fixed", "upgrade", "expected"),
    [("1.1", "1.2", "torch==1.2"), ("1.1", None, "torch==1.1"), (None, None, "no fixed version is known")],
)
def test_the_fix_is_a_line_to_paste_or_says_that_there_is_none(fixed, upgrade, expected):
    (finding,) = findings("dependency.vulnerable", **VULNERABLE | {"fixed": fixed, "upgrade": upgrade})
    assert finding.fix.startswith(expected)


def test_the_fingerprint_outlives_an_inserted_line():
    (before,) = findings("dependency.vulnerable", **VULNERABLE)
    (after,) = findings("dependency.vulnerable", place=Location("requirements.txt", line=9), **VULNERABLE)
    assert before.fingerprint == after.fingerprint


def test_a_vulnerability_links_to_a_page_that_exists_and_names_who_is_silent():
    private = {"advisory": "SAFETY-1", "aliases": ["CVE-1"], "auditors": ["safety"], "silent": ["osv"]}
    (finding,) = findings("dependency.vulnerable", **VULNERABLE | private)
    assert finding.evidence == "https://osv.dev/vulnerability/CVE-1\nnamed by safety; not by osv"
    (finding,) = findings("dependency.vulnerable", **VULNERABLE | private | {"aliases": [], "silent": []})
    assert finding.evidence is None


def test_a_malicious_release_is_critical_and_says_what_it_did():
    (finding,) = findings("dependency.malicious", what="a miner", references=["https://x.org"], name="torch")
    assert (finding.rule, finding.severity) == ("MLG-DEP-002", Severity.CRITICAL)
    assert "a miner" in finding.message
    assert finding.evidence == "https://x.org"


def test_malware_known_by_an_advisory_alone_is_critical_too():
    (finding,) = findings("dependency.malicious", **VULNERABLE | {"advisory": "MAL-1", "aliases": []})
    assert (finding.severity, finding.advisory) == (Severity.CRITICAL, "MAL-1")


@pytest.mark.parametrize(("unpinned", "expected"), [("fail", 1), ("undecided", 0), ("warn", 0)])
def test_unpinned_is_a_finding_only_where_the_policy_fails_it(unpinned, expected):
    found = findings(
        "dependency.unpinned",
        "torch",
        f"dependencies: {{unpinned: {unpinned}}}",
        requirement="torch>1",
        form="unpinned",
    )
    assert len(found) == expected


def test_an_unpinned_requirement_reaches_any_threshold():
    (finding,) = findings(
        "dependency.unpinned",
        "torch",
        "fail_on: critical\ndependencies: {unpinned: fail}",
        requirement="torch",
        form="vcs-requirement",
    )
    assert (finding.rule, finding.severity) == ("MLG-DEP-003", Severity.CRITICAL)


@pytest.mark.parametrize(("hashed", "severity"), [(True, Severity.INFO), (False, Severity.MEDIUM)])
def test_a_second_index_is_a_finding_that_hashes_soften(hashed, severity):
    (finding,) = findings(
        "dependency.extra-index", "https://x.org", option="--extra-index-url", hashed=hashed
    )
    assert (finding.rule, finding.severity) == ("MLG-DEP-004", severity)


@pytest.mark.parametrize(("together", "severity"), [(True, Severity.LOW), (False, Severity.INFO)])
def test_contradictory_pins_are_a_small_finding(together, severity):
    pins = [{"version": "1", "path": "a.txt", "line": 1}, {"version": "2", "path": "b.txt", "line": None}]
    (finding,) = findings("dependency.contradiction", "torch", together=together, pins=pins)
    assert (finding.rule, finding.severity) == ("MLG-DEP-005", severity)
    assert finding.evidence == "a.txt:1  torch==1\nb.txt:?  torch==2"


def test_facts_of_other_kinds_are_none():
    assert findings("pickle.call", "posix.system") == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_its_help_and_taxonomy(rule):
    for text in (rule.what, rule.why, rule.fix, rule.summary):
        assert text
    assert not rule.summary.endswith(".")
    assert rule.references
    assert rule.cwe
    assert rule.owasp
