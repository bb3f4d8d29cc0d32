"""The cascade: exact balls, claims that are checked, figures that repeat."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment import robustness
from mlgate.checks.assessment.attack import Attempt
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.robustness import Samples, ball, measure, undecided
from mlgate.policy.assessment import Robustness

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
RNG = np.random.default_rng(0)


class Linear:
    """A two-class linear model without a sandbox; the sandbox has its own tests."""

    def __init__(self, weights, x):
        self.weights = weights
        self.deadline = None
        self.passes = 0
        self.clean = self.predict(x)

    def predict(self, x):
        self.passes += len(x)
        score = x.reshape(len(x), -1) @ self.weights
        return np.stack([score, -score], axis=1)

    def radius(self, x):
        return np.abs(x @ self.weights) / np.abs(self.weights).sum()


def problem(n=200, features=8):
    x = RNG.uniform(0, 1, (n, features))
    weights = RNG.normal(size=features)
    weights -= weights.mean()
    model = Linear(weights, x)
    return model, Samples(x, model.clean.argmax(axis=1), np.arange(n), None)


def run(model, samples, **settings):
    settings = Robustness(**{"epsilon": 0.05, "min_accuracy": 0.5, "queries": 300, **settings})
    return measure("m", model, samples, settings, detail={}, progress=lambda _message: None)


@FUZZ
@given(
    st.floats(-1e6, 1e6, width=32),
    st.floats(1e-6, 1e6),
    st.sampled_from([np.float32, np.float64]),
)
def test_no_number_of_the_ball_is_outside(center, epsilon, dtype):
    x = np.array([[center]], dtype)
    around = ball(x, epsilon, None)
    exact = x.astype(np.float64)
    assert (
        exact - epsilon
        <= around.low.astype(np.float64)
        <= exact
        <= around.high.astype(np.float64)
        <= exact + epsilon
    )
    # And the next number is: the ball is not smaller than it must be.
    for bound, away in ((around.low, -np.inf), (around.high, np.inf)):
        beyond = np.nextafter(bound, dtype(away)).astype(np.float64)
        assert beyond < exact - epsilon or beyond > exact + epsilon


def test_the_ball_is_cut_to_the_range_and_cannot_be_changed():
    around = ball(np.array([[0.05, 0.95]]), 0.1, (0.0, 1.0))
    assert around.low[0, 0] == 0
    assert around.high[0, 1] == 1
    with pytest.raises(ValueError, match="read-only"):
        around.low[0, 0] = -1


def test_the_figure_is_the_exact_one_on_a_linear_model():
    model, samples = problem()
    figure = run(model, samples, min_accuracy=0.0001, confidence=0.999999999)
    n = figure.n
    order = np.random.default_rng(0).permutation(200)[:n]
    assert figure.detail["successes"] == (model.radius(samples.x[order]) >= 0.05).sum()


def test_a_sample_that_is_wrong_unattacked_counts_as_broken():
    model, samples = problem()
    wrong = Samples(samples.x, 1 - samples.labels, samples.ids, None)
    figure = run(model, wrong)
    assert (figure.value, figure.outcome) == (0.0, "fail")
    assert figure.detail["attacks"]["square"]["attacked"] == 0


def test_all_that_a_second_run_needs_is_kept():
    model, samples = problem()
    figure = run(model, samples, epsilon=0.001)
    assert figure.outcome == "pass"
    assert figure.name == "robust_accuracy"
    detail = figure.detail
    assert detail["bound"] == "upper bound (black-box)"
    assert detail["clipped_to"] is None
    assert (detail["norm"], detail["epsilon"], detail["seed"]) == ("linf", 0.001, 0)
    assert detail["stop"] == "decided"
    assert [set(look) for look in detail["looks"]] == [{"n", "value", "low", "high"}] * len(detail["looks"])
    tally = detail["attacks"]["square"]
    assert tally["broken"] + tally["survived"] == tally["attacked"] == figure.n
    assert detail["forward_passes"] >= tally["queries"] > 0


def test_a_second_run_gives_the_same_figures():
    model, samples = problem()
    assert run(model, samples, seed=4) == run(model, samples, seed=4)


def liar(monkeypatch, attempt):
    """Put an attack with false claims in the place of the real one."""
    module = types.SimpleNamespace(NAME="liar", NORMS=("linf",), BLACK_BOX=False, run=attempt)
    monkeypatch.setattr(robustness, "modules", lambda _package: (module,))


@pytest.mark.parametrize(
    "cheat",
    [
        lambda ball: ball.x,
        lambda ball: ball.x - 100,
        lambda ball: np.nextafter(ball.high, np.inf),
        lambda ball: np.full_like(ball.x, np.nan),
    ],
)
def test_a_false_claim_does_not_count(monkeypatch, cheat):
    def attempt(_predict, around, labels, _effort):
        everything = np.ones(len(labels), bool)
        return Attempt(cheat(around), everything, np.ones(len(labels), int))

    liar(monkeypatch, attempt)
    model, samples = problem()
    figure = run(model, samples, attacks=("liar",), epsilon=0.0001)
    assert figure.value == 1.0
    assert figure.detail["attacks"]["liar"]["unconfirmed"] == figure.n
    assert figure.detail["bound"] == "upper bound"


def test_later_attacks_see_only_the_survivors(monkeypatch):
    seen = []

    def attack(name):
        def attempt(_predict, around, labels, _effort):
            seen.append((name, len(labels)))
            worst = np.where(
                model.weights * np.sign(around.x @ model.weights)[:, None] > 0, around.low, around.high
            )
            half = np.arange(len(labels)) % 2 == 0
            return Attempt(worst, half, np.ones(len(labels), int))

        return types.SimpleNamespace(NAME=name, NORMS=("linf",), BLACK_BOX=True, run=attempt)

    monkeypatch.setattr(robustness, "modules", lambda _package: (attack("a"), attack("b")))
    model, samples = problem()
    figure = run(model, samples, attacks=("b", "a"), epsilon=10.0)
    assert seen[:2] == [("b", 32), ("a", 16)]
    assert figure.detail["looks"][0]["value"] == 8 / 32


@pytest.mark.parametrize(("attacks", "norm"), [(("nothing",), "linf"), (("square",), "l7")])
def test_an_unknown_attack_is_said(attacks, norm):
    with pytest.raises(Unassessable) as caught:
        robustness.attacks(attacks, norm)
    assert (caught.value.reason, caught.value.key) == ("unknown-attack", "robustness.attacks")


def test_a_budget_that_is_spent_at_once_measures_nothing():
    model, samples = problem()
    settings = Robustness(epsilon=0.1, min_accuracy=0.5, budget_seconds=0.001)

    def predict(x):
        raise robustness.BudgetSpent

    model.predict = predict
    figure = measure("m", model, samples, settings, detail={}, progress=lambda _message: None)
    assert (figure.value, figure.n, figure.outcome, figure.detail["stop"]) == (
        None,
        0,
        "inconclusive",
        "budget",
    )
    assert "raise budget_seconds" in undecided(figure, settings)
    assert model.deadline is None


def test_what_is_inconclusive_says_how_much_more_would_decide():
    model, samples = problem()
    truth = float((model.radius(samples.x) >= 0.02).mean())
    settings = Robustness(epsilon=0.02, min_accuracy=truth - 0.01, queries=200)
    figure = measure("m", model, samples, settings, detail={}, progress=lambda _message: None)
    assert figure.outcome == "inconclusive"
    assert "more data" in undecided(figure, settings)


def test_a_model_that_answers_at_random_is_not_called_robust(monkeypatch):
    model, samples = problem()
    model.noise = np.random.default_rng(1)
    model.predict = lambda x: Linear.predict(model, x) + model.noise.normal(size=(len(x), 2)) * 1e-3

    def attempt(_predict, around, labels, _effort):
        return Attempt(around.x, np.ones(len(labels), bool), np.ones(len(labels), int))

    liar(monkeypatch, attempt)
    with pytest.raises(Unassessable) as caught:
        run(model, samples, attacks=("liar",), epsilon=0.0001)
    assert caught.value.reason == "not-repeatable"


def test_a_minimum_of_one_is_said_to_be_out_of_reach():
    model, samples = problem()
    figure = run(model, samples, epsilon=1e-9, min_accuracy=1.0)
    assert figure.outcome == "inconclusive"
    assert "less than 1" in undecided(figure, Robustness(epsilon=1e-9, min_accuracy=1.0))


def test_a_minimum_of_zero_is_met_at_the_first_look():
    model, samples = problem()
    figure = run(model, samples, epsilon=10.0, min_accuracy=0.0)
    assert (figure.outcome, figure.value, figure.n) == ("pass", 0.0, 32)
