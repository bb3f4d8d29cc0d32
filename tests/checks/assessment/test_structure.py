"""What a worker says of its trees is checked to the last number, and nothing else is believed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from tests.checks.assessment.ensembles import arrays, forest

from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.structure import read

FUZZ = settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
FLOAT32 = np.dtype(np.float32)


def given_arrays(**kinds):
    return arrays(np.random.default_rng(0), **kinds)


@pytest.mark.parametrize("inclusive", [False, True])
def test_a_threshold_between_two_numbers_of_the_samples_parts_them(inclusive):
    held = given_arrays(trees=1, depth=1, inclusive=inclusive)
    low = np.float32(0.1)
    high = np.nextafter(low, np.float32(1))
    for cut, expected in (
        ((float(low) + float(high)) / 2, [True, False]),
        (float(low), [inclusive, False]),
        (float(high), [True, inclusive]),
        (np.inf, [True, True]),
        (-np.inf, [False, False]),
    ):
        held["threshold"][0] = cut
        trees = read(held, 3, 2, FLOAT32)
        assert [bool(value < trees.threshold[0]) for value in (low, high)] == expected


def test_a_threshold_at_the_end_of_the_range_lets_all_pass():
    held = given_arrays(trees=1, depth=1, inclusive=True)
    held["threshold"][0] = float(np.finfo(np.float32).max)
    assert np.isposinf(read(held, 3, 2, FLOAT32).threshold[0])


def test_leaves_are_numbered_from_left_to_right():
    trees = forest(np.random.default_rng(2), trees=5, depth=4)
    assert (np.diff(trees.owner) >= 0).all()
    inner = np.flatnonzero(trees.feature >= 0)
    assert (trees.start[trees.left[inner]] == trees.start[inner]).all()
    assert (trees.stop[trees.left[inner]] == trees.start[trees.right[inner]]).all()
    assert (trees.stop[trees.right[inner]] == trees.stop[inner]).all()
    assert trees.stop[trees.roots[-1]] == len(trees.owner) == len(trees.value)


def change(name, value):
    def edit(held):
        held[name] = value(held[name]) if callable(value) else value

    return edit


def at(index, value):
    def edit(array):
        array = array.copy()
        array[index] = value
        return array

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (change("left", at(0, 0)), "before its parent"),
        (change("left", at(0, 10**6)), "outside"),
        (change("right", at(0, -7)), "outside"),
        (change("roots", at(0, -1)), "outside"),
        (change("roots", at(1, 0)), "no parent, or more than one"),
        (change("roots", lambda array: array[:-1]), "fit each other"),
        (change("feature", at(0, 3)), "features do not have"),
        (change("feature", at(0, -2)), "features do not have"),
        (change("feature", lambda array: array.astype(float)), "whole number"),
        (change("threshold", at(0, np.nan)), "not finite"),
        (change("threshold", lambda array: array.astype(np.int64)), "fit each other"),
        (change("value", lambda array: array * np.nan), "not finite"),
        (change("value", lambda array: array[:, 0]), "fit each other"),
        (change("value", lambda array: np.repeat(array, 3, axis=1)), "2 columns"),
        (change("base", lambda array: array + np.inf), "not finite"),
        (change("base", lambda array: array[:1]), "2 columns"),
        (change("column", at(0, 2)), "2 columns"),
        (change("column", at(0, -1)), "2 columns"),
        (change("column", at(0, -2)), "2 columns"),
        (change("link", np.array(["exec"], dtype=object)), "link 'exec' is unknown"),
        (change("link", np.array([], dtype=object)), "fit each other"),
        (change("missing", lambda array: array.astype(float)), "fit each other"),
        (lambda held: held.pop("base"), "lacks base"),
    ],
)  # fmt: skip
def test_what_is_no_forest_is_refused(edit, words):
    held = given_arrays()
    edit(held)
    with pytest.raises(Unassessable, match=words) as caught:
        read(held, 3, 2, FLOAT32)
    assert caught.value.reason == "tree-structure"


def test_a_chain_without_end_is_refused():
    nodes = 4001
    inner = np.arange(0, nodes - 1, 2)
    left, right = np.full(nodes, -1), np.full(nodes, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    held = {
        **given_arrays(trees=1),
        "roots": np.array([0]), "left": left, "right": right, "threshold": np.zeros(nodes),
        "feature": np.where(left < 0, -1, 0), "missing": np.zeros(nodes, bool), "value": np.zeros((nodes, 1)),
        "column": np.array([1]),
    }  # fmt: skip
    with pytest.raises(Unassessable, match="levels deep"):
        read(held, 3, 2, FLOAT32)


def test_an_ensemble_without_trees_is_refused():
    held = {**given_arrays(), "roots": np.zeros(0, int), "column": np.zeros(0, int)}
    with pytest.raises(Unassessable, match=r"0 trees|no parent"):
        read(held, 3, 2, FLOAT32)


SMALL = st.integers(-2, 12)


@FUZZ
@given(st.data())
def test_rubbish_is_a_forest_or_is_refused(data):
    held = given_arrays()
    for name in data.draw(st.sets(st.sampled_from(sorted(held)), min_size=1)):
        kind = data.draw(st.sampled_from([np.int64, np.float64, np.bool_]))
        elements = {np.int64: SMALL, np.float64: st.floats(), np.bool_: st.booleans()}[kind]
        keep = data.draw(st.booleans())
        shape = (
            held[name].shape
            if keep
            else data.draw(arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
        )
        held[name] = data.draw(arrays_of.arrays(kind, shape, elements=elements))
    try:
        trees = read(held, 3, 2, FLOAT32)
    except Unassessable:
        return
    with np.errstate(all="ignore"):
        trees.answers(np.zeros((2, 3), np.float32))
