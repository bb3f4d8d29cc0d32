"""A model beside another one, on the same samples."""

import numpy as np
import pytest
from msgspec.structs import replace
from tests.checks.assessment.measures.small import one_hot, subject

from mlgate.checks.assessment.measures.baseline import measure
from mlgate.policy.assessment import Baseline, ModelFile

N = 200
X = np.arange(N, dtype=float)[:, None]
LABELS = np.arange(N) % 2


def wrong_at(*samples):
    return lambda x: one_hot((x[:, 0].astype(int) + np.isin(x[:, 0], samples)) % 2, 2)


def compared(mine, other, max_drop=0.0, **more):
    made = subject(mine, X, LABELS, others={"old.onnx": other}, **more)
    return list(measure(made, Baseline(ModelFile("old.onnx"), max_drop)))


def test_a_drop_beyond_the_bound_fails():
    known, lost = compared(wrong_at(*range(20)), wrong_at(0, 1, 50), max_drop=0.05)
    assert (known.measurement.part, known.measurement.outcome) == ("baseline", "info")
    measured = lost.measurement
    assert (measured.name, measured.outcome, measured.bound) == ("accuracy_drop", "fail", "max")
    assert measured.value == pytest.approx((20 - 3) / N)
    assert measured.low <= measured.value <= measured.high
    assert (measured.detail["only_the_baseline_is_right"], measured.detail["only_this_model_is_right"]) == (
        18,
        1,
    )
    assert measured.detail["baseline"] == "old.onnx"
    assert lost.key == "baseline.max_drop"


@pytest.mark.parametrize("mine", [wrong_at(0, 1), wrong_at(0), wrong_at()])
def test_an_equal_or_better_model_passes(mine):
    assert compared(mine, wrong_at(0, 1))[1].measurement.outcome == "pass"


def test_a_drop_within_the_bound_passes():
    assert compared(wrong_at(0, 1, 2), wrong_at(), max_drop=0.02)[1].measurement.outcome == "pass"


def test_a_drop_of_just_the_bound_passes_whatever_floats_make_of_it():
    before, after = 10 / N, 12 / N
    assert (1 - before) - (1 - after) > 0.01  # in floats
    assert compared(wrong_at(*range(12)), wrong_at(*range(10)), 0.01)[1].measurement.outcome == "pass"
    assert compared(wrong_at(*range(13)), wrong_at(*range(10)), 0.01)[1].measurement.outcome == "fail"


def test_two_models_that_are_wrong_alike_differ_by_nothing():
    lost = compared(wrong_at(*range(60)), wrong_at(*range(60)))[1].measurement
    assert (lost.value, lost.low, lost.high, lost.detail["mcnemar_p"]) == (0, 0, 0, 1)


def test_the_other_model_may_order_its_classes_otherwise():
    made = subject(wrong_at(), X, np.array(["a", "b"])[LABELS], others={}, classes=("a", "b"))
    made = replace(made, labels=LABELS)
    from tests.checks.assessment.measures.small import Answers

    class Turned:
        def __enter__(self):
            return Answers(lambda x: wrong_at()(x)[:, ::-1], X, classes=("b", "a"))

        def __exit__(self, *_):
            pass

    made = replace(made, load=lambda *_: Turned())
    assert [one.measurement.value for one in measure(made, Baseline(ModelFile("old.onnx")))] == [1.0, 0.0]


def test_a_regression_compares_errors():
    made = subject(lambda x: x + 2, X, X[:, 0], others={"old.onnx": lambda x: x + 1}, task="regression")
    known, lost = (figure.measurement for figure in measure(made, Baseline(ModelFile("old.onnx"), 0.5)))
    assert (known.name, known.value) == ("rmse", 1)
    assert (lost.name, lost.value, lost.outcome) == ("rmse_increase", 1, "fail")


def test_a_second_run_gives_the_same():
    first, second = (compared(wrong_at(3, 9), wrong_at(4)) for _ in range(2))
    assert first == second
