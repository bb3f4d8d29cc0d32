import re

import pytest
from msgspec.structs import replace
from tests.reports.sample import CLEAN, FULL, HISTORY, PROBLEMS
from tests.reports.test_charts import numbers

from mlgate.core.report import History, Verdict
from mlgate.reports import Style, _trend
from mlgate.reports._trend_chart import columns


def test_the_numbers_of_a_run_are_those_that_its_json_report_would_tell():
    run = _trend.this(FULL)
    assert (run.blocking, run.accepted, run.not_checked) == (4, 2, 10)
    assert run.severities == {"critical": 3, "high": 1, "medium": 1, "low": 1}


def test_the_table_has_a_row_for_each_run_and_fits_80_columns():
    text = _trend.text(HISTORY, Style())
    assert [len(line) for line in text.split("\n") if len(line) > 80] == []
    assert len(re.findall(r"^ 2026-01-\d\d 08:00", text, re.MULTILINE)) == 5
    assert "5 runs: 1 pass · 3 fail · 1 undecided" in text
    assert "from pass to fail, 2 more findings that block." in text


def test_what_could_not_be_read_is_named():
    assert "Not read" in _trend.text(HISTORY, Style())
    assert "no JSON report of mlgate" in _trend.text(HISTORY, Style())


def test_nothing_to_read_tells_what_to_do():
    assert "--report json=FILE" in _trend.text(History(), Style())


@pytest.mark.parametrize("color", [False, True])
def test_nothing_hostile_reaches_the_terminal(color):
    bare = re.sub(r"\x1b\[[0-9;]*m", "", _trend.text(HISTORY, Style(color=color)))
    assert not [mark for mark in PROBLEMS if mark in bare]


def test_a_long_history_is_folded_with_a_count():
    long = History(HISTORY.runs * 40)
    assert "140 earlier runs: see --verbose" in _trend.text(long, Style())
    assert "earlier runs" not in _trend.text(long, Style(verbose=True))


def test_no_change_is_said_too():
    run = HISTORY.runs[0]
    assert _trend.difference(run, run).endswith(": no change.")


def test_another_policy_is_said():
    run = HISTORY.runs[0]
    assert "another policy" in _trend.difference(run, replace(run, policy="other"))


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_reports_say_what_changed_since_the_last_run(name, render):
    assert "2 more findings that block" in " ".join(render(name, FULL).split())
    assert "Since " not in render(name, CLEAN)


def test_a_column_has_what_blocked_and_what_was_not_checked_and_a_verdict():
    svg = columns(HISTORY.runs)
    assert svg.count('class="column fail"') == 3
    assert svg.count('class="column undecided"') == 3
    assert [svg.count(f'class="point {word}"') for word in ("fail", "pass", "inconclusive")] == [3, 1, 1]
    assert all(-10 <= number <= 570 for number in numbers(svg))


def test_only_the_last_runs_are_drawn():
    many = tuple(replace(HISTORY.runs[0], blocking=number) for number in range(1, 1_001))
    svg = columns(many)
    assert svg.count('class="column fail"') == 60
    assert "60 runs" in svg
    assert all(-10 <= number <= 570 for number in numbers(svg))


def test_the_history_changes_no_verdict(render):
    assert replace(CLEAN, history=HISTORY).verdict is Verdict.PASS
    assert '<h1 id="verdict-title">Pass</h1>' in render("html", replace(CLEAN, history=HISTORY))
