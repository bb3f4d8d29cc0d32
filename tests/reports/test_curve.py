import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.measured import CURVE, robust
from tests.reports.test_charts import numbers

from mlgate.reports._curve import curves

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
NUMBER = st.none() | st.floats() | st.integers()
ANY = NUMBER | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


def test_a_curve_has_every_point_with_its_interval_threshold_and_certificate():
    (svg,) = curves(CURVE, None)
    assert svg.count('class="whisker pass"') == 3
    assert svg.count('class="threshold"') == 3
    assert svg.count('class="point certificate"') == 3
    assert [svg.count(f'class="point {word}"') for word in ("info", "pass", "inconclusive", "masked")] == [
        2,
        1,
        1,
        1,
    ]
    assert "epsilon (linf)" in svg
    assert "at 0.1 robust accuracy 0.610 [0.570, 0.660] (pass)" in svg


def test_what_shows_nothing_is_not_joined_with_what_does():
    (svg,) = curves(CURVE, 0.964)
    path = svg.split('<polyline class="estimate" points="')[1].split('"')[0]
    assert len(path.split()) == 4  # clean, 0.02, 0.05, 0.1; not the inconclusive and the masked one


def test_a_certified_figure_is_no_point_of_the_attacks_curve():
    certified = replace(
        CURVE[0], name="certified_accuracy", low=None, high=None, detail={"epsilon": 0.1, "norm": "linf"}
    )
    (svg,) = curves((*CURVE[:2], certified), None)
    assert len(svg.split('<polyline class="estimate" points="')[1].split('"')[0].split()) == 2
    assert svg.count('class="point certificate"') == 3


def test_the_clean_accuracy_is_the_point_without_an_attack():
    (svg,) = curves(CURVE[2:3], 0.964)
    assert "clean 0.964" in svg
    assert 'class="reference"' in svg


def test_each_norm_has_its_own_chart():
    other = replace(CURVE[0], detail={"norm": "l2", "epsilon": 0.5})
    assert len(curves((*CURVE, other), 0.9)) == 2


@pytest.mark.parametrize("figures", [(), CURVE[:1], (replace(CURVE[0], detail={}),) * 2])
def test_one_point_is_no_curve(figures):
    assert curves(figures, None) == ()


@FUZZ
@given(st.lists(st.tuples(ANY, NUMBER, NUMBER, NUMBER, NUMBER, ANY), max_size=5), st.none() | st.floats(0, 1))
def test_a_curve_stays_in_its_frame_whatever_is_measured(rows, clean):
    figures = [
        replace(
            robust(0.1, value, low, high, "pass", threshold),
            detail={"epsilon": epsilon, "norm": "linf", "certificate": {"low": held}},
        )
        for epsilon, value, low, high, threshold, held in rows
    ]
    for svg in curves(figures, clean):
        assert all(-20 <= number <= 440 for number in numbers(svg))


def test_a_tiny_and_a_huge_epsilon_have_ticks():
    for epsilon in (1e-12, 7.3, 1e14):
        (svg,) = curves(
            (robust(epsilon, 0.5, 0.4, 0.6, "pass"), robust(epsilon / 2, 0.5, 0.4, 0.6, "pass")), 0.9
        )
        assert 3 <= svg.count('<line class="axis"') <= 12
