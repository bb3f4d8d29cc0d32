from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.reports.measured import MEASURED
from tests.reports.test_charts import numbers

from mlgate.reports._severities import severities

NOISY = tuple(one for one in MEASURED if one.family == "corruptions")
FUZZ = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def test_there_is_a_chart_for_each_corruption_with_all_its_severities():
    charts = severities(NOISY, 0.964)
    assert [title for title, _ in charts] == ["gaussian noise", "motion blur", "brightness"]
    first = charts[0][1]
    assert first.count('class="point') == 5
    assert first.count('class="point fail"') == 1
    assert first.count('class="threshold"') == 3
    assert 'class="reference"' in first
    assert "severity 5: 0.520 (fail)" in first


def test_one_severity_is_no_chart():
    assert severities(NOISY[:1], None) == ()


def test_two_figures_of_one_corruption_are_told_apart():
    other = tuple(replace(one, name="f1") for one in NOISY[:2])
    assert [title for title, _ in severities((*NOISY[:2], *other), None)] == [
        "gaussian noise: accuracy",
        "gaussian noise: f1",
    ]


@FUZZ
@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 99), st.none() | st.floats()), max_size=8))
def test_a_chart_stays_in_its_frame_whatever_the_parts_are(rows):
    figures = [replace(NOISY[0], part=f"{name}/{level}", value=value) for name, level, value in rows]
    for _, svg in severities(figures, None):
        assert all(-10 <= number <= 230 for number in numbers(svg))
