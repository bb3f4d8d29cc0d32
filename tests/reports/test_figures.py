import pytest
from msgspec.structs import replace
from tests.reports.measured import CURVE, MEASURED

from mlgate.reports import _figures as figures

BY_FAMILY = {family.name: family for family in figures.families(MEASURED)}


def test_figures_are_grouped_by_what_the_policy_asked_for():
    assert list(BY_FAMILY) == [
        "performance",
        "robustness",
        "subgroups",
        "corruptions",
        "fairness",
        "drift",
        "poisoning",
    ]
    assert sum(len(family.figures) for family in BY_FAMILY.values()) == len(MEASURED)


def test_a_curve_stands_in_its_order_and_subgroups_stand_worst_first():
    assert figures.worst_first(CURVE[::-1]) == CURVE
    outcomes = [one.outcome for one in figures.worst_first(BY_FAMILY["subgroups"].figures)]
    assert outcomes == ["fail", "inconclusive", "pass", "pass"]


def test_series_are_ordered_by_their_worst():
    good = tuple(replace(one, part=f"blur/{at}", outcome="pass") for at, one in enumerate(CURVE))
    bad = tuple(replace(one, part=f"noise/{at}", outcome="fail") for at, one in enumerate(CURVE))
    assert figures.worst_first((*good, *bad)) == (*bad, *good)


def test_outcomes_are_counted_worst_first():
    assert figures.tally(BY_FAMILY["robustness"].figures) == (
        ("masked", 1),
        ("inconclusive", 1),
        ("pass", 1),
        ("info", 2),
    )


@pytest.mark.parametrize(
    ("bound", "threshold", "expected"),
    [("min", 0.6, "≥ 0.600"), ("max", 0.1, "≤ 0.100"), ("min", None, "\N{EN DASH}")],
)
def test_a_threshold_says_its_side(bound, threshold, expected):
    assert figures.asked(replace(CURVE[0], bound=bound, threshold=threshold)) == expected


def test_a_few_figures_are_all_shown():
    assert figures.told_first(CURVE, 8) == (CURVE, ())


def test_of_many_those_are_shown_that_are_not_in_order():
    first, rest = figures.told_first(BY_FAMILY["corruptions"].figures, 8)
    assert [one.outcome for one in first] == ["fail"] * 3
    assert len(rest) == 12


def test_where_all_are_in_order_those_closest_to_their_thresholds_are_shown():
    many = [replace(CURVE[2], part=f"sex={at}", value=0.6 + at / 100, threshold=0.6) for at in range(20)]
    many += [replace(one, threshold=None, outcome="info") for one in many]
    first, rest = figures.told_first(many[::-1], 8)
    assert sorted(one.value for one in first) == pytest.approx([0.6, 0.61, 0.62])
    assert len(first) + len(rest) == 40


def test_the_title_is_a_sentence():
    latency = MEASURED[1]
    assert figures.title(latency) == (
        "faces: latency ms 3.210, interval [3.100, 3.400], at most 10.000 wanted: pass"
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("gaussian_noise/3", ("gaussian_noise", 3)),
        ("a/b/5", ("a/b", 5)),
        ("sex=x", None),
        ("/3", None),
        ("a/x", None),
    ],
)
def test_a_part_may_name_a_severity(part, expected):
    assert figures.level(replace(CURVE[0], part=part)) == expected
