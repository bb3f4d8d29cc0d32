"""Balls: exact in the samples' own dtype, cut to what the features allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlgate.checks.assessment.ball import Features, around

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
FEWER = settings(FUZZ, max_examples=100)
DTYPES = st.sampled_from([np.float32, np.float64])


@FUZZ
@given(
    st.floats(-1e6, 1e6, width=32),
    st.floats(1e-6, 1e6),
    DTYPES,
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


@st.composite
def balls(draw):
    """A ball of any norm around three samples of five features, and three points anywhere."""
    dtype = draw(DTYPES)
    numbers = st.floats(-100, 100, width=32)
    x = draw(hnp.arrays(dtype, (3, 5), elements=numbers))
    flags = hnp.arrays(np.bool_, (5,))
    maybe = lambda strategy: draw(st.none() | strategy)  # noqa: E731
    known = Features(
        low=maybe(hnp.arrays(dtype, (5,), elements=st.floats(-200, 0, width=32))),
        high=maybe(hnp.arrays(dtype, (5,), elements=st.floats(0, 200, width=32))),
        fixed=maybe(flags),
        rising=maybe(flags),
        falling=maybe(flags),
        integer=maybe(flags),
        scale=maybe(hnp.arrays(np.float64, (5,), elements=st.just(0.0) | st.floats(1e-3, 1e3))),
    )
    epsilon = draw(st.floats(1e-4, 1e3))
    far = st.floats(-1e3, 1e3) | st.sampled_from([1e30, -1e30, 1e300])
    with np.errstate(over="ignore"):
        point = draw(hnp.arrays(np.float64, (3, 5), elements=far))
    return around(x, epsilon, draw(st.sampled_from(["linf", "l2"])), known), point


@FEWER
@given(balls())
@np.errstate(over="ignore")
def test_what_is_projected_is_allowed_and_stays_as_it_is(drawn):
    ball, point = drawn
    for one in (ball, ball.relaxed):
        inside = one.project(point)
        assert inside.dtype == ball.x.dtype
        assert one.holds(inside).all()
        np.testing.assert_array_equal(one.project(inside), inside)


@FEWER
@given(balls())
@np.errstate(over="ignore")
def test_a_projection_keeps_what_cannot_change(drawn):
    ball, point = drawn
    inside, known = ball.project(point), ball.features
    if known.fixed is not None:
        np.testing.assert_array_equal(inside[:, known.fixed], ball.x[:, known.fixed])
    if known.rising is not None:
        assert (inside >= ball.x)[:, known.rising].all()
    if known.falling is not None:
        assert (inside <= ball.x)[:, known.falling].all()
    if known.integer is not None:
        whole = (inside == np.round(inside)) | (inside == ball.x)
        assert whole[:, known.integer].all()


@FEWER
@given(balls())
def test_a_sample_is_in_its_own_ball(drawn):
    ball, _ = drawn
    assert ball.holds(ball.x).all()
    np.testing.assert_array_equal(ball.project(ball.x), ball.x)


@FUZZ
@given(
    hnp.arrays(np.float64, (1, 4), elements=st.floats(0, 1)),
    hnp.arrays(np.float64, (1, 4), elements=st.floats(-3, 3)),
    hnp.arrays(np.float64, (20, 4), elements=st.floats(-1, 1)),
    st.floats(0.05, 2),
    hnp.arrays(np.float64, (4,), elements=st.floats(0.2, 5)) | st.none(),
)
def test_the_projection_is_the_nearest_point(x, point, others, epsilon, scale):
    known = Features(np.zeros(4), np.ones(4), scale=scale)
    unit = 1.0 if scale is None else scale
    ball = around(x, epsilon, "l2", known)
    nearest = ball.project(point)
    everyone = around(np.repeat(x, 20, axis=0), epsilon, "l2", known)
    allowed = everyone.project(everyone.x + others)
    # No allowed point lies on the far side: the condition for the nearest point of a convex set.
    turned = (((point - nearest) / unit) * ((allowed - nearest) / unit)).sum(axis=1)
    assert turned.max() < 1e-6


def test_a_projection_in_linf_is_the_nearest_in_every_feature():
    ball = around(np.array([[0.5, 0.5, 0.95]]), 0.1, "linf", Features(np.zeros(3), np.ones(3)))
    np.testing.assert_allclose(ball.project(np.array([[0.0, 0.55, 3.0]])), [[0.4, 0.55, 1.0]])


@pytest.mark.parametrize(("value", "whole"), [(2.6, 3.0), (2.4, 2.0), (9.0, 4.0), (-9.0, 0.0)])
def test_whole_numbers_are_the_nearest_in_linf(value, whole):
    ball = around(np.array([[2.0]]), 2.5, "linf", Features(integer=np.array([True])))
    assert ball.project(np.array([[value]])) == whole


def test_whole_numbers_are_rounded_towards_the_sample_in_l2():
    ball = around(np.array([[2.0, 2.0]]), 2.0, "l2", Features(integer=np.array([True, True])))
    np.testing.assert_array_equal(ball.project(np.array([[3.9, 0.1]])), [[3.0, 1.0]])


def test_an_odd_value_stays_or_becomes_whole():
    ball = around(np.array([[0.5]]), 1.0, "linf", Features(integer=np.array([True])))
    assert ball.project(np.array([[0.5]])) == 0.5
    assert ball.project(np.array([[0.8]])) == 1
    assert ball.holds(np.array([[0.5]])).all()
    assert not ball.holds(np.array([[0.7]])).any()


def test_epsilon_is_counted_in_the_features_unit():
    known = Features(scale=np.array([10.0, 1.0, 0.0]))
    ball = around(np.zeros((1, 3)), 0.5, "l2", known)
    np.testing.assert_allclose(ball.high, [[5.0, 0.5, 0.0]])
    assert ball.holds(np.array([[5.0, 0.0, 0.0]])).all()
    assert not ball.holds(np.array([[5.0, 0.1, 0.0]])).any()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_steepest_step_has_its_length_and_leaves_fixed_features(norm):
    known = Features(fixed=np.array([True, False, False]), scale=np.array([1.0, 2.0, 0.5]))
    ball = around(np.zeros((2, 3)), 1.0, norm, known)
    step = ball.step(np.array([[9.0, 1e-200, 3e-200], [1.0, 0.0, 0.0]]), 0.25)
    assert step[0, 0] == 0
    reach = np.abs(step[0]) / [1.0, 2.0, 0.5]
    assert (reach.max() if norm == "linf" else np.linalg.norm(reach)) == pytest.approx(0.25)
    np.testing.assert_array_equal(step[1], 0)


def test_a_small_ball_around_large_numbers_is_not_empty():
    ball = around(np.full((1, 50), 100, np.float32), 1e-3, "l2")
    inside = ball.project(ball.x + ball.step(np.ones((1, 50)), 1e-3))
    assert ball.holds(inside).all()
    assert (inside != ball.x).any()
