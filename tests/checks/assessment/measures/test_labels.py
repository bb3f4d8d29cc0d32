"""Flipped labels are found, and clean ones are left in peace."""

import importlib.util

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from tests.checks.assessment.measures.small import subject

from mlgate.checks.assessment.measures.labels import measure
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Labels

DIGITS = load_digits()
TRAIN, TEST = slice(0, 1000), slice(1000, None)
PIXELS = DIGITS.data / 16
MODEL = LogisticRegression(C=1, max_iter=1000).fit(PIXELS[TRAIN], DIGITS.target[TRAIN])
X, Y = PIXELS[TEST], DIGITS.target[TEST]


def flipped(share):
    rng = np.random.default_rng(0)
    labels = Y.copy()
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    labels[rows] = (labels[rows] + rng.integers(1, 10, len(rows))) % 10
    return labels, set(rows.tolist())


def looked(labels, max_share=0.02, function=MODEL.predict_proba):
    (figure,) = measure(subject(function, X, labels), Labels(max_share))
    return figure


def test_three_flipped_labels_in_a_hundred_are_found():
    labels, rows = flipped(0.03)
    figure = looked(labels)
    measured = figure.measurement
    assert measured.outcome == "fail"
    assert measured.low <= measured.value <= measured.high
    found = {one["sample"] for one in measured.detail["worst"]}
    assert len(found) == 20
    assert len(found & rows) / len(found) >= 0.8
    assert figure.key == "labels.max_share"


def test_what_is_said_of_a_label_helps_to_mend_it():
    labels, _ = flipped(0.03)
    worst = looked(labels).measurement.detail["worst"][0]
    assert worst["label"] == str(labels[worst["sample"]])
    assert worst["probability_of_label"] < worst["probability_of_answer"]


def test_a_good_set_passes():
    assert looked(Y, 0.05).measurement.outcome == "pass"


def test_scores_that_are_no_probabilities_serve_as_well():
    labels, rows = flipped(0.03)
    figure = looked(labels, function=MODEL.decision_function).measurement
    assert figure.detail["probabilities"] == "softmax of the model's scores"
    assert len({one["sample"] for one in figure.detail["worst"]} & rows) >= 16


def test_a_class_without_samples_is_no_error():
    keep = Y != 3
    made = subject(MODEL.predict_proba, X[keep], Y[keep])
    (figure,) = measure(made, Labels(0.05))
    assert figure.measurement.outcome == "pass"


def test_a_second_run_gives_the_same():
    labels, _ = flipped(0.05)
    assert looked(labels) == looked(labels)


def test_the_share_is_that_of_the_samples():
    labels, _ = flipped(0.03)
    measured = looked(labels).measurement
    assert measured.value == pytest.approx(measured.detail["successes"] / len(Y))


def test_without_cleanlab_it_is_not_checked(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cleanlab" else object())
    with pytest.raises(Unassessable, match=r"pip install 'mlgate\[labels\]'") as caught:
        looked(Y)
    assert caught.value.reason == "extra-missing"
