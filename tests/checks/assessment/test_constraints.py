"""What the policy says of columns becomes what an attacker must respect."""

import numpy as np
import pytest

from mlgate.checks.assessment.ball import Features, around
from mlgate.checks.assessment.constraints import features, moves, spread, told
from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measure import Subject
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Assessment, Column, Data, ModelFile

X = np.array([[1.0, 10.0, 0.5, 3.0], [2.0, 30.0, 0.5, 3.0], [3.0, 20.0, 0.5, 3.0]], np.float32)
NAMES = ("age", "income", "ratio", "flag")


def known(*columns, x=X, names=NAMES, scale="absolute", **data):
    subject = Subject(
        entry=Assessment("m", ModelFile("m.onnx"), Data("d.csv", "y", columns=columns, **data)),
        model=None,
        dataset=Dataset(x, np.zeros(len(x)), np.arange(len(x)), "d.csv", names=names),
        x=x,
        labels=np.zeros(len(x), int),
        detail={},
        progress=None,
        read=None,
        load=None,
    )
    return features(subject, scale)


def test_nothing_said_is_nothing_known():
    assert known() == Features()
    assert told(known()) == {}


def test_every_flag_finds_its_feature():
    found = known(
        Column("age", monotone="increasing", integer=True),
        Column("income", monotone="decreasing", range=(0, 100)),
        Column("ratio", mutable=False),
        Column("flag", categorical=True),
    )
    np.testing.assert_array_equal(found.rising, [True, False, False, False])
    np.testing.assert_array_equal(found.falling, [False, True, False, False])
    np.testing.assert_array_equal(found.fixed, [False, False, True, True])
    np.testing.assert_array_equal(found.integer, [True, False, False, False])
    assert (found.low[1], found.high[1]) == (0, 100)
    assert found.high[0] == np.finfo(np.float32).max
    assert not found.free
    assert told(found) == {"fixed": 2, "rising": 1, "falling": 1, "integer": 1, "ranged": 1}


def test_a_columns_range_goes_before_that_of_all():
    found = known(Column("age", range=(0, 5)), range=(-1, 50))
    assert found.low.tolist() == [0, -1, -1, -1]
    assert found.high.tolist() == [5, 50, 50, 50]
    assert found.low.dtype == np.float32


def test_arrays_are_known_by_index_and_keep_their_shape():
    found = known(Column("3", mutable=False), x=X.reshape(3, 2, 2), names=())
    np.testing.assert_array_equal(found.fixed, [[False, False], [False, True]])


def test_the_unit_may_be_the_spread():
    found = known(scale="std")
    np.testing.assert_allclose(found.scale, X.std(axis=0))
    assert found.scale[3] == 0


def test_the_unit_may_be_the_width_of_the_range():
    found = known(Column("age", range=(0, 5)), scale="range")
    np.testing.assert_allclose(found.scale, [5, 20, 0, 0])


def test_all_values_are_those_of_the_range_or_else_those_seen():
    whole = spread(X, known(Column("age", range=(0, 5))))
    np.testing.assert_allclose(whole.low, [0, 10, 0.5, 3])
    np.testing.assert_allclose(whole.high, [5, 30, 0.5, 3])
    np.testing.assert_allclose(whole.scale, [5, 20, 0, 0])


@pytest.mark.parametrize(
    ("columns", "settings", "reason"),
    [
        ([Column(name, mutable=False) for name in NAMES], {}, "no-mutable-feature"),
        ([Column("age", mutable=False), Column("income", mutable=False)], {"scale": "std"}, "no-spread"),
        ([], {"x": np.where(X == 2, np.nan, X)}, "missing-value"),
        ([Column("wage")], {}, "missing-column"),
    ],
)
def test_what_leaves_nothing_to_attack_is_said(columns, settings, reason):
    with pytest.raises(Unassessable) as caught:
        known(*columns, **settings)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("epsilon", "features"),
    [
        (0.4, Features(integer=np.ones(4, np.bool_))),
        (1e-9, Features(fixed=np.array([False, True, True, True]))),
        (1.0, Features(low=np.full(4, 3, np.float32), high=np.full(4, 3, np.float32))),
    ],
)
def test_a_ball_in_which_nothing_moves_shows_nothing(epsilon, features):
    x = np.full((600, 4), 3, np.float32)
    with pytest.raises(Unassessable, match=r"raise robustness\.epsilon") as caught:
        moves(x, lambda rows: around(x[rows], epsilon, "linf", features), epsilon)
    assert caught.value.reason == "no-mutable-feature"
    x[-1] = 2.5  # one sample that can move is enough
    moves(x, lambda rows: around(x[rows], 0.6, "linf", features), 0.6)
