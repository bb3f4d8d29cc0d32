"""Which attacks run, in which order, and what they leave of each other's work."""

import numpy as np
import pytest
from tests.checks.assessment.networks import Network, digits, weights

from mlgate.checks.assessment.cascade import Cascade, Samples, attacks, follows
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Robustness

X, Y = digits(40)


def names(gradients=False, trees=False, **settings):
    chosen = attacks(Robustness(epsilon=0.1, min_accuracy=0.5, **settings), gradients=gradients, trees=trees)
    return [attack.NAME for attack in chosen]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_suits_the_model_runs_cheap_before_dear(norm):
    assert names(norm=norm) == ["square", "uniform", "rays"]
    assert names(gradients=True, norm=norm) == ["pgd", "apgd_ce", "apgd_t", "square"]
    assert names(trees=True, norm=norm) == ["verification", "square", "uniform", "rays"]


def test_the_policys_order_is_kept():
    assert names(attacks=("rays", "square")) == ["rays", "square"]


@pytest.mark.parametrize(
    ("named", "run"),
    [
        (("pgd",), ["pgd", "square"]),
        (("pgd", "square", "apgd_t"), ["pgd", "square", "apgd_t"]),
        (("rays",), ["rays"]),
    ],
)
def test_where_gradients_lead_a_witness_follows(named, run):
    assert names(gradients=True, attacks=named) == run


@pytest.mark.parametrize(
    ("named", "why"), [("pgd", "has no gradients in"), ("verification", "has no trees in")]
)
def test_an_attack_that_the_model_does_not_suit_is_said(named, why):
    with pytest.raises(Unassessable, match=why) as caught:
        names(attacks=(named,))
    assert (caught.value.reason, caught.value.key) == ("unknown-attack", "robustness.attacks")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, True), ({"attacks": ("square", "rays")}, False), ({"attacks": ("square", "apgd_t")}, True)],
)
def test_a_twin_is_needed_only_where_gradients_are_followed(settings, expected):
    assert follows(Robustness(epsilon=0.1, min_accuracy=0.5, **settings)) is expected


def cascade(**settings):
    model = Network(weights("blocked"), X)
    samples = Samples(X, Y, np.arange(len(X)) + 1000)
    return Cascade(model, samples, Robustness(epsilon=0.1, min_accuracy=0.5, queries=50, **settings), 0)


def test_the_figure_is_the_minimum_over_the_attacks():
    together = cascade()
    everyone = np.arange(40)
    count = together.survivors(everyone)
    alone = []
    for name in ("pgd", "apgd_ce", "apgd_t"):
        one = cascade(attacks=(name,))
        one.survivors(everyone)
        alone.append(one.standing)
    assert count == together.standing.sum()
    np.testing.assert_array_equal(together.standing, np.logical_and.reduce(alone))


def test_what_the_witness_broke_is_told_apart():
    held = cascade()
    held.survivors(np.arange(40))
    tally = held.tally
    assert held.witnessed() == (tally["apgd_t"]["survived"], tally["square"]["broken"])
    assert cascade(attacks=("square",)).witnessed() == (0, 0)
    assert cascade(attacks=("square", "pgd")).witnessed() == (0, 0)


def test_passes_are_those_that_the_model_saw():
    held = cascade()
    held.survivors(np.arange(40))
    model = held._model
    assert sum(tally["backward"] for tally in held.tally.values()) == model.pulls
    # The clean data, and what was asked again to confirm a claim, are nobody's queries.
    broken = sum(tally["broken"] for tally in held.tally.values())
    assert sum(tally["queries"] for tally in held.tally.values()) == model.passes - len(X) - broken


def test_looks_do_not_change_the_figure():
    whole, pieces = cascade(), cascade()
    order = np.random.default_rng(1).permutation(40)
    count = whole.survivors(order)
    assert count == sum(pieces.survivors(order[start : start + 7]) for start in range(0, 40, 7))
    np.testing.assert_array_equal(whole.standing, pieces.standing)


def test_what_is_decided_asks_no_dearer_attack():
    held, everyone = cascade(), np.arange(40)
    held.begin(everyone)
    after_pgd = held.tally["pgd"]["survived"]
    assert held.standing.sum() == after_pgd
    held.finish(after_pgd)
    assert [name for name, tally in held.tally.items() if tally["attacked"]] == ["pgd"]


def test_what_was_put_off_comes_to_the_same():
    whole, put_off = cascade(), cascade()
    whole.survivors(np.arange(40))
    for start in range(0, 40, 9):
        put_off.begin(np.arange(start, min(start + 9, 40)))
    put_off.finish()
    np.testing.assert_array_equal(whole.standing, put_off.standing)
    put_off.finish()
    assert put_off.tally["square"]["attacked"] == whole.tally["square"]["attacked"]


def test_labels_alone_are_a_black_box():
    assert cascade(attacks=("rays",)).black_box
    assert not cascade(attacks=("rays",)).white_box
    assert cascade(attacks=("pgd",)).white_box
