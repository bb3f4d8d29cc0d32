"""Data is checked, complete, or not used; features and labels are brought to the model's form."""

import io

import numpy as np
import pytest

from mlgate.checks.assessment import data
from mlgate.checks.assessment.model import Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Assessment, Data, ModelFile

X = np.linspace(0, 1, 120, dtype=np.float32).reshape(30, 4)
Y = np.arange(30) % 3


def npz(x=X, y=Y):
    stream = io.BytesIO()
    np.savez(stream, x=x, y=y)
    return stream.getvalue()


def load(content=None, *, seed=0, path="d.npz", **settings):
    content = npz() if content is None else content
    settings = {"label": "y", "features": "x", **settings}
    entry = Assessment("m", ModelFile("m.onnx"), Data(path=path, **settings), seed=seed)
    return data.load(content, entry, 1 << 20, path)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("u1", "f8"), ("i8", "f8"), ("?", "f4"), (">f4", "f4")],
)
def test_numbers_of_every_kind_become_floats(dtype, expected):
    x = (X * 3).astype(dtype)
    loaded = load(npz(x))
    assert loaded.x.dtype == np.dtype(expected)
    np.testing.assert_array_equal(loaded.x, x.astype(expected))


@pytest.mark.parametrize(
    ("change", "settings", "reason", "words"),
    [
        ({"x": X[:, 0]}, {}, "wrong-shape", "one row a sample"),
        ({"x": np.full((30, 2), "a")}, {}, "wrong-shape", "numbers"),
        ({"y": Y[:-1]}, {}, "wrong-shape", "labels of shape"),
        ({"y": np.stack([Y, Y], 1)}, {}, "wrong-shape", "labels of shape"),
        ({"x": X[:19], "y": Y[:19]}, {}, "too-few-samples", "19 samples"),
        ({}, {"limit": 19}, "too-few-samples", "data.limit leaves 19"),
        ({"x": np.where(X[3, 2] == X, np.nan, X)}, {}, "not-finite", "sample 3, index \\[2\\]"),
        ({"x": np.where(X[3, 2] == X, np.inf, X)}, {}, "not-finite", "sample 3, index \\[2\\]"),
        ({}, {"range": (0.0, 0.5)}, "out-of-range", "data.range"),
        ({}, {"range": (1.0, 0.0)}, "wrong-range", "rising"),
        ({}, {"range": (float("nan"), 1.0)}, "wrong-range", "rising"),
        ({}, {"range": (0.0, float("inf"))}, "wrong-range", "rising"),
        ({}, {"path": "d.parquet"}, "unknown-data", ".csv, .npz"),
    ],
)
def test_what_is_wrong_is_said(change, settings, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        load(npz(**change), **settings)
    assert caught.value.reason == reason
    assert caught.value.key.startswith("data")


def test_the_column_of_a_bad_value_is_named():
    text = "a,b,y\n" + "1,2,0\n" * 25 + "1,nan,0\n"
    with pytest.raises(Unassessable, match="sample 25, column 'b'"):
        load(text.encode(), path="d.csv", features=("a", "b"))


def test_a_bound_of_the_range_is_inside():
    x = np.full((30, 2), 0.1, np.float32)
    assert load(npz(x), range=(0.0, 0.1)).x.max() == np.float32(0.1)


def test_a_limit_draws_with_the_seed():
    first, again, other = load(limit=20), load(limit=20), load(limit=20, seed=1)
    assert len(first.x) == 20
    np.testing.assert_array_equal(first.ids, again.ids)
    np.testing.assert_array_equal(first.x, X[first.ids])
    np.testing.assert_array_equal(first.y, Y[first.ids])
    assert list(first.ids) != list(other.ids)


def test_labels_may_stand_in_a_column():
    np.testing.assert_array_equal(load(npz(y=Y[:, None])).y, Y)


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ((None, 4), (4,), (4,)),
        ((1, 4), (4,), (4,)),
        ((None, None), (4,), (4,)),
        ((None, 1, 2, 2), (4,), (1, 2, 2)),
        ((None, 4), (2, 2), (4,)),
        ((None, 2, 2), (1, 2, 2), (2, 2)),
        ((None, None, 2), (2, 2), (2, 2)),
    ],
)
def test_features_are_brought_to_the_models_shape(wanted, given, expected):
    x = np.arange(12.0).reshape(3, *given)
    fitted = data.fit(x, Signature(wanted, "float32"), "d.npz")
    assert fitted.shape == (3, *expected)
    assert fitted.dtype == np.float32
    np.testing.assert_array_equal(fitted.ravel(), x.ravel())


@pytest.mark.parametrize(
    ("wanted", "given"),
    [((None, 5), (4,)), ((None, None, 4), (4,)), ((None,), (4,)), ((None, 3, None), (2, 2))],
)
def test_features_that_do_not_fit_are_said_with_both_shapes(wanted, given):
    with pytest.raises(Unassessable, match="batch") as caught:
        data.fit(np.zeros((3, *given)), Signature(wanted, "float32"), "d.npz")
    assert caught.value.reason == "model-input"


def test_numbers_too_large_for_the_model_are_said():
    with pytest.raises(Unassessable, match="float32"):
        data.fit(np.full((3, 1), 1e300), Signature((None, 1), "float32"), "d.npz")


def test_many_names_are_not_all_listed():
    assert data.few([f"column{n}" for n in range(100)]).endswith("and 92 more")
    assert data.few([]) == "nothing"
