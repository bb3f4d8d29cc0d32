import json

from msgspec.structs import replace
from tests.reports.sample import BIDI, CLEAN, FULL, LOOKS

from mlgate.core.report import BaselineEntry, BaselineStatus

FINDING = [
    "rule",
    "name",
    "severity",
    "check",
    "path",
    "member",
    "line",
    "offset",
    "subject",
    "message",
    "evidence",
    "fix",
    "advisory",
    "aliases",
    "cvss",
    "fixed_in",
    "fingerprint",
    "blocks",
    "waived",
    "baseline",
]


def _load(render, report=FULL):
    return json.loads(render("json", report))


def test_the_contract_has_its_keys_in_their_order(render):
    assert list(_load(render)) == [
        "version",
        "tool",
        "policy",
        "verdict",
        "exit_code",
        "scope",
        "checks",
        "fail_on",
        "started",
        "seconds",
        "files_seen",
        "findings",
        "not_checked",
        "inventory",
        "packages",
        "measurements",
        "sources",
        "waivers",
        "baseline",
    ]


def test_every_list_is_there_when_it_is_empty(render):
    empty = _load(render, replace(CLEAN, inventory=(), packages=(), measurements=(), sources=()))
    assert empty["version"] == 1
    assert [empty[key] for key in ("findings", "not_checked", "inventory", "packages", "measurements")] == [
        []
    ] * 5


def test_a_finding_is_flat(render):
    found = _load(render)["findings"][0]
    assert list(found) == FINDING
    assert (
        found["rule"],
        found["severity"],
        found["path"],
        found["offset"],
        found["member"],
        found["line"],
    ) == (
        "MLG-PKL-002",
        "critical",
        "models/net.pkl",
        41,
        None,
        None,
    )


def test_a_dependency_finding_names_the_advisory_and_its_aliases(render):
    found = _load(render)["findings"][2]
    assert found["subject"] == "torch==2.1.0"
    assert found["advisory"] == "PYSEC-2025-41"
    assert found["aliases"] == ["CVE-2025-32434", "GHSA-53q9-r3pm-6pq6"]


def test_waived_findings_are_listed_with_their_waiver(render):
    waived = [found["waived"] for found in _load(render)["findings"] if found["waived"]]
    assert waived == [
        {"reason": "the vulnerable function is not called", "expires": "2027-01-31", "line": 31}
    ]


def test_what_was_not_checked_is_flat_and_says_whether_it_counts(render):
    items = _load(render)["not_checked"]
    assert list(items[0]) == [
        "check",
        "path",
        "member",
        "line",
        "offset",
        "subject",
        "reason",
        "message",
        "counts",
        "waived",
        "baseline",
    ]
    assert [item["counts"] for item in items[-3:]] == [True, False, False]


def test_measurements_keep_their_detail_and_lose_what_json_cannot_say(render):
    measurements = _load(render)["measurements"]
    assert measurements[1]["detail"]["looks"] == LOOKS
    assert measurements[2]["detail"] == {"note": None}
    assert measurements[2]["value"] is None


def test_hostile_names_come_back_as_they_were(render):
    assert _load(render)["packages"][4]["name"] == f"evil-{BIDI}"


def test_nothing_is_cut(render):
    from tests.reports.sample import crowd

    assert len(_load(render, crowd(3_000))["findings"]) == 3_000


def test_the_baseline_says_what_it_knows_and_what_holds_nothing_any_more(render):
    stale = (BaselineEntry("MLG-PKL-002 posix.system in a.pkl", "gone", "1" * 64),)
    kept = BaselineStatus(".mlgate-baseline.json", "0" * 64, 3, 2, stale)
    assert _load(render, replace(CLEAN, baseline=kept))["baseline"] == {
        "path": ".mlgate-baseline.json",
        "sha256": "0" * 64,
        "entries": 3,
        "known": 2,
        "stale": [
            {"summary": "MLG-PKL-002 posix.system in a.pkl", "status": "gone", "fingerprint": "1" * 64}
        ],
    }
