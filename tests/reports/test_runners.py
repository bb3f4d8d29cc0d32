"""No name and no message in a report is a command to the machine that prints it."""

import json
import re

import pytest
from msgspec.structs import replace
from tests.reports.sample import FULL, finding

from mlgate import reports
from mlgate.core.facts import Check, FileRecord, Location, Measurement, NotChecked, Package, Source
from mlgate.core.report import Unjudged, WaiverStatus

FORMATS = sorted(reports.formats())
COMMANDS = (
    "::error file=x::forged",
    "   ::warning::forged",
    "safe\n::error::forged",
    "x " * 60 + "::error::forged",
    "x" * 68 + "::error::forged",
    "##[error]forged",
    "##vso[task.setvariable variable=x]forged",
    "\t::add-mask::forged",
)


def everywhere(text):
    """The report with one text in every place that takes one."""
    place = Location(text, member=text, offset=3)
    return replace(
        FULL,
        scope=text,
        findings=(finding(message=text, evidence=text, fix=text, subject=text, location=place),),
        not_checked=(
            Unjudged(NotChecked(Check.MODELS, "limit", place, text, text)),
            Unjudged(NotChecked(Check.MODELS, "limit", place, f"{text} too", text)),
        ),
        inventory=(FileRecord(text, text, 1, None, "checked"),),
        packages=(Package(text, text, text, 1, text),),
        measurements=(Measurement(text, text, 0.5, 0.4, 0.6, 10, 0.5, "pass", {text: text}),),
        sources=(Source(Check.MODELS, text, text, {text: text}),),
        waivers=(WaiverStatus(text, text, "2030-01-01", 1, "used", 1),),
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", COMMANDS)
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_a_command_to_a_runner(name, text, color, render):
    shown = render(name, everywhere(text), color=color, verbose=True)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not [line for line in bare.split("\n") if line.lstrip().startswith("::")]
    assert not re.search(r"##\w*\[", bare)


def test_what_json_breaks_up_is_still_what_it_was(render):
    assert "##[error]forged" in str(json.loads(render("json", everywhere("##[error]forged"))))


@pytest.mark.parametrize("word", ["PASS", "pass", "Undecided"])
def test_a_file_named_like_a_verdict_is_none(word, render):
    path = f"{word}  12 files checked"
    shown = render("terminal", replace(FULL, findings=(finding(location=Location(path)),)))
    assert not [line for line in shown.split("\n") if line.startswith(word)]
    assert f"./{word}" in shown


# JSON is whole, and a URI that is cut names another file.
@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"json", "sarif"}))
def test_a_text_without_end_does_not_make_a_report_without_end(name, render):
    assert len(render(name, everywhere("a" * 1_000_000))) < 1_000_000
