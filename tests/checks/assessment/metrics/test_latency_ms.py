"""Latency over timings."""

import numpy as np

from mlgate.checks.assessment.metric import Predictions
from mlgate.checks.assessment.metrics.latency_ms import value


def test_latency_is_the_95th_percentile():
    taken = np.arange(101.0)
    assert value(Predictions(taken, taken[:, None], "milliseconds")) == 95
