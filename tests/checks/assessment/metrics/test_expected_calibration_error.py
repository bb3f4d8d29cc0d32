"""Calibration, by hand."""

import numpy as np
import pytest

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics.expected_calibration_error import value


def test_calibration_by_hand():
    # Ten answers at 0.75, of which six are right; ten at 0.95, of which all are: (0.15 + 0.05) / 2.
    sure = np.array([0.75] * 10 + [0.95] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [0] * 10)
    scores = np.log(np.stack([sure, 1 - sure], axis=1))
    found = value(Predictions(labels, scores, "probability"))
    assert found == pytest.approx(0.1)


def test_a_perfectly_calibrated_model_has_no_calibration_error():
    labels = np.array([0, 0, 0, 1])
    scores = np.log(np.tile([0.75, 0.25], (4, 1)))
    found = value(Predictions(labels, scores, "probabilities"))
    assert found == pytest.approx(0)


@pytest.mark.parametrize(("n", "said"), [(100, 0.08), (300, 0.05), (1000, 0.025)])
def test_what_the_pages_say_of_few_samples(n, said):
    rng, found = np.random.default_rng(0), []
    for _ in range(60):
        odds = np.exp(2 * rng.normal(size=(n, 2)))
        chances = odds / odds.sum(axis=1, keepdims=True)
        labels = (rng.random(n) > chances[:, 0]).astype(int)
        found.append(value(Predictions(labels, np.log(chances), "probabilities")))
    assert np.mean(found) == pytest.approx(said, rel=0.15)
