import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.sample import CLEAN, FINDINGS, FULL, NOT_CHECKED, UNDECIDED, crowd, finding

from mlgate.core.facts import Location
from mlgate.reports import Style
from mlgate.reports import csv as table

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def rows(report):
    return list(csv.DictReader(io.StringIO(table.render(report, Style())), strict=True))


def test_each_finding_and_each_item_not_checked_is_a_row():
    found = rows(FULL)
    assert len(found) == len(FINDINGS) + len(NOT_CHECKED)
    assert [row["rule"] for row in found[: len(FINDINGS)]] == [one.rule for one in FINDINGS]
    assert {row["name"] for row in found[len(FINDINGS) :]} == {
        "lfs-pointer",
        "unpinned",
        "limit",
        "encrypted",
    }


def test_the_first_column_says_what_a_row_does_to_the_verdict():
    counts = {}
    for row in rows(FULL):
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    assert counts == {
        "blocks": 4,
        "reported": 2,
        "baseline": 1,
        "waived": 1,
        "undecided": 10,
        "tolerated": 1,
        "accepted": 1,
    }
    assert [row["status"] for row in rows(UNDECIDED)] == ["undecided"]


def test_a_waiver_is_told_with_its_expiry_and_reason():
    (row,) = [row for row in rows(FULL) if row["status"] == "waived"]
    assert row["waived_until"] == "2027-01-31"
    assert row["waived_because"] == "the vulnerable function is not called"


def test_a_clean_report_is_the_head_alone():
    assert table.render(CLEAN, Style()) == ",".join(table.COLUMNS) + "\n"


def test_nothing_is_cut():
    assert len(rows(crowd(3_000))) == 3_300


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        " =1",
        "'=1",
        '"=1',
        "\uff1d1+1",
        "\u201c=1",
    ],
)
def test_no_cell_is_a_formula(text):
    bad = finding(location=Location(text, member=text), subject=text, message=text, fix=text, evidence=text)
    (row,) = rows(replace(FULL, findings=(bad,), not_checked=()))
    for name in ("path", "member", "subject", "message", "fix", "evidence"):
        assert row[name].startswith(("'", "\\t", "\\r")), (name, row[name])


@FUZZ
@given(st.text(max_size=40))
def test_any_text_stays_in_its_cell_on_its_line(text):
    bad = finding(location=Location(text or "x", member=text), subject=text, message=text)
    rendered = table.render(replace(FULL, findings=(bad, bad), not_checked=()), Style())
    assert rendered.count("\n") == 3
    found = list(csv.reader(io.StringIO(rendered), strict=True))
    assert {len(row) for row in found} == {len(table.COLUMNS)}
    for row in found:
        assert not any(
            cell.lstrip(" \"'").startswith(("=", "+", "-", "@")) and cell[0] != "'" for cell in row
        )


def test_a_negative_offset_is_a_number_and_not_a_formula():
    (row,) = rows(replace(FULL, findings=(finding(location=Location("a", offset=-1)),), not_checked=()))
    assert row["offset"] == "-1"
