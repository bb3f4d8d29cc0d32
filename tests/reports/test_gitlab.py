import json

import pytest
from msgspec.structs import replace
from tests.reports.sample import (
    BAD_POLICY,
    CLEAN,
    EMPTY,
    FINDINGS,
    FULL,
    NOT_CHECKED,
    REPORTS,
    RULES,
    UNDECIDED,
    crowd,
    finding,
    gap,
)

from mlgate.core.facts import Location
from mlgate.core.report import PolicyRef, Verdict
from mlgate.core.severity import Severity


@pytest.fixture
def entries(render):
    return lambda report: json.loads(render("gitlab", report))


@pytest.mark.parametrize("report", list(REPORTS))
def test_every_entry_has_what_gitlab_asks_for(report, entries):
    """The keys and words of https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""
    for entry in entries(REPORTS[report]):
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["description"]
        assert entry["check_name"]
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["path"]
        assert not entry["location"]["path"].startswith(("/", "./"))
        assert entry["location"]["lines"]["begin"] >= 1


@pytest.mark.parametrize("report", [*REPORTS.values(), crowd(500)])
def test_no_two_entries_share_a_fingerprint(report, entries):
    marks = [entry["fingerprint"] for entry in entries(report)]
    assert len(marks) == len(set(marks))


def test_two_items_alike_are_two_entries(entries):
    twin = gap("limit", "a.zip", "A limit was reached.")
    report = replace(EMPTY, verdict=Verdict.UNDECIDED, not_checked=(twin, twin))
    assert len({entry["fingerprint"] for entry in entries(report)}) == 3


def test_nothing_is_left_out(entries):
    assert len(entries(FULL)) == 1 + len(FINDINGS) + len(NOT_CHECKED)


def test_a_pass_has_no_entry_of_its_own_and_any_other_verdict_has(entries):
    assert entries(CLEAN) == []
    first = entries(UNDECIDED)[0]
    assert first["check_name"] == "mlgate-verdict"
    assert first["description"].startswith("mlgate: undecided (exit code 2: look before you merge)")
    assert entries(FULL)[0]["severity"] == "blocker"


def test_fingerprints_are_the_findings_own_and_do_not_move_with_lines(entries):
    def mark(line):
        found = finding(RULES[2], Location("requirements.txt", line=line), advisory="PYSEC-1")
        assert entries(replace(FULL, findings=(found,)))[1]["fingerprint"] == found.fingerprint
        return found.fingerprint

    assert mark(3) == mark(90)
    moved = [
        entries(replace(UNDECIDED, not_checked=(gap("unpinned", "r.txt", "Pin it.", line=line),)))[1]
        for line in (3, 90)
    ]
    assert moved[0]["fingerprint"] == moved[1]["fingerprint"]


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", "blocker"), ("high", "critical"), ("medium", "major"), ("low", "minor"), ("info", "info")],
)
def test_severities_have_their_words(severity, expected, entries):
    found = finding(RULES[2], severity=Severity(severity))
    assert entries(replace(FULL, findings=(found,)))[1]["severity"] == expected


def test_what_is_waived_is_listed_and_marked(entries):
    (waived,) = [one for one in entries(FULL) if one["description"].startswith("waived until 2027-01-31")]
    assert waived["severity"] == "info"


def test_inside_a_binary_the_description_names_the_place(entries):
    assert entries(FULL)[1]["description"].endswith("(in byte 41)")


@pytest.mark.parametrize(("policy", "expected"), [("ci/gate.yaml", "ci/gate.yaml"), (None, ".mlgate.yaml")])
def test_what_has_no_path_points_at_the_policy(policy, expected, entries):
    report = replace(FULL, policy=PolicyRef(policy), findings=(finding(location=Location("")),))
    assert {one["location"]["path"] for one in entries(report)[:2]} == {expected}


def test_a_bad_policy_is_an_entry_at_its_line(entries):
    told = entries(BAD_POLICY)[1]
    assert told["location"] == {"path": ".mlgate.yaml", "lines": {"begin": 3}}
    assert told["severity"] == "critical"
