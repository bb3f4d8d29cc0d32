"""Fairness: fairlearn's figures on cases computed by hand, with intervals that hold them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tests.checks.assessment.measures.small import one_hot, subject

from mlgate.checks.assessment.fairness._rates import RATES, SPREADS, between, counts
from mlgate.checks.assessment.measures.fairness import measure
from mlgate.checks.assessment.metric import Outcomes
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import module, names
from mlgate.policy.assessment import Bound, Fairness

FAIRNESS = "mlgate.checks.assessment.fairness"
SOME = settings(max_examples=40, deadline=None, database=None, derandomize=True)

# (group, right answer, given answer): samples. By hand:
#   a: 100 samples, 60 answers yes; 50 should be: 45 of them are, and 15 of the 50 others.
#   b: 100 samples, 30 answers yes; 40 should be: 24 of them are, and 6 of the 60 others.
CELLS = {
    ("a", 1, 1): 45, ("a", 1, 0): 5, ("a", 0, 1): 15, ("a", 0, 0): 35,
    ("b", 1, 1): 24, ("b", 1, 0): 16, ("b", 0, 1): 6, ("b", 0, 0): 54,
}  # fmt: skip
BY_HAND = {
    "demographic_parity_difference": 0.6 - 0.3,
    "demographic_parity_ratio": 0.3 / 0.6,
    "equal_opportunity_difference": 0.9 - 0.6,
    "equal_opportunity_ratio": 0.6 / 0.9,
    "equalized_odds_difference": max(0.9 - 0.6, 0.3 - 0.1),
    "equalized_odds_ratio": min(0.6 / 0.9, 0.1 / 0.3),
    "accuracy_difference": 0.80 - 0.78,
    "worst_group_accuracy": 0.78,
}


def samples(cells=CELLS):
    rows = [cell for cell, count in cells.items() for _ in range(count)]
    groups, truth, answers = map(np.array, zip(*rows, strict=True))
    return groups, truth.astype(int), answers.astype(int)


def asked(cells=CELLS, classes=2, **more):
    groups, truth, answers = samples(cells)
    x = np.arange(len(truth), dtype=float)[:, None]
    return subject(lambda rows: one_hot(answers[rows[:, 0].astype(int)], classes), x, truth,
                   groups={"sex": groups, "again": groups}, **more)  # fmt: skip


def loosest(name):
    lower = module(FAIRNESS, name).BETTER == "lower"
    return {name: Bound(UNSET, 1.0) if lower else Bound(0.0)}


def one(name, *, bound=None, cells=CELLS, classes=2, **settings):
    settings = {"group": "sex", **(loosest(name) if bound is None else {name: bound}), **settings}
    (figure,) = measure(asked(cells, classes), Fairness(**settings))
    return figure


@pytest.mark.parametrize("name", names(FAIRNESS))
def test_every_metric_was_computed_by_hand_or_has_a_test_of_its_own(name):
    own = Path(__file__).parents[1] / "fairness" / f"test_{name}.py"
    assert name in BY_HAND or own.is_file()


@pytest.mark.parametrize("name", BY_HAND)
def test_the_figure_is_the_one_computed_by_hand(name):
    figure = one(name)
    measured = figure.measurement
    assert measured.value == pytest.approx(BY_HAND[name])
    assert measured.low <= measured.value <= measured.high
    assert measured.high - measured.low < 0.95
    assert (measured.n, measured.family, measured.outcome, measured.part) == (200, "fairness", "pass", "")


def test_a_biased_predictor_fails_and_a_fair_one_passes():
    name = "demographic_parity_difference"
    assert one(name, bound=Bound(UNSET, 0.1)).measurement.outcome == "fail"
    fair = {(group, *rest): 30 for group in "ab" for rest in ((0, 0), (0, 1), (1, 0), (1, 1))}
    measured = one(name, bound=Bound(UNSET, 0.1), cells=fair).measurement
    assert (measured.value, measured.outcome) == (0, "pass")


def test_the_rates_of_every_group_are_in_the_detail():
    detail = one("equalized_odds_difference").measurement.detail
    assert detail["by_group"]["a"] == {"n": 100, "true_positive": 0.9, "false_positive": 0.3}
    assert detail["positive"] == "the second class"


@SOME
@given(st.lists(st.integers(1, 40), min_size=12, max_size=12), st.sampled_from(sorted(BY_HAND)))
def test_the_interval_is_about_what_fairlearn_defines(sizes, name):
    cells = dict(zip([(g, t, a) for g in "abc" for t in (0, 1) for a in (0, 1)], sizes, strict=True))
    groups, truth, answers = samples(cells)
    found = module(FAIRNESS, name)
    places = np.unique(groups, return_inverse=True)[1]
    held = counts(truth, answers, places, 3)
    if found.RATES == ("accuracy",):
        held = counts(np.zeros_like(truth), (truth != answers) * 1, places, 3)
    shares = [RATES[rate](held) for rate in found.RATES]
    value = found.value(Outcomes(truth, answers, groups))
    spread, worst = SPREADS[found.SPREAD]
    rates = [above / below for above, below in shares]
    assert worst(spread(rate, rate)[0] for rate in rates) == pytest.approx(value)
    low, high = between(found.SPREAD, shares, 0.95)
    assert low <= value + 1e-12
    assert value <= high + 1e-12


@pytest.mark.parametrize(("spread", "true"), [("difference", 0.0), ("ratio", 1.0), ("smallest", 0.8)])
def test_the_interval_holds_the_truth_where_many_groups_are_treated_alike(spread, true):
    rng, sizes, held = np.random.default_rng(0), np.full(6, 60), 0
    for _ in range(200):
        low, high = between(spread, [(rng.binomial(sizes, 0.8), sizes)], 0.9)
        held += low <= true <= high
    assert held >= 0.9 * 200


def test_groups_without_any_favourable_answer_have_no_ratio():
    cells = {(group, right, 0): 30 for group in "ab" for right in (0, 1)}
    figure = one("demographic_parity_ratio", cells=cells)
    assert (figure.gap[0], figure.measurement.value) == ("undefined-rate", None)
    assert one("demographic_parity_difference", cells=cells).measurement.value == 0


def test_the_favourable_label_can_be_named():
    first = one("demographic_parity_difference", positive=0).measurement
    assert first.value == pytest.approx(0.3)
    assert first.detail["positive"] == "0"
    assert one("equal_opportunity_difference", positive="0").measurement.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("settings", "classes", "reason", "words"),
    [
        ({"positive": "yes"}, 2, "wrong-label", "'yes' is no label"),
        ({}, 3, "no-positive", "3 classes"),
        ({"bound": Bound(0.1)}, 2, "wrong-bound", "bound it by `max`"),
    ],
)
def test_what_is_wrong_is_said(settings, classes, reason, words):
    figure = one("demographic_parity_difference", classes=classes, **settings)
    assert figure.gap[0] == reason
    assert words in figure.gap[1]
    assert figure.measurement.value is None


def test_accuracy_needs_no_favourable_label():
    assert one("accuracy_difference", classes=4).measurement.value == pytest.approx(0.02)


def test_a_rate_that_is_undefined_names_the_group():
    cells = {**CELLS, ("b", 1, 1): 0, ("b", 1, 0): 0}
    figure = one("equal_opportunity_difference", cells=cells)
    assert figure.gap[0] == "undefined-rate"
    assert "'b'" in figure.gap[1]


def test_a_small_group_is_not_checked_and_the_others_are_compared():
    cells = {**CELLS, ("c", 1, 1): 3}
    found = list(
        measure(asked(cells), Fairness(group="sex", demographic_parity_difference=Bound(UNSET, 0.5)))
    )
    assert [figure.gap and figure.gap[0] for figure in found] == ["small-group", None]
    assert found[1].measurement.value == pytest.approx(0.3)


def test_no_two_groups_are_nothing_to_compare():
    with pytest.raises(Unassessable, match="no two groups"):
        one("worst_group_accuracy", min_samples=150)


def test_several_columns_are_compared_each_by_itself():
    found = list(measure(asked(), Fairness(group=("sex", "again"), accuracy_difference=Bound(UNSET, 1.0))))
    assert [figure.measurement.part for figure in found] == ["sex", "again"]


def test_a_second_run_gives_the_same():
    assert one("equalized_odds_ratio") == one("equalized_odds_ratio")


def test_without_fairlearn_it_is_not_checked(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "fairlearn" else object())
    with pytest.raises(Unassessable, match=r"pip install 'mlgate\[fairness\]'") as caught:
        one("accuracy_difference")
    assert caught.value.reason == "extra-missing"
