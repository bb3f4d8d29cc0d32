import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.reports._encode import dumps

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(), max_size=12)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(VALUES)
def test_the_text_is_strict_json_in_harmless_characters(value):
    text = dumps({"value": value})
    text.encode("utf-8")
    assert all(one == "\n" or one.isprintable() for one in text)
    json.loads(text, parse_constant=pytest.fail)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_text_without_lone_surrogates_comes_back_the_same(value):
    assert json.loads(dumps({"value": value})) == {"value": value}


def test_a_lone_surrogate_becomes_its_escape_in_visible_characters():
    assert json.loads(dumps(["a\ud800b"])) == ["a\\ud800b"]


def test_a_character_outside_the_basic_plane_is_escaped_as_a_pair():
    assert "\\udb40\\udc41" in dumps(["\U000e0041"])


def test_numbers_that_are_not_finite_are_null():
    assert json.loads(dumps([float("nan"), float("inf"), 0.5])) == [None, None, 0.5]


def test_keys_keep_their_order():
    assert list(json.loads(dumps({"z": 1, "a": 2}))) == ["z", "a"]


def test_nesting_without_end_is_cut():
    value = []
    for _ in range(500):
        value = [value]
    assert json.loads(dumps(value))
