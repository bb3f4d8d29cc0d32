"""The cascade: exact balls, claims that are checked, figures that repeat."""

import types

import numpy as np
import pytest
from msgspec.structs import replace

from mlgate.checks.assessment import cascade
from mlgate.checks.assessment.attack import Attempt
from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measure import Subject
from mlgate.checks.assessment.measures.robustness import undecided
from mlgate.checks.assessment.predictor import BudgetSpent
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.trial import Trial
from mlgate.policy.assessment import Assessment, Data, ModelFile, Robustness

RNG = np.random.default_rng(0)


class Linear:
    """A two-class linear model without a sandbox; the sandbox has its own tests."""

    def __init__(self, weights, x):
        self.weights = weights
        self.deadline = self.most_passes = self.guide = self.trees = None
        self.passes = 0
        self.clean = self.predict(x)

    def predict(self, x):
        self.passes += len(x)
        score = x.reshape(len(x), -1) @ self.weights
        return np.stack([score, -score], axis=1)

    def gradient(self, x, objective):
        scores = self.predict(x)
        losses, slope = objective(scores, slice(0, len(x)))
        return scores, losses, (slope @ np.stack([self.weights, -self.weights])).reshape(x.shape)

    def on_time(self):
        """It computes nothing but answers."""

    def repeat(self):
        """It has no worker that could change its mind."""

    def radius(self, x):
        return np.abs(x @ self.weights) / np.abs(self.weights).sum()


def subject(model, x, labels):
    return Subject(
        entry=Assessment("m", ModelFile("m.onnx"), Data("d.npz", "y")),
        model=model,
        dataset=Dataset(x, labels, np.arange(len(x)), "d.npz"),
        x=x,
        labels=labels,
        detail={},
        progress=lambda _message: None,
        read=None,
        load=None,
    )


def problem(n=200, features=8):
    x = RNG.uniform(0, 1, (n, features))
    weights = RNG.normal(size=features)
    weights -= weights.mean()
    model = Linear(weights, x)
    return model, subject(model, x, model.clean.argmax(axis=1))


def run(model, samples, **settings):
    settings = Robustness(**{"epsilon": 0.05, "min_accuracy": 0.5, "queries": 300, **settings})
    return Trial(samples, model, settings, {}).decide()


def test_the_figure_is_the_exact_one_on_a_linear_model():
    model, samples = problem()
    figure = run(model, samples, min_accuracy=0.0001, confidence=0.999999999)
    n = figure.n
    order = np.random.default_rng(0).permutation(200)[:n]
    assert figure.detail["successes"] == (model.radius(samples.x[order]) >= 0.05).sum()


def test_a_sample_that_is_wrong_unattacked_counts_as_broken():
    model, samples = problem()
    wrong = replace(samples, labels=1 - samples.labels)
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
    assert detail["stopped_by"] == "decided"
    assert [set(look) for look in detail["looks"]] == [{"n", "value", "low", "high"}] * len(detail["looks"])
    tally = detail["attacks"]["square"]
    assert tally["broken"] + tally["survived"] == tally["attacked"] == figure.n
    assert detail["forward_passes"] >= tally["queries"] > 0


def test_a_second_run_gives_the_same_figures():
    model, samples = problem()
    assert run(model, samples, seed=4) == run(model, samples, seed=4)


def liar(monkeypatch, attempt):
    """Put an attack with false claims in the place of the real one."""
    module = types.SimpleNamespace(NAME="liar", NORMS=("linf",), NEEDS="gradients", ORDER=1, run=attempt)
    monkeypatch.setattr(cascade, "modules", lambda _package: (module,))


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
    model.guide = model
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

        return types.SimpleNamespace(NAME=name, NORMS=("linf",), NEEDS="scores", run=attempt)

    monkeypatch.setattr(cascade, "modules", lambda _package: (attack("a"), attack("b")))
    model, samples = problem()
    figure = run(model, samples, attacks=("b", "a"), epsilon=10.0)
    # Half of them withstand the first, which decides nothing: the second comes last, and once.
    *firsts, last = seen
    assert {name for name, _ in firsts} == {"b"}
    assert last == ("a", sum(n // 2 for _, n in firsts))
    assert figure.detail["successes"] == last[1] // 2


def test_an_attack_that_does_not_suit_is_said():
    settings = Robustness(epsilon=0.1, min_accuracy=0.5, norm="l7", attacks=("square",))
    with pytest.raises(Unassessable) as caught:
        cascade.attacks(settings, gradients=False)
    assert (caught.value.reason, caught.value.key) == ("unknown-attack", "robustness.attacks")


def test_a_budget_that_is_spent_at_once_measures_nothing():
    model, samples = problem()
    settings = Robustness(epsilon=0.1, min_accuracy=0.5, budget_seconds=0.001)

    def predict(x):
        raise BudgetSpent

    model.predict = predict
    figure = Trial(samples, model, settings, {}).decide()
    assert (figure.value, figure.n, figure.outcome, figure.detail["stopped_by"]) == (
        None,
        0,
        "inconclusive",
        "seconds",
    )
    assert "raise budget_seconds" in undecided(figure, settings, 0.95)
    assert model.deadline is None


def test_what_is_inconclusive_says_how_much_more_would_decide():
    model, samples = problem()
    truth = float((model.radius(samples.x) >= 0.02).mean())
    settings = Robustness(epsilon=0.02, min_accuracy=truth - 0.01, queries=200)
    figure = Trial(samples, model, settings, {}).decide()
    assert figure.outcome == "inconclusive"
    assert "more data" in undecided(figure, settings, 0.95)


def test_a_model_that_answers_at_random_is_not_called_robust(monkeypatch):
    model, samples = problem()
    model.noise = np.random.default_rng(1)
    model.predict = lambda x: Linear.predict(model, x) + model.noise.normal(size=(len(x), 2)) * 1e-3

    def attempt(_predict, around, labels, _effort):
        return Attempt(around.x, np.ones(len(labels), bool), np.ones(len(labels), int))

    liar(monkeypatch, attempt)
    model.guide = model
    with pytest.raises(Unassessable) as caught:
        run(model, samples, attacks=("liar",), epsilon=0.0001)
    assert caught.value.reason == "not-repeatable"


def test_a_minimum_of_one_is_said_to_be_out_of_reach():
    model, samples = problem()
    figure = run(model, samples, epsilon=1e-9, min_accuracy=1.0)
    assert figure.outcome == "inconclusive"
    assert "less than 1" in undecided(figure, Robustness(epsilon=1e-9, min_accuracy=1.0), 0.95)


def test_a_minimum_of_zero_is_met_at_the_first_look():
    model, samples = problem()
    figure = run(model, samples, epsilon=10.0, min_accuracy=0.0)
    assert (figure.outcome, figure.value, figure.n) == ("pass", 0.0, 8)
