import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.sample import BAD_POLICY, CLEAN, EMPTY, FULL, MEASUREMENTS, REPORTS, crowd, finding

from mlgate.core.facts import Location
from mlgate.reports import Style, junit

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
# Of the xunit plugin's junit-10.xsd: what each element may hold, and its attributes; "!" is required.
SCHEMA = {
    "testsuites": ({"testsuite"}, "name time tests failures errors"),
    "testsuite": (
        {"properties", "testcase"},
        "name! tests! failures! errors! skipped time timestamp",
    ),
    "properties": ({"property"}, ""),
    "property": (set(), "name! value!"),
    "testcase": ({"skipped", "error", "failure", "system-out"}, "name! classname time"),
    "failure": (set(), "type message"),
    "error": (set(), "type message"),
    "skipped": (set(), "type message"),
    "system-out": (set(), ""),
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def parsed(report):
    return ET.fromstring(junit.render(report, Style()))


def suite(report, name):
    (found,) = [one for one in parsed(report) if one.get("name") == f"mlgate.{name}"]
    return found


def count(root, tag):
    return sum(1 for _ in root.iter(tag))


@pytest.mark.parametrize("report", list(REPORTS))
def test_the_document_is_what_the_schema_allows(report):
    for element in parsed(REPORTS[report]).iter():
        inner, words = SCHEMA[element.tag]
        assert {child.tag for child in element} <= inner
        allowed = {word.rstrip("!") for word in words.split()}
        assert (
            {word.rstrip("!") for word in words.split() if word.endswith("!")}
            <= set(element.attrib)
            <= allowed
        )
        assert TIME.fullmatch(element.get("time", "0"))


@pytest.mark.parametrize("report", list(REPORTS))
def test_the_counts_are_those_of_the_cases(report):
    root = parsed(REPORTS[report])
    for element in [root, *root]:
        assert int(element.get("tests")) == count(element, "testcase")
        assert int(element.get("failures")) == count(element, "failure")
        assert int(element.get("errors")) == count(element, "error")
    for element in root:
        assert int(element.get("skipped")) == count(element, "skipped")


def test_a_failure_blocks_an_error_was_not_checked_and_skipped_is_accepted():
    root = parsed(FULL)
    assert count(root, "failure") == 4
    assert count(root, "error") == 10
    skipped = [one.get("message") for one in root.iter("skipped")]
    assert len(skipped) == 9
    assert sum(message.startswith("masked") for message in skipped) == 1
    assert any("PYSEC-2021-857" in message for message in skipped)
    assert any(message.startswith("inconclusive") for message in skipped)


def test_there_is_a_suite_for_each_check():
    assert [one.get("name") for one in parsed(FULL)] == [
        "mlgate.models",
        "mlgate.dependencies",
        "mlgate.assessment",
    ]


def test_a_check_that_did_not_run_has_a_suite_where_something_was_found_about_it():
    assert suite(BAD_POLICY, "policy").get("errors") == "1"


def test_a_clean_report_passes_for_what_was_looked_at():
    root = parsed(CLEAN)
    assert root.get("failures") == root.get("errors") == "0"
    names = [f"{case.get('classname')}: {case.get('name')}" for case in root.iter("testcase")]
    assert names == [
        "models/digits.onnx: onnx was read",
        "requirements.txt: requirements were read",
        "digits: performance: accuracy",
    ]


def test_an_empty_run_still_has_its_suite():
    assert [one.get("name") for one in parsed(EMPTY)] == ["mlgate.models"]
    assert [one.get("name") for one in parsed(replace(EMPTY, checks=()))] == ["mlgate.target"]


@pytest.mark.parametrize("outcome", ["inconclusive", "masked"])
def test_a_figure_that_shows_nothing_is_no_test_that_passed(outcome):
    figure = replace(MEASUREMENTS[0], outcome=outcome)
    root = parsed(replace(CLEAN, measurements=(figure,)))
    (case,) = [one for one in root.iter("testcase") if one.get("classname") == "digits"]
    assert case.find("skipped").get("type") == outcome


def test_the_body_has_place_evidence_and_fix():
    (body,) = [one.text for one in suite(FULL, "models").iter("failure") if "echo hello" in one.text]
    assert body.startswith("models/net.pkl@41\n")
    assert "Fix: Do not load the file." in body


def test_a_finding_that_does_not_block_passes_and_is_told():
    told = [one.text for one in suite(FULL, "dependencies").iter("system-out") if one.text]
    assert any(text.startswith("low, does not block: jinja2 3.1.5") for text in told)


@FUZZ
@given(
    st.text(alphabet=st.characters(), max_size=60)
    | st.sampled_from(["]]>", "<![CDATA[x]]>", "&#0;", "\ufffe\x00\x0b"])
)
def test_any_text_is_well_formed_xml_and_text(text):
    bad = finding(location=Location(text, member=text), subject=text, message=text, fix=text, evidence=text)
    root = parsed(replace(FULL, findings=(bad,), scope=text))
    assert count(root, "failure") == 1
    assert all(element.tag in SCHEMA for element in root.iter())


def test_a_crowd_stays_small_enough_to_be_read():
    text = junit.render(crowd(26_000), Style())
    assert text.count("<testcase") > 26_000
    assert len(text) < 30_000_000
