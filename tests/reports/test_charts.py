import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.sample import LOOKS, MEASUREMENTS

from mlgate.core.facts import Measurement
from mlgate.reports._charts import interval_bar, sequence

ROBUST = MEASUREMENTS[1]
NUMBERS = st.none() | st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf)


def _numbers(svg):
    drawn = re.findall(r' (?:[xyr]|[xy][12]|c[xy]|width|height|points)="([^"]*)"', str(svg))
    return [float(number) for group in drawn for number in re.split("[ ,]", group) if number]


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_a_bar_stays_in_its_frame(value, low, high, threshold):
    svg = interval_bar(Measurement("a", "b", value, low, high, 1, threshold, "info"))
    assert all(-2 <= number <= 422 for number in _numbers(svg))
    assert bool(svg) == (value is not None and math.isfinite(value))


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(st.lists(st.floats(0, 1) | st.integers(0, 10_000) | st.none(), max_size=5), max_size=6))
def test_a_plot_is_drawn_within_its_frame_or_not_at_all(looks):
    svg = sequence(replace(ROBUST, detail={"looks": looks}))
    assert all(math.isfinite(number) for number in _numbers(svg))


def test_a_plot_shows_band_estimate_and_threshold():
    svg = str(sequence(ROBUST))
    assert svg.count("<polygon") == svg.count("<polyline") == 1
    assert "threshold 0.600" in svg
    assert 'aria-label="digits robust_accuracy: 0.520, interval [0.480, 0.560], threshold 0.600' in svg
    assert all(0 <= number <= 420 for number in _numbers(svg))


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
    assert "<img" not in str(interval_bar(MEASUREMENTS[3]))


def test_looks_may_be_mappings():
    named = [dict(zip(("n", "value", "low", "high"), look, strict=True)) for look in LOOKS]
    assert sequence(replace(ROBUST, detail={"looks": named})) == sequence(ROBUST)
