"""The stop rule: when it stops, what it answers, and how often it is wrong."""

from functools import cache

import numpy as np
import pytest

from mlgate.checks.assessment import sequential
from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.sequential import decide, plan, samples_needed


def outcomes(values):
    """A draw from fixed outcomes, in order."""
    return lambda _start, stop, _bounds: int(np.sum(values[:stop]))


@pytest.mark.parametrize("total", [1, 31, 32, 33, 600, 10_000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_error_of_all_looks_adds_up_to_the_whole(total, confidence):
    looks = plan(total, confidence)
    assert sum(1 - level for _, level in looks) == pytest.approx(1 - confidence)
    assert looks[-1][0] == total
    assert [n for n, _ in looks] == sorted({n for n, _ in looks})


@pytest.mark.parametrize(
    ("rate", "threshold", "outcome", "n"),
    [(1.0, 0.4, "pass", 8), (0.0, 0.6, "fail", 8), (1.0, 0.5, "pass", 16), (1.0, 0.9, "pass", 72)],
)
def test_a_clear_case_is_decided_early(rate, threshold, outcome, n):
    answer = decide(600, threshold, 0.95, outcomes(np.full(600, rate)))
    assert (answer.outcome, answer.stop, answer.looks[-1].n) == (outcome, "decided", n)


def test_every_look_is_kept():
    answer = decide(600, 0.6, 0.95, outcomes(np.ones(600)))
    assert [(look.n, look.value) for look in answer.looks] == [(8, 1.0), (16, 1.0)]
    assert all(look.low <= look.value <= look.high for look in answer.looks)


def test_an_interval_that_ends_at_the_threshold_passes():
    answer = decide(20, 0.0, 0.95, outcomes(np.zeros(20)))
    assert answer.outcome == "pass"


def test_too_close_to_call_is_inconclusive():
    values = np.tile([1, 1, 1, 1, 0], 60)
    answer = decide(300, 0.78, 0.95, outcomes(values))
    assert answer.outcome == "inconclusive"
    assert answer.looks[-1].low < 0.78 < answer.looks[-1].high


def test_a_point_estimate_on_the_right_side_is_no_answer():
    answer = decide(32, 0.85, 0.95, outcomes(np.r_[np.ones(30), 0, 0]))
    assert answer.looks[-1].value > 0.9
    assert (answer.outcome, answer.stop) == ("inconclusive", "samples")


def test_looking_stops_when_no_rest_could_decide():
    # After 30 of 32, whatever the 33rd does, the interval still holds 0.9.
    answer = decide(33, 0.9, 0.95, outcomes(np.r_[np.ones(30), 0, 0, 1]))
    assert (answer.outcome, answer.stop, answer.looks[-1].n) == ("inconclusive", "undecidable", 32)


def test_the_budget_ends_it_with_the_last_whole_look():
    answer = decide(600, 0.8, 0.95, lambda _start, stop, _bounds: 6 if stop == 8 else None)
    assert (answer.outcome, answer.stop) == ("inconclusive", "budget")
    assert [look.n for look in answer.looks] == [8]


def test_a_budget_that_ends_before_the_first_look():
    assert decide(600, 0.8, 0.95, lambda _start, _stop, _bounds: None).looks == ()


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.97])
def test_wrong_verdicts_are_rarer_than_the_confidence_allows(monkeypatch, rate):
    monkeypatch.setattr(sequential, "clopper_pearson", cache(clopper_pearson))
    rng = np.random.default_rng(7)
    runs, confidence = 2000, 0.9
    missed = wrong_pass = wrong_fail = 0
    for _ in range(runs):
        values = rng.random(600) < rate
        # Thresholds right beside the truth are the hardest to get right.
        passes = decide(600, rate + 1e-9, confidence, outcomes(values))
        wrong_pass += passes.outcome == "pass"
        missed += any(not look.low <= rate <= look.high for look in passes.looks)
        wrong_fail += decide(600, rate - 1e-9, confidence, outcomes(values)).outcome == "fail"
    # Three standard errors above what is allowed would be a defect.
    slack = 3 * (0.1 * 0.9 / runs) ** 0.5
    assert missed / runs < 1 - confidence + slack
    assert wrong_pass / runs < (1 - confidence) / 2 + slack
    assert wrong_fail / runs < (1 - confidence) / 2 + slack


def test_samples_are_saved_away_from_the_threshold():
    rng = np.random.default_rng(3)
    used = [decide(600, 0.6, 0.95, outcomes(rng.random(600) < 0.85)).looks[-1].n for _ in range(100)]
    assert np.mean(used) < 60


def test_never_more_samples_than_there_are():
    rng = np.random.default_rng(4)
    assert max(decide(600, 0.6, 0.95, outcomes(rng.random(600) < 0.61)).looks[-1].n for _ in range(50)) == 600


@pytest.mark.parametrize("rate", [0.7, 0.75, 0.9])
def test_the_samples_said_to_be_needed_decide(rate):
    needed = samples_needed(rate, 0.8, 0.95)
    low, high = clopper_pearson(round(rate * needed), needed, plan(needed, 0.95)[-1][1])
    assert low >= 0.8 or high < 0.8


def test_no_number_of_samples_decides_a_tie():
    assert samples_needed(0.8, 0.8, 0.95) is None


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9, 1.0])
def test_what_decides_a_look_is_told_exactly(threshold):
    """One success more does not fail, and one less does not pass."""
    bounds = []

    def draw(_start, stop, told):
        bounds.append((stop, told))
        return min(max(told.fails + 1, 0), stop)

    decide(600, threshold, 0.95, draw)
    levels = dict(plan(600, 0.95))
    for n, told in bounds:
        assert told.fails == -1 or clopper_pearson(told.fails, n, levels[n])[1] < threshold
        assert clopper_pearson(told.fails + 1, n, levels[n])[1] >= threshold
        assert told.passes == n + 1 or clopper_pearson(told.passes, n, levels[n])[0] >= threshold
        assert told.passes == 0 or clopper_pearson(told.passes - 1, n, levels[n])[0] < threshold


@pytest.mark.parametrize(("left", "outcome"), [(0, "fail"), (45, "inconclusive"), (60, "inconclusive")])
def test_what_was_put_off_is_settled_before_the_end(left, outcome):
    settled = []

    def settle(_bounds):
        settled.append(True)
        return left

    answer = decide(100, 0.5, 0.95, lambda _start, stop, _bounds: int(stop * 0.55), settle)
    assert (answer.outcome, answer.looks[-1].successes) == (outcome, left)
    assert len(settled) == 1


def test_what_is_decided_settles_nothing():
    def settle(_bounds):
        raise AssertionError

    assert decide(600, 0.5, 0.95, outcomes(np.zeros(600)), settle).outcome == "fail"
    assert decide(600, 0.5, 0.95, outcomes(np.ones(600)), settle).outcome == "pass"


def test_a_budget_that_ends_while_settling():
    answer = decide(40, 0.5, 0.95, outcomes(np.arange(40) % 2), lambda _bounds: None)
    assert (answer.outcome, answer.stop) == ("inconclusive", "budget")
