"""CSV files: features, labels, and errors that name row and column."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.datasets import csv
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.table import Columns

FUZZ = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def read(text, features=None, label="y", most=1 << 20):
    data = text if isinstance(text, bytes) else text.encode()
    return csv.read(data, Columns(label, features), most, "d.csv")


def test_every_column_but_the_label_is_a_feature():
    table = read("a,y,b\n1,0,2.5\n3,1,-4e2\n")
    np.testing.assert_array_equal(table.x, [[1, 2.5], [3, -400]])
    np.testing.assert_array_equal(table.y, [0, 1])


def test_named_features_come_in_the_policys_order():
    np.testing.assert_array_equal(read("a,b,c,y\n1,2,x,0\n", ("b", "a")).x, [[2, 1]])


@pytest.mark.parametrize("text", ["\ufeffa,y\r\n1,0\r\n", '"a", y \n"1",0\n', "a,y\n\n1,0\n\n"])
def test_the_usual_dialects_are_read(text):
    np.testing.assert_array_equal(read(text).x, [[1]])


def test_labels_may_be_text():
    assert list(read("a,y\n1,cat\n2, dog\n").y) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("text", "features", "reason", "words"),
    [
        ("a,b\n1,2\n", None, "missing-column", "'y'"),
        ("a,y\n1,2\n", ("z",), "missing-column", "'z'"),
        ("y\n1\n", None, "wrong-features", "other than the label"),
        ("a,y\n1,2\n", ("y",), "wrong-features", "other than the label"),
        ("a,y\n1,0\nx,0\n", None, "wrong-type", "row 3: column 'a' is not a number"),
        ("a,y\n1,0\n ,0\n", None, "wrong-type", "row 3: column 'a' is empty"),
        ("a,y\n1,\n", None, "missing-label", "row 2: column 'y'"),
        ("a,y\n1,0\n1\n", None, "truncated", "row 3 has 1 cells"),
        ("a,a,y\n1,1,0\n", None, "unreadable-data", "once each"),
        ("", None, "unreadable-data", "columns"),
        ("a,y\n" + "1,0\n" * 200, None, "limit", "limits.data_bytes"),
        (b"a,y\n\xff,0\n", None, "unreadable-data", "UTF-8"),
        ('a,y\n"1"2,0\n', None, "unreadable-data", "row"),
        ('a,y\n"1,0\n', None, "unreadable-data", "row"),
        ("a,y\n" + "1" * 200_000 + ",0\n", None, "unreadable-data", "field"),
    ],
)
def test_what_is_wrong_is_said(text, features, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        read(text, features, most=1000)
    assert caught.value.reason == reason
    assert "d.csv" in caught.value.message


def test_a_header_alone_has_no_samples():
    assert read("a,y\n").x.shape == (0, 1)


@FUZZ
@given(st.binary(max_size=120) | st.text(alphabet='ay,"\n\r 10.en\0', max_size=120))
def test_any_file_is_read_or_refused(data):
    try:
        table = read(data)
    except Unassessable:
        return
    assert len(table.x) == len(table.y)


def test_a_line_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(csv, "_LONGEST_LINE", 1000)
    with pytest.raises(Unassessable, match="line of more than 1000") as caught:
        read("a,y\n" + "1," * 600)
    assert caught.value.reason == "limit"


def wide(content, features=None, **more):
    return csv.read(content.encode(), Columns("y", features, **more), 1 << 20, "d.csv")


def test_columns_that_name_groups_are_no_features_unless_named():
    text = "a,sex,y\n1,0,0\n2,1,1\n"
    table = wide(text, groups=("sex",))
    assert table.names == ("a",)
    assert list(table.groups["sex"]) == ["0", "1"]
    assert wide(text, ("a", "sex"), groups=("sex",)).names == ("a", "sex")


def test_a_label_may_name_groups_as_well():
    assert list(wide("a,y\n1,cat\n2,dog\n", groups=("y",)).groups["y"]) == ["cat", "dog"]


@pytest.mark.parametrize("cell", ["", "NA", " nan ", "n/a", "NULL", "None"])
def test_a_missing_value_is_nan_where_it_is_allowed(cell):
    assert np.isnan(wide(f"a,b,y\n1,{cell},0\n", missing=True).x[0, 1])


def test_a_missing_value_is_said_with_what_to_do():
    with pytest.raises(Unassessable, match="row 2: column 'b' is empty.*missing: allow"):
        wide("a,b,y\n1,,0\n")
    with pytest.raises(Unassessable, match="not a number"):
        wide("a,b,y\n1,x,0\n", missing=True)


def test_texts_are_read_as_they_stand():
    table = wide('text,y\n" Hello, you ",1\n12,0\n', text=True)
    assert table.x.tolist() == [[" Hello, you "], ["12"]]


@pytest.mark.parametrize(
    ("text", "reason"), [("a,sex,y\n1,,0\n", "missing-group"), ("a,y\n1,0\n", "missing-column")]
)
def test_a_group_that_is_missing_is_said(text, reason):
    with pytest.raises(Unassessable, match="'sex'") as caught:
        wide(text, groups=("sex",))
    assert caught.value.reason == reason


def test_texts_count_against_the_limit():
    with pytest.raises(Unassessable, match="limits.data_bytes"):
        csv.read(b"a,y\n" + b"x" * 100 + b",0\n", Columns("y", text=True), 90, "d.csv")


def test_a_very_wide_file_is_read():
    """Looked up in a list, so many columns would take minutes."""
    names = [f"c{place}" for place in range(100_000)]
    table = read(f"{','.join(names)},y\n{'1,' * len(names)}0\n", most=1 << 30)
    assert table.x.shape == (1, 100_000)


def test_a_label_too_long_is_refused():
    """In an array of texts, every one takes as much as the longest."""
    with pytest.raises(Unassessable, match="of 5000 characters") as caught:
        read("a,y\n1,cat\n2," + "x" * 5000 + "\n")
    assert (caught.value.reason, caught.value.key) == ("wrong-label", "data.label")


def test_labels_as_wide_as_the_longest_must_fit():
    text = "a,y\n" + "1,x\n" * 300 + f"1,{'x' * 150}\n"
    with pytest.raises(Unassessable, match="the labels take more memory"):
        read(text, most=100_000)
    assert len(read(text, most=200_000).y) == 301


def test_labels_take_memory_too():
    lines = [f"1,label {place}\n" for place in range(200)]
    with pytest.raises(Unassessable, match=r"limits\.data_bytes"):
        read("a,y\n" + "".join(lines), most=10_000)
    assert len(read("a,y\n" + "1,label\n" * 200, most=10_000).y) == 200
