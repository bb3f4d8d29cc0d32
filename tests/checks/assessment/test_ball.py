"""Balls: exact in the samples' own dtype, cut to what the features allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.ball import Features, around

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


@FUZZ
@given(
    st.floats(-1e6, 1e6, width=32),
    st.floats(1e-6, 1e6),
    st.sampled_from([np.float32, np.float64]),
)
def test_no_number_of_the_ball_is_outside(center, epsilon, dtype):
    x = np.array([[center]], dtype)
    ball = around(x, epsilon)
    exact = x.astype(np.float64)
    assert (
        exact - epsilon
        <= ball.low.astype(np.float64)
        <= exact
        <= ball.high.astype(np.float64)
        <= exact + epsilon
    )
    # And the next number is: the ball is not smaller than it must be.
    for bound, away in ((ball.low, -np.inf), (ball.high, np.inf)):
        beyond = np.nextafter(bound, dtype(away)).astype(np.float64)
        assert beyond < exact - epsilon or beyond > exact + epsilon


def test_the_ball_is_cut_to_the_range_and_cannot_be_changed():
    known = Features(np.zeros(2), np.ones(2))
    ball = around(np.array([[0.05, 0.95]]), 0.1, "linf", known)
    assert ball.low[0, 0] == 0
    assert ball.high[0, 1] == 1
    with pytest.raises(ValueError, match="read-only"):
        ball.low[0, 0] = -1
