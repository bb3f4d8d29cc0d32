"""What holds for every format there is, found by discovery.

The whole outputs are kept in ``snapshots/``. After a change that is meant, write them
anew with ``MLGATE_UPDATE_SNAPSHOTS=1 pytest tests/reports`` and read the difference.
"""

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from tests.reports.sample import BAD_POLICY, CLEAN, FULL, PROBLEMS, REPORTS, crowd

from mlgate import reports
from mlgate.core.report import Verdict
from mlgate.reports import Style

SNAPSHOTS = Path(__file__).with_name("snapshots")
FORMATS = sorted(reports.formats())
KEPT = ["full", "clean", "undecided", "bad-policy"]


def _html_verdict(text):
    return re.search(r'<h1 id="verdict-title">(\w+)</h1>', text)[1].lower()


def _sarif_verdict(text):
    run = json.loads(text)["runs"][0]
    assert run["invocations"][0]["exitCode"] == Verdict(run["properties"]["verdict"]).exit_code
    return run["properties"]["verdict"]


def _json_verdict(text):
    found = json.loads(text)
    assert found["exit_code"] == Verdict(found["verdict"]).exit_code
    return found["verdict"]


def _junit_verdict(text):
    root = ET.fromstring(text)
    (found,) = {one.get("value") for one in root.iter("property") if one.get("name") == "verdict"}
    return found


def _gitlab_verdict(text):
    entries = [one for one in json.loads(text) if one["check_name"] == "mlgate-verdict"]
    assert len(entries) <= 1
    return re.match(r"mlgate: (\w+)", entries[0]["description"])[1] if entries else "pass"


READERS = {
    "gitlab": _gitlab_verdict,
    "junit": _junit_verdict,
    "html": _html_verdict,
    "json": _json_verdict,
    "sarif": _sarif_verdict,
    "markdown": lambda text: re.match(r"## \S+ mlgate: (\w+)\n", text)[1].lower(),
    "terminal": lambda text: re.search(r"^(PASS|FAIL|UNDECIDED)  ", text, re.MULTILINE)[1].lower(),
}


# A table of findings has no place for a verdict: its first column says what each row does to it.
TABLES = {"csv"}


def test_the_formats_are_found_and_each_says_its_verdict():
    assert {"terminal", "json", "sarif", "markdown", "html", "junit", "gitlab", "csv"} <= set(FORMATS)
    assert set(READERS) | TABLES == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_its_module_and_says_so(name):
    module = reports.load(name)
    assert name == module.FORMAT
    assert module.SUFFIX.startswith(".")


def test_an_unknown_format_is_an_error():
    with pytest.raises(KeyError):
        reports.load("crystal")


def test_naming_the_formats_imports_none(in_fresh_python):
    code = (
        "import sys; from mlgate import reports; reports.formats();"
        "print([name for name in ('rich', 'jinja2', 'sarif_om', 'mlgate.reports.json') if name in sys.modules])"
    )
    assert in_fresh_python(code) == "[]"


@pytest.mark.parametrize("name", FORMATS)
def test_only_the_wanted_format_pays_for_its_library(name, in_fresh_python):
    code = (
        f"import sys; from mlgate import reports; reports.load({name!r});"
        "print([name for name in ('rich', 'jinja2', 'sarif_om') if name in sys.modules])"
    )
    assert in_fresh_python(code) == "[]"


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("base", [FULL, CLEAN], ids=["full", "clean"])
def test_every_format_shows_the_verdict_of_the_report_whatever_it_holds(name, verdict, base, render):
    assert READERS[name](render(name, replace(base, verdict=verdict))) == verdict.value


@pytest.mark.parametrize("report", list(REPORTS))
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("style", [{}, {"quiet": True}, {"verbose": True}], ids=["usual", "quiet", "verbose"])
def test_every_format_renders_every_report(name, report, style, render):
    text = render(name, REPORTS[report], **style)
    assert text.endswith("\n")
    text.encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_hostile_reaches_the_output_raw(name, render):
    text = render(name, FULL, verbose=True)
    assert [mark for mark in PROBLEMS if mark in text] == []
    assert all(one == "\n" or one.isprintable() or one == "\ufe0f" for one in text)


@pytest.mark.parametrize("name", FORMATS)
def test_the_machine_is_not_named(name, render):
    assert "secret-project" not in render(name, FULL, verbose=True)


@pytest.mark.parametrize("name", FORMATS)
def test_a_policy_error_names_file_line_and_key(name, render):
    text = render(name, BAD_POLICY)
    assert "fial_on" in text or "fial\\_on" in text
    assert ".mlgate.yaml" in text
    assert re.search(r"\b3\b", text)


@pytest.mark.parametrize("name", FORMATS)
def test_many_findings_are_rendered_and_the_worst_survive_any_cut(name, render):
    text = render(name, crowd(3_000))
    assert "MLG-PKL-002" in text


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_text(name, render):
    assert render(name, FULL) == render(name, FULL)


@pytest.mark.parametrize("report", KEPT)
@pytest.mark.parametrize("name", FORMATS)
def test_the_whole_output_is_as_it_was_when_last_read(name, report):
    module = reports.load(name)
    kept = SNAPSHOTS / f"{report}{module.SUFFIX}"
    text = module.render(REPORTS[report], Style())
    if os.environ.get("MLGATE_UPDATE_SNAPSHOTS"):
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")
