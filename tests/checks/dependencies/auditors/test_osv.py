import pytest

from mlgate.checks.dependencies.auditor import Pin
from mlgate.checks.dependencies.auditors import osv as auditor
from mlgate.core.severity import Severity


@pytest.fixture
def ask(scope_of, database):
    def run(version, *records, name="torch"):
        pin = Pin(name, version)
        return auditor.audit([pin], scope_of({}, advisories=database(*records))).answers[pin]

    return run


def ids(answer):
    return [(each.id, each.aliases) for each in answer.advisories]


def test_a_version_outside_every_range_is_clean(ask, osv):
    answer = ask("2.0", osv("A-1", "torch", [("introduced", "0"), ("fixed", "2.0")]))
    assert (answer.advisories, answer.unknown) == ((), None)


def test_a_package_that_the_database_does_not_name_is_clean(ask, osv):
    assert ask("2.0", osv("A-1", "numpy")).advisories == ()


@pytest.mark.parametrize("version", ["1.13.0+cu117", "1.13", "v1.13.0", "1.13.0"])
def test_local_labels_and_spellings_do_not_matter(ask, osv, version):
    assert ask(version, osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.13.1")])).advisories


def test_records_about_one_flaw_are_one_advisory_under_all_ids(ask, osv):
    answer = ask(
        "1.0",
        osv("GHSA-aaaa", "torch", aliases=["CVE-2024-1"]),
        osv("PYSEC-2024-1", "torch", aliases=["CVE-2024-1", "BIT-1"]),
        osv("GHSA-bbbb", "torch", aliases=["CVE-2024-2"]),
    )
    assert ids(answer) == [
        ("PYSEC-2024-1", ("GHSA-aaaa", "CVE-2024-1", "BIT-1")),
        ("GHSA-bbbb", ("CVE-2024-2",)),
    ]


def test_it_is_affected_where_any_record_of_the_flaw_says_so(ask, osv):
    answer = ask(
        "1.5",
        osv("PYSEC-1", "torch", [("introduced", "0"), ("fixed", "1.0")], aliases=["CVE-1"]),
        osv("GHSA-1", "torch", [("introduced", "0"), ("fixed", "2.0")], aliases=["CVE-1"]),
    )
    assert ids(answer) == [("PYSEC-1", ("GHSA-1", "CVE-1"))]
    assert answer.advisories[0].fixed == "2.0"


def test_the_upgrade_fixes_every_flaw_with_the_smallest_step(ask, osv):
    answer = ask(
        "1.0",
        osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.1")]),
        osv("A-2", "torch", [("introduced", "0"), ("fixed", "1.3")]),
        osv("A-3", "torch", [("introduced", "1.2"), ("fixed", "1.4")]),
        osv("A-4", "torch", [("introduced", "1.9"), ("fixed", "2.0")]),
    )
    assert [each.fixed for each in answer.advisories] == ["1.1", "1.3"]
    assert answer.upgrade == "1.4"


def test_a_final_release_is_preferred_to_a_pre_release(ask, osv):
    answer = ask(
        "1.0",
        osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.1rc1")]),
        osv("A-2", "torch", [("introduced", "0"), ("fixed", "0.9"), ("introduced", "1.0"), ("fixed", "1.1")]),
    )
    assert answer.upgrade == "1.1"


def test_without_a_fix_there_is_no_upgrade(ask, osv):
    answer = ask("1.0", osv("A-1", "torch", [("introduced", "0"), ("last_affected", "3.0")]))
    assert (answer.upgrade, answer.advisories[0].fixed) == (None, None)


def test_several_affected_entries_count(ask, osv):
    record = osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.0")])
    record["affected"] += osv("A-1", "torch", [("introduced", "2.0"), ("fixed", "2.1")])["affected"]
    record["affected"] += osv("A-1", "numpy", [("introduced", "0"), ("fixed", "9.0")])["affected"]
    assert ask("1.5", record).advisories == ()
    assert ask("2.0.5", record).advisories[0].fixed == "2.1"


def test_a_withdrawn_record_is_none(ask, osv):
    assert ask("1.0", osv("A-1", "torch", withdrawn="2024-01-01"), osv("A-2", "numpy")).advisories == ()


def test_a_record_that_cannot_be_evaluated_is_not_checked(ask, osv):
    answer = ask("1.0", osv("A-1", "torch", [("introduced", "0"), ("fixed", "main")]))
    assert answer.unknown == "advisory-unreadable"
    assert "A-1" in answer.message


def test_a_record_that_cannot_be_evaluated_may_still_list_the_version(ask, osv):
    answer = ask("1.0", osv("A-1", "torch", [("introduced", "0"), ("fixed", "main")], versions=["1.0"]))
    assert (ids(answer), answer.unknown) == ([("A-1", ())], None)


@pytest.mark.parametrize("version", ["", "newest", "1.0-custom-build-7", "9" * 5000])
def test_a_version_that_is_none_is_not_checked(ask, osv, version):
    assert ask(version, osv("A-1", "torch")).unknown == "invalid-version"


def test_a_version_that_is_none_may_still_be_listed(ask, osv):
    answer = ask("0.1-bulbasaur", osv("A-1", "torch", [("introduced", "1")], versions=["0.1-bulbasaur"]))
    assert (ids(answer), answer.unknown) == ([("A-1", ())], "invalid-version")


def test_an_upgrade_is_never_a_version_in_doubt(ask, osv):
    answer = ask(
        "1.0",
        osv("A-1", "torch", [("introduced", "0"), ("fixed", "1.1")]),
        osv("A-2", "torch", [("introduced", "1.05"), ("last_affected", "1.1-cu1")]),
        osv("A-3", "torch", [("introduced", "0"), ("fixed", "1.2")]),
    )
    assert answer.upgrade == "1.2"


@pytest.mark.parametrize(
    ("more", "cvss", "severity"),
    [
        ({}, None, None),
        (
            {"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
            9.8,
            "critical",
        ),
        ({"database_specific": {"severity": "MODERATE"}}, None, "medium"),
        ({"severity": [{"type": "CVSS_V3", "score": "junk"}]}, None, None),
    ],
)
def test_severity_is_the_records_or_unknown(ask, osv, more, cvss, severity):
    (advisory,) = ask("1.0", osv("A-1", "torch", **more)).advisories
    assert advisory.cvss == cvss
    assert advisory.severity == (Severity(severity) if severity else None)


def test_a_report_of_malware_is_marked(ask, osv):
    (advisory,) = ask("1.0", osv("MAL-2024-1", "torch", versions=["1.0"])).advisories
    assert advisory.malicious


def test_the_bundled_set_does_not_call_clean_what_it_does_not_cover(scope_of):
    known, unknown = Pin("torch", "2.0.0"), Pin("nobody-knows-this", "1.0")
    answers = auditor.audit([known, unknown], scope_of({})).answers
    assert answers[known].unknown is None
    assert answers[unknown].unknown == "not-covered"


def test_the_order_of_records_does_not_matter(ask, osv):
    records = [
        osv("GHSA-1", "torch", [("introduced", "0"), ("fixed", "2.0")], aliases=["CVE-1"]),
        osv("PYSEC-1", "torch", [("introduced", "0"), ("fixed", "3.0")], aliases=["CVE-1"]),
        osv("X-1", "torch", aliases=["GHSA-1"]),
    ]
    assert ask("1.0", *records) == ask("1.0", *records[::-1])


TORCH = Pin("torch", "1.0")


@pytest.fixture
def online(scope_of, monkeypatch, tmp_path_factory):
    """Audit torch 1.0 online; the address and what is kept are this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("home")))

    def run(policy="", pins=(TORCH,)):
        return auditor.audit(pins, scope_of({}, policy, offline=False))

    return run


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/all.zip", "http://example.org/", "http://[", "x"])
def test_a_service_that_fails_is_not_checked_and_says_what_to_do(online, monkeypatch, address):
    monkeypatch.setenv("MLGATE_OSV_URL", address)
    seen = online()
    (gap,) = seen.not_checked
    assert (gap.reason, seen.answers, seen.sources) == ("advisories-unavailable", {}, ())
    assert "use --offline" in gap.message
    assert "--advisories PATH" in gap.message


def test_where_nothing_is_pinned_nobody_is_asked(online):
    assert online(pins=()).not_checked == ()


@pytest.mark.parametrize(
    ("origin", "newest", "oldest", "reasons"),
    [
        ("given", "2020-01-01", 30, ["advisories-too-old"]),
        ("given", "2020-01-01", 36500, []),
        ("given", "", 36500, ["advisories-too-old"]),
        ("given", "2999-01-01", 36500, ["advisories-too-old"]),
        ("bundled", None, 1, ["advisories-too-old"]),
        ("bundled", None, 36500, []),
    ],
)
def test_the_policys_age_holds_for_every_database(scope_of, osv, database, origin, newest, oldest, reasons):
    given = database(osv("A-1", "torch") | {"modified": newest}) if origin == "given" else None
    scope = scope_of({}, f"dependencies: {{advisories: {{max_age_days: {oldest}}}}}", advisories=given)
    seen = auditor.audit([Pin("torch", "1.0")], scope)
    assert [gap.reason for gap in seen.not_checked] == reasons


def test_a_database_that_nobody_asks_may_be_old(scope_of):
    scope = scope_of({}, "dependencies: {advisories: {max_age_days: 1}}", advisories=None)
    assert auditor.audit([], scope).not_checked == ()


def test_the_source_says_which_database_it_was(scope_of, osv, database):
    scope = scope_of({}, advisories=database(osv("A-1", "torch")))
    (source,) = auditor.audit([Pin("torch", "1.0")], scope).sources
    assert "1 advisories for 1 packages, newest of 2024-05-01" in source.summary
    assert "days old; given by --advisories; sha256 " in source.summary
    assert len(source.detail["sha256"]) == 64
    assert source.detail["covers"] == "all"
