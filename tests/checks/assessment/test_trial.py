"""Known answers on the shipped networks: what is fragile, robust, masked or too close to call."""

import numpy as np
import pytest
from tests.checks.assessment.networks import Network, digits, weights

from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measure import Subject
from mlgate.checks.assessment.measures.robustness import gap
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.trial import Trial
from mlgate.policy.assessment import Assessment, Data, ModelFile, Robustness

X, Y = digits(400)


def trial(example, n=400, more=None, **settings):
    model = Network(weights(example), X[:n], **(more or {}))
    subject = Subject(
        entry=Assessment("m", ModelFile("m.onnx"), Data("d.npz", "y", range=(0, 1))),
        model=model,
        dataset=Dataset(X[:n], Y[:n], np.arange(n), "d.npz"),
        x=X[:n],
        labels=Y[:n],
        detail={},
        progress=lambda _message: None,
        read=None,
        load=None,
    )
    asked = {"epsilon": 0.1, "min_accuracy": 0.66, "queries": 200, "budget_seconds": 1e6, **settings}
    return Trial(subject, model, Robustness(**asked), {})


def decided(*arguments, **settings):
    return trial(*arguments, **settings).decide()


def raised(figure):
    return {sign["signal"] for sign in figure.detail["masking"] if sign["raised"]}


def test_a_fragile_model_fails_early():
    figure = decided("blocked")
    assert figure.outcome == "fail"
    assert figure.n <= 72
    assert figure.detail["masking"] == []


def test_a_ball_in_which_nothing_moves_passes_nothing():
    with pytest.raises(Unassessable, match="hold them fast"):
        trial("blocked", epsilon=1e-60)


def test_a_model_trained_to_withstand_passes():
    figure = decided("passing")
    assert (figure.outcome, figure.detail["stopped_by"], raised(figure)) == ("pass", "decided", set())
    assert {sign["signal"] for sign in figure.detail["masking"]} == {
        "black_box_beats_white_box",
        "zero_gradients",
        "loss_not_raised",
        "slope_disagrees",
        "unlimited_attack_fails",
    }
    tallies = figure.detail["attacks"]
    assert list(tallies) == ["pgd", "apgd_ce", "apgd_t", "square"]
    assert tallies["pgd"]["survived"] == tallies["apgd_ce"]["attacked"]
    assert all(
        0 < tally["backward"] <= tally["queries"] for name, tally in tallies.items() if name != "square"
    )
    assert tallies["square"]["backward"] == 0


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("how", [{"scale": 1000.0}, {"levels": 15}])
def test_a_robust_model_that_hides_its_gradients_is_masked(how, norm):
    figure = decided("passing", more=how, norm=norm, epsilon={"linf": 0.1, "l2": 0.3}[norm])
    assert figure.outcome == "masked"
    assert "zero_gradients" in raised(figure)


@pytest.mark.parametrize("how", [{"scale": 1000.0}, {"levels": 15}, {"lying": True}])
def test_a_fragile_model_that_hides_its_gradients_never_passes(how):
    assert decided("blocked", more=how).outcome in ("fail", "masked")
    # Where the figure would be enough, it shows nothing.
    assert decided("blocked", more=how, min_accuracy=0.2).outcome == "masked"


def test_a_minimum_of_zero_is_met_by_what_is_masked_too():
    assert decided("blocked", 40, more={"levels": 15}, min_accuracy=0.0).outcome == "pass"


@pytest.mark.parametrize("scale", [0.01, 10.0])
def test_scores_of_any_honest_scale_are_not_masked(scale):
    assert decided("passing", more={"scale": scale}).outcome == "pass"


def test_gradients_that_are_another_features_are_noticed():
    figure = decided("passing", more={"lying": True}, min_accuracy=0.3)
    assert "slope_disagrees" in raised(figure)


def test_gradients_that_are_too_steep_to_lead_anywhere_are_noticed():
    figure = decided("passing", more={"shattered": True}, min_accuracy=0.3)
    assert figure.outcome == "masked"
    assert "slope_disagrees" in raised(figure)


def test_too_close_to_call_is_inconclusive():
    figure = decided("passing", 60, min_accuracy=0.8)
    assert (figure.outcome, figure.n) == ("inconclusive", 60)
    assert figure.low < 0.8 <= figure.high


def test_a_second_run_gives_the_same_figure():
    assert decided("passing", 60) == decided("passing", 60)


def test_what_masked_does_is_the_policys():
    settings = Robustness(epsilon=0.1, min_accuracy=0.3, masked="undecided")
    figure = decided("passing", 40, more={"levels": 15}, min_accuracy=0.3, masked="undecided")
    reason, message = gap(figure, settings, 0.95)
    assert reason == "masked"
    assert "zero_gradients" in message
    assert gap(figure, Robustness(epsilon=0.1, min_accuracy=0.3), 0.95) is None


def test_the_curve_falls_and_costs_only_what_is_open():
    attacked = trial("passing", 60, min_accuracy=0.5, curve=(0.02, 0.2, 0.1, 0.05, 0.3))
    figure = attacked.decide()
    points = {point.part: point for point in attacked.curve()}
    assert set(points) == {"epsilon=0.02", "epsilon=0.05", "epsilon=0.2", "epsilon=0.3"}
    values = [points[part].value for part in sorted(points)]
    values.insert(2, figure.value)
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]
    for point in points.values():
        assert (point.outcome, point.threshold, point.n, point.family) == (
            "info",
            None,
            figure.n,
            "robustness",
        )
        assert point.low <= point.value <= point.high
        assert point.detail["bound"] == "upper bound"
        assert point.detail["forward_passes"] < figure.detail["forward_passes"]
        assert point.detail["epsilon"] == float(point.part.partition("=")[2])


def test_a_masked_models_curve_says_that_it_shows_nothing():
    attacked = trial("passing", 40, more={"levels": 15}, min_accuracy=0.3, curve=(0.2,))
    assert attacked.decide().outcome == "masked"
    assert [point.detail["bound"] for point in attacked.curve()] == ["upper bound (misled attacks)"]


def test_a_curve_for_which_no_budget_is_left_says_so():
    attacked = trial("passing", 40, min_accuracy=0.3, curve=(0.2, 0.3))
    figure = attacked.decide()
    attacked._deadline = 0.0
    points = list(attacked.curve())
    assert figure.outcome == "pass"
    assert [(point.value, point.n, point.outcome) for point in points] == [(None, 0, "info")] * 2
    assert all("seconds was spent" in point.detail["stop"] for point in points)


def test_the_budget_of_passes_ends_it_and_is_named():
    settings = {"min_accuracy": 0.8, "budget_queries": 20_000}
    figure = decided("passing", **settings)
    assert (figure.outcome, figure.detail["stopped_by"]) == ("inconclusive", "queries")
    assert figure.n > 0
    assert figure.detail["forward_passes"] <= 20_000 + 300
    reason, message = gap(figure, Robustness(epsilon=0.1, **settings), 0.95)
    assert reason == "inconclusive"
    assert "raise budget_queries" in message


def test_a_pass_whose_signs_the_budget_left_unseen_is_no_pass():
    whole = decided("passing", 40, min_accuracy=0.3)
    assert whole.outcome == "pass"
    cascade = sum(tally["queries"] for tally in whole.detail["attacks"].values())
    figure = decided("passing", 40, min_accuracy=0.3, budget_queries=cascade + 1)
    assert (figure.outcome, figure.detail["stopped_by"]) == ("inconclusive", "queries")


def test_a_budget_that_ends_before_the_first_look_measures_nothing():
    settings = {"min_accuracy": 0.3, "budget_queries": 10}
    figure = decided("passing", 40, **settings)
    assert (figure.value, figure.n, figure.outcome) == (None, 0, "inconclusive")
    assert "raise budget_queries" in gap(figure, Robustness(epsilon=0.1, **settings), 0.95)[1]


def test_the_model_is_given_back_without_a_budget():
    attacked = trial("passing", 40, min_accuracy=0.3, budget_queries=10)
    attacked.decide()
    assert attacked._model.deadline is None
    assert attacked._model.most_passes is None
