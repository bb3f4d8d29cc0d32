"""npy tables: fields and columns, and what is no table."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.datasets import npy
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.table import Columns

FUZZ = settings(max_examples=300, deadline=None, database=None, derandomize=True)
FIELDS = [("a", "<f8"), ("b", "<i4"), ("y", "<i8"), ("sex", "<U5")]
TABLE = np.array([(0.5, 1, 0, "m"), (1.5, 2, 1, "f")], dtype=FIELDS)
MATRIX = np.arange(12.0).reshape(4, 3)


def raw(array, **changes):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **changes)
    return stream.getvalue()


def read(array, label="y", features=None, groups=(), most=1 << 20, **more):
    data = array if isinstance(array, bytes) else raw(array)
    return npy.read(data, Columns(label, features, groups, **more), most, "d.npy")


def test_fields_are_columns():
    table = read(TABLE, groups=("sex",))
    np.testing.assert_array_equal(table.x, [[0.5, 1], [1.5, 2]])
    np.testing.assert_array_equal(table.y, [0, 1])
    assert list(table.groups["sex"]) == ["m", "f"]
    assert table.names == ("a", "b")


def test_named_features_come_in_the_policys_order():
    np.testing.assert_array_equal(read(TABLE, features=("b", "a")).x, [[1, 0.5], [2, 1.5]])


@pytest.mark.parametrize("label", ["2", "-1"])
def test_the_columns_of_a_matrix_have_numbers(label):
    table = read(MATRIX, label)
    np.testing.assert_array_equal(table.x, MATRIX[:, :2])
    np.testing.assert_array_equal(table.y, MATRIX[:, 2])
    assert table.names == ("0", "1")


def test_a_column_of_the_other_order_is_read():
    np.testing.assert_array_equal(read(np.asfortranarray(MATRIX), "0").x, MATRIX[:, 1:])


@pytest.mark.parametrize(
    ("array", "label", "more", "reason", "words"),
    [
        (TABLE, "z", {}, "missing-column", "no column 'z'; it has 'a', 'b'"),
        (TABLE, "y", {"features": ("c",)}, "missing-column", "no column 'c'"),
        (TABLE, "y", {"groups": ("g",)}, "missing-column", "no column 'g'"),
        (TABLE, "y", {"features": ("y",)}, "wrong-features", "other than the label"),
        (TABLE, "y", {}, "wrong-type", "column 'sex' holds texts"),
        (MATRIX, "3", {}, "missing-column", "no column '3'"),
        (MATRIX, "-4", {}, "missing-column", "no column '-4'"),
        (MATRIX, "-" + "9" * 80, {}, "missing-column", "no column"),
        (np.zeros((4, 2, 2)), "0", {}, "wrong-shape", "into one npz"),
        (np.zeros(4), "0", {}, "wrong-shape", "a table is needed"),
        (raw(np.array([None, 1]), allow_pickle=True), "0", {}, "wrong-type", "O"),
        (raw(MATRIX)[:-1], "0", {}, "truncated", "bytes"),
        (raw(TABLE)[:-1], "y", {}, "truncated", "bytes"),
        (b"\x93NUMPY", "0", {}, "unreadable-data", "npy header"),
        (b"rubbish", "0", {}, "unreadable-data", "npy header"),
        (np.zeros(3, dtype=[("a", [("b", "<f8")]), ("y", "<i8")]), "y", {}, "unreadable-data", "npy header"),
        (np.zeros(3, dtype=[("a", "<f8", (2,)), ("y", "<i8")]), "y", {}, "unreadable-data", "npy header"),
        (np.zeros(3, dtype=[("a", "<c16"), ("y", "<i8")]), "y", {}, "wrong-type", "field 'a'"),
    ],
)
def test_what_is_wrong_is_said(array, label, more, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        read(array, label, **more)
    assert caught.value.reason == reason


def test_a_table_larger_than_allowed_is_not_read():
    with pytest.raises(Unassessable, match="limits.data_bytes"):
        read(MATRIX, "0", most=20)


def test_texts_are_read_where_they_are_asked_for():
    table = read(TABLE, features=("sex",), text=True)
    assert table.x.tolist() == [["m"], ["f"]]


@FUZZ
@given(st.binary(max_size=200), st.integers(0, 200), st.sampled_from([raw(TABLE), raw(MATRIX)]))
def test_rubbish_is_refused_and_nothing_else_happens(rubbish, at, honest):
    with suppress(Unassessable):
        read(honest[:at] + rubbish + honest[at + len(rubbish) :])


@FUZZ
@given(st.text(alphabet="[]()', <>f8iUa1234567890", max_size=80))
def test_no_description_is_too_strange(description):
    header = f"{{'descr': [{description}], 'fortran_order': False, 'shape': (2,), }}".encode("latin-1")
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
    with suppress(Unassessable):
        read(data)


def test_a_matrix_with_too_many_columns_is_refused_before_they_are_numbered(monkeypatch):
    monkeypatch.setattr("mlgate.checks.assessment.datasets.npy._MOST_COLUMNS", 2)
    with pytest.raises(Unassessable, match="3 columns, more than the 2"):
        read(np.zeros((1, 3)), label="2")


@pytest.mark.parametrize("order", "<>")
def test_texts_of_what_are_no_letters_are_refused(order):
    letters = np.array([0x110000, 65], f"{order}u4").view(f"{order}U1")
    with pytest.raises(Unassessable, match="no letters") as caught:
        npy.read(raw(letters), Columns("y"), 1 << 20, "d.npy")
    assert caught.value.reason == "wrong-type"
