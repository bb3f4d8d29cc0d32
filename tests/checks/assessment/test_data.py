"""Data is checked, complete, or not used; features and labels are brought to the model's form."""

import io

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from mlgate.checks.assessment import data
from mlgate.checks.assessment.model import Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Assessment, Bound, Column, Data, Fairness, ModelFile, Subgroups

X = np.linspace(0, 1, 120, dtype=np.float32).reshape(30, 4)
Y = np.arange(30) % 3


def npz(x=X, y=Y):
    stream = io.BytesIO()
    np.savez(stream, x=x, y=y)
    return stream.getvalue()


def load(content=None, *, seed=0, path="d.npz", **settings):
    content = npz() if content is None else content
    return data.load(content, assessment(seed=seed, path=path, **settings), 1 << 20, path)


def assessment(*, seed=0, path="d.npz", **settings):
    settings = {"label": "y", "features": "x", **settings}
    return Assessment("m", ModelFile("m.onnx"), Data(path=path, **settings), seed=seed)


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
        ({}, {"path": "d.xlsx"}, "unknown-data", ".csv, .npy"),
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


def test_a_missing_value_is_nan_where_the_policy_allows_it():
    x = np.where(X[3, 2] == X, np.nan, X)
    assert np.isnan(load(npz(x), missing="allow").x).sum() == 1
    with pytest.raises(Unassessable, match="missing: allow"):
        load(npz(x))
    with pytest.raises(Unassessable, match="index"):
        load(npz(np.where(X[3, 2] == X, np.inf, X)), missing="allow")


def test_a_missing_value_reaches_the_model():
    x = np.array([[1.0, np.nan]])
    assert np.isnan(data.fit(x, Signature((None, 2), "float32"), "d.npz")).sum() == 1


def test_texts_are_asked_for():
    texts = np.array([["a", "b"]] * 30)
    loaded = load(npz(texts), kind="text")
    assert loaded.x.dtype == object
    assert loaded.distinct == 1
    with pytest.raises(Unassessable, match="say `kind: text`"):
        load(npz(texts))
    with pytest.raises(Unassessable, match="texts with one row"):
        load(kind="text")


@pytest.mark.parametrize(("shape", "wanted"), [((3, 1), (None,)), ((3, 1), (None, 1)), ((3, 2), (None, 2))])
def test_texts_are_brought_to_the_models_shape(shape, wanted):
    x = np.full(shape, "a", dtype=object)
    fitted = data.fit(x, Signature(wanted, "text"), "d.csv")
    assert fitted.shape == (3, *wanted[1:])
    assert fitted.dtype == object


@pytest.mark.parametrize(
    ("x", "dtype"), [(np.full((3, 1), "a", dtype=object), "float32"), (np.ones((3, 1)), "text")]
)
def test_texts_and_numbers_are_not_confused(x, dtype):
    with pytest.raises(Unassessable, match="the model wants"):
        data.fit(x, Signature((None, 1), dtype), "d.csv")


def grouped(values, **more):
    stream = io.BytesIO()
    np.savez(stream, x=X, y=Y, sex=np.array(values))
    entry = assessment(**more)
    subgroups = Subgroups(by="sex", accuracy=Bound(0.5))
    return data.load(stream.getvalue(), replace(entry, subgroups=subgroups), 1 << 20, "d.npz")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(30) % 2, "1"),
        (np.arange(30) % 2 * 1.0, "1"),
        (np.arange(30) % 2 == 1, "True"),
        (np.where(np.arange(30) % 2, " m", "f"), "m"),
        (np.arange(30) % 2 * 0.5, "0.5"),
    ],
)
def test_groups_become_texts(values, expected):
    assert grouped(values).groups["sex"][1] == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.where(np.arange(30) == 4, np.nan, 1.0), "missing-group"),
        (np.where(np.arange(30) == 4, "", "m"), "missing-group"),
        (np.where(np.arange(30) == 4, "m" * 300, "m"), "wrong-group"),
        (np.zeros((30, 2)), "wrong-shape"),
        (np.zeros(29), "wrong-shape"),
    ],
)
def test_a_sample_without_a_group_is_said(values, reason):
    with pytest.raises(Unassessable, match="'sex'") as caught:
        grouped(values)
    assert caught.value.reason == reason


def test_groups_follow_a_limit():
    loaded = grouped(np.arange(30), limit=20)
    assert list(loaded.groups["sex"]) == [str(sample) for sample in loaded.ids]


def test_every_column_that_names_groups_is_wanted_once():
    entry = replace(
        assessment(),
        subgroups=Subgroups(by=("sex", "age"), accuracy=Bound(0.5)),
        fairness=Fairness(group="sex", accuracy_difference=Bound(UNSET, 0.5)),
    )
    assert data.wanted(entry).groups == ("sex", "age")


def test_a_single_columns_range_is_held_to():
    ranged = (Column("2", range=(0.0, 0.5)),)
    with pytest.raises(Unassessable, match="data.columns"):
        load(columns=ranged)
    assert len(load(npz(X / 2), columns=ranged).x) == 30


def test_a_column_that_is_not_there_is_said():
    with pytest.raises(Unassessable, match="'age', which is no feature of d.npz; it has '0', '1', '2', '3'"):
        load(columns=(Column("age"),))


def test_a_file_beside_it_needs_the_same_features_and_no_groups():
    entry = replace(
        assessment(path="d.csv", features=UNSET), subgroups=Subgroups(by="g", accuracy=Bound(0.5))
    )
    text = "a,b,g,y\n" + "1,2,m,0\n" * 25
    main = data.load(text.encode(), entry, 1 << 20, "d.csv")
    assert main.names == ("a", "b")
    beside = "b,a,y,more\n" + "1,2,0,x\n" * 25
    found = data.load(beside.encode(), entry, 1 << 20, "e.csv", main.names)
    np.testing.assert_array_equal(found.x[0], [2, 1])
    with pytest.raises(Unassessable, match="e.csv has no column 'a'"):
        data.load(beside.replace("a,y", "c,y").encode(), entry, 1 << 20, "e.csv", main.names)


def test_numbers_count_as_large_as_they_become():
    """A byte becomes eight of them."""
    x = np.zeros((100, 100), np.uint8)
    entry = assessment()
    with pytest.raises(Unassessable, match=r"10000 numbers.*limits\.data_bytes"):
        data.load(npz(x, np.arange(100) % 2), entry, 20_000, "d.npz")
    assert data.load(npz(x, np.arange(100) % 2), entry, 80_000, "d.npz").x.dtype == np.float64


def test_more_samples_than_can_be_told_apart_need_a_limit(monkeypatch):
    monkeypatch.setattr("mlgate.checks.assessment.data._MOST_SAMPLES", 30)
    x, y = np.random.default_rng(0).random((40, 2)), np.arange(40) % 2
    with pytest.raises(Unassessable, match=r"40 samples; set data\.limit to at most 30"):
        load(npz(x, y))
    assert len(load(npz(x, y), limit=30).x) == 30
