"""Labels become columns of the scores, or it is said why not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.labels import class_column, label_columns, regression_values
from mlgate.checks.assessment.model import Scores
from mlgate.checks.assessment.problems import Unassessable

FUZZ = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def dataset(y):
    return Dataset(np.zeros((len(y), 1)), np.asarray(y), np.arange(len(y)), "d.npz")


@pytest.mark.parametrize(
    ("y", "classes", "expected"),
    [
        ([0, 2, 1], None, [0, 2, 1]),
        ([0.0, 2.0, 1.0], None, [0, 2, 1]),
        ([False, True], None, [0, 1]),
        (["cat", "ant", "bee"], None, [2, 0, 1]),
        ([9, 3, 5], (3, 5, 9), [2, 0, 1]),
        (["b", "a"], ("b", "a", "c"), [0, 1]),
        (["3", "9"], (3, 5, 9), [0, 2]),
    ],
)
def test_labels_become_columns(y, classes, expected):
    found = label_columns(dataset(y), Scores(np.zeros((1, 3)), classes), 3)
    assert list(found) == expected


@pytest.mark.parametrize(
    ("y", "classes", "reason", "words"),
    [
        ([0, 3], None, "wrong-label", "'3'"),
        ([0, -1], None, "wrong-label", "'-1'"),
        ([0.5, 1.0], None, "wrong-label", "fractions"),
        ([0.0, np.inf], None, "wrong-label", "fractions"),
        ([0.0, np.nan], None, "missing-label", "sample 1 has no label"),
        (["cat", "ant"], None, "wrong-label", "2 different label texts and the model 3"),
        ([4], (3, 5, 9), "wrong-label", "'4'"),
        ([1, 1, 1], None, "one-class", "'1'"),
        (["3"], (3, 5, 9), "one-class", "always gives the same answer"),
    ],
)
def test_labels_that_are_no_class_are_said(y, classes, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        label_columns(dataset(y), Scores(np.zeros((1, 3)), classes), 3)
    assert (caught.value.reason, caught.value.key) == (reason, "data.label")


@FUZZ
@given(st.lists(st.floats() | st.integers(-5, 5), min_size=1, max_size=8))
def test_any_labels_are_columns_or_refused(y):
    try:
        found = label_columns(dataset(np.array(y, float)), Scores(np.zeros((1, 3))), 3)
    except Unassessable:
        return
    assert ((found >= 0) & (found < 3)).all()


@pytest.mark.parametrize(
    ("y", "columns", "reason"),
    [
        (np.array(["a"] * 30), 1, "wrong-label"),
        (np.where(np.arange(30) == 4, np.nan, np.arange(30.0)), 1, "missing-label"),
        (np.where(np.arange(30) == 4, np.inf, np.arange(30.0)), 1, "missing-label"),
        (np.ones(30), 1, "one-class"),
        (np.arange(30.0), 2, "model-output"),
    ],
)
def test_a_regression_needs_numbers_and_one_answer(y, columns, reason):
    with pytest.raises(Unassessable) as caught:
        regression_values(Dataset(np.zeros((30, 1)), y, np.arange(30), "d.csv"), columns)
    assert caught.value.reason == reason


def test_the_values_of_a_regression_are_the_labels():
    found = regression_values(Dataset(np.zeros((3, 1)), np.array([1, 2, 3]), np.arange(3), "d.csv"), 1)
    assert found.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("label", "y", "classes", "expected"),
    [
        ("dog", np.array(["cat", "dog"]), ("dog", "cat"), 0),
        ("dog", np.array(["cat", "dog"]), None, 1),
        ("2", np.array([0, 2]), None, 2),
        ("7", np.array([7, 9]), (7, 9), 0),
    ],
)
def test_a_label_of_the_policy_is_a_column(label, y, classes, expected):
    held = Dataset(np.zeros((2, 1)), y, np.arange(2), "d.csv")
    assert class_column(label, held, Scores(np.zeros((1, 3)), classes), 3) == expected
    with pytest.raises(Unassessable, match="'bird' is no label of d.csv; it has"):
        class_column("bird", held, Scores(np.zeros((1, 3)), classes), 3)
