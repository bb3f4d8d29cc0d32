import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.sample import LOOKS, MEASUREMENTS

from mlgate.core.facts import Measurement
from mlgate.reports._charts import axis_of, bar, sequence

ROBUST = MEASUREMENTS[1]
NUMBERS = st.none() | st.floats() | st.integers() | st.just(10**400)
FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


def numbers(svg):
    """Every coordinate of a drawing."""
    drawn = re.findall(r' (?:[xyr]|[xy][12]|c[xy]|width|height|points)="([^"]*)"', str(svg))
    return [float(number) for group in drawn for number in re.split("[ ,]", group) if number]


@FUZZ
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["pass", "fail", "masked", "odd"]))
def test_a_bar_stays_in_its_frame(value, low, high, threshold, outcome):
    one = Measurement("a", "b", value, low, high, 1, threshold, outcome)
    svg = bar(one, axis_of([one]))
    assert all(-2 <= number <= 242 for number in numbers(svg))
    known = isinstance(value, int | float) and abs(value) < 1e15 and math.isfinite(value)
    assert bool(svg) == bool(known)


@pytest.mark.parametrize(
    ("values", "axis"), [((0.2, 0.9), (0.0, 1.0)), ((3.0, 10.0), (0.0, 10.5)), ((-2.0,), (-2.1, 0.0))]
)
def test_shares_are_drawn_from_0_to_1_and_all_else_from_0(values, axis):
    figures = [Measurement("a", "b", value, None, None, 1, None, "info") for value in values]
    assert axis_of(figures) == pytest.approx(axis)


@pytest.mark.parametrize(
    ("outcome", "mark"),
    [
        ("pass", '<circle class="point pass"'),
        ("fail", '<polygon class="point fail"'),
        ("inconclusive", '<circle class="point inconclusive"'),
        ("masked", '<line class="cross"'),
        ("anything", '<circle class="point info"'),
    ],
)
def test_outcomes_differ_in_shape_and_not_in_colour_alone(outcome, mark):
    svg = bar(replace(ROBUST, outcome=outcome), (0.0, 1.0))
    assert mark in svg


def test_a_certificate_has_a_mark_of_its_own():
    svg = bar(replace(ROBUST, name="certified_accuracy"), (0.0, 1.0))
    assert 'class="point certificate"' in svg
    assert 'class="point fail"' not in svg


@FUZZ
@given(st.lists(st.lists(st.floats() | st.integers() | st.none(), max_size=5), max_size=6))
def test_a_plot_is_drawn_within_its_frame_or_not_at_all(looks):
    svg = sequence(replace(ROBUST, detail={"looks": looks}))
    assert all(-10 <= number <= 430 for number in numbers(svg))


def test_a_plot_shows_band_estimate_and_threshold():
    svg = str(sequence(ROBUST))
    assert svg.count('<polygon class="band"') == svg.count("<polyline") == 1
    assert "threshold 0.600" in svg
    said = 'aria-label="digits: robust accuracy 0.520, interval [0.480, 0.560], at least 0.600 wanted: fail'
    assert said in svg
    assert all(0 <= number <= 420 for number in numbers(svg))


@pytest.mark.parametrize(
    "looks", [None, [], LOOKS[:1], "text", [[1, 2]], [["a", 1, 1, 1], [2, None, 1, 1]], {"a": 1}]
)
def test_no_plot_without_two_looks(looks):
    assert sequence(replace(ROBUST, detail={"looks": looks})) == ""


def test_a_long_history_is_thinned_and_keeps_its_last_look():
    looks = [[n, 0.5, 0.4, 0.6] for n in range(1, 20_001)]
    svg = str(sequence(replace(ROBUST, detail={"looks": looks})))
    assert len(svg) < 40_000
    assert "20,000" in svg


def test_names_are_escaped():
    assert "<img" not in str(bar(MEASUREMENTS[3], (0.0, 1.0)))


def test_looks_may_be_mappings():
    named = [dict(zip(("n", "value", "low", "high"), look, strict=True)) for look in LOOKS]
    assert sequence(replace(ROBUST, detail={"looks": named})) == sequence(ROBUST)
