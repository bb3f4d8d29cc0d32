"""npz archives: what is read, and what is refused before it costs anything."""

import io
import pickle
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.datasets import npz
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.table import Columns

FUZZ = settings(max_examples=300, deadline=None, database=None, derandomize=True)
MOST = 1 << 20
X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.arange(6)


def archive(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def raw(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(f"{name}.npy", data)
    return stream.getvalue()


def npy(array, **changes):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **changes)
    return stream.getvalue()


def read(data, features=("x",), label="y", most=MOST):
    return npz.read(data, Columns(label, features), most, "d.npz")


@pytest.mark.parametrize(
    "x", [X, X.astype(">f8"), np.asfortranarray(X), X.astype(np.int16), X.reshape(6, 2, 2), X > 3]
)
def test_arrays_come_out_as_they_went_in(x):
    table = read(archive(x=x, y=Y))
    np.testing.assert_array_equal(table.x, x)
    np.testing.assert_array_equal(table.y, Y)


def test_the_only_other_array_has_the_features():
    np.testing.assert_array_equal(read(archive(data=X, y=Y), features=None).x, X)


def test_labels_may_be_text():
    assert list(read(archive(x=X, y=np.array(list("abcabc")))).y) == list("abcabc")


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_both_versions_are_read(version):
    np.testing.assert_array_equal(read(raw(x=npy(X, version=version), y=npy(Y))).x, X)


@pytest.mark.parametrize(
    ("data", "features", "reason", "words"),
    [
        (archive(x=X), ("x",), "missing-array", "'y'"),
        (archive(y=Y, z=X), ("x",), "missing-array", "'z'"),
        (archive(x=X, z=X, y=Y), None, "wrong-features", "data.features"),
        (archive(y=Y), None, "wrong-features", "data.features"),
        (archive(x=X, y=Y), ("x", "y"), "wrong-features", "one array"),
        (b"PK\x03\x04 truncated", ("x",), "unreadable-data", "npz"),
        (archive(x=X, y=Y)[:-30], ("x",), "unreadable-data", "npz"),
        (raw(x=b"nonsense", y=npy(Y)), ("x",), "unreadable-data", "header"),
        (raw(x=npy(X)[:-1], y=npy(Y)), ("x",), "truncated", "bytes"),
        (raw(x=npy(X) + b"\0", y=npy(Y)), ("x",), "truncated", "bytes"),
        (archive(x=X.astype(complex), y=Y), ("x",), "wrong-type", "c16"),
        (archive(x=np.zeros(6, "M8[s]"), y=Y), ("x",), "wrong-type", "M8"),
        (archive(x=np.zeros((0, 4)), y=Y), ("x",), "truncated", "0 bytes"),
        (archive(x=np.zeros(6, [("a", "f4")]), y=Y), ("x",), "unreadable-data", "plain array"),
    ],
)
def test_what_is_wrong_is_said(data, features, reason, words):
    with pytest.raises(Unassessable, match=words) as caught:
        read(data, features)
    assert caught.value.reason == reason
    assert "d.npz" in caught.value.message


class Marker:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_pickled_objects_are_never_loaded(tmp_path):
    marker = tmp_path / "marker"
    hostile = np.empty(1, object)
    hostile[0] = Marker(str(marker))
    body = npy(np.zeros(1))[:-8].replace(b"'<f8'", b"'|O' ") + pickle.dumps(hostile[0])
    with pytest.raises(Unassessable) as caught:
        read(raw(x=body, y=npy(Y)))
    assert caught.value.reason == "wrong-type"
    assert not marker.exists()


def test_a_bomb_is_not_inflated(monkeypatch):
    real = zipfile.ZipExtFile.read

    def bounded(stream, n=-1):
        assert 0 <= n <= MOST + 1
        return real(stream, n)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", bounded)
    with pytest.raises(Unassessable, match="limits.data_bytes") as caught:
        read(raw(x=bytes(64 << 20), y=npy(Y)))
    assert caught.value.reason == "limit"


def test_a_header_that_promises_the_world_is_not_believed():
    header = npy(X).replace(b"(6, 4)", b"(6, 9)")
    with pytest.raises(Unassessable) as caught:
        read(raw(x=header, y=npy(Y)))
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize("shape", [b"(-6, -4), ", b"(10**99,), ", b"'xxxxxx', ", b"(6.0, 4), "])
def test_a_strange_shape_is_refused(shape):
    body = npy(X).replace(b"(6, 4), ", shape)
    with pytest.raises(Unassessable):
        read(raw(x=body, y=npy(Y)))


@FUZZ
@given(st.data())
def test_a_damaged_archive_is_read_or_refused(data):
    whole = bytearray(raw(x=npy(X), y=npy(Y)) if data.draw(st.booleans()) else archive(x=X, y=Y))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unassessable):
        read(bytes(whole[: data.draw(st.integers(len(whole) - 60, len(whole)))]))


@FUZZ
@given(st.binary(max_size=200))
def test_any_member_is_read_or_refused(body):
    with suppress(Unassessable):
        read(raw(x=b"\x93NUMPY\x01\x00" + body, y=npy(Y)))


HEADER = st.builds(
    "{{'descr': '{}{}', 'fortran_order': {}, 'shape': ({}), }}\n".format,
    st.sampled_from("<>|="),
    st.sampled_from(["f4", "f8", "f3", "U0", "U1", "b1", "b2", "i8", "O", "V4", "M8[s]", "f999999999", ""]),
    st.sampled_from(["True", "False", "1"]),
    st.sampled_from(["", "1", "1,", ",", "24,", "6, 4", "6,,4", "0, 4", "1, " * 40, "9" * 30, "6 4"]),
)


@FUZZ
@given(st.text(max_size=120) | HEADER)
def test_any_header_is_read_or_refused(text):
    body = text.encode()
    with suppress(Unassessable):
        read(raw(x=b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body, y=npy(Y)))


def test_an_archive_of_very_many_arrays_is_not_listed(monkeypatch):
    monkeypatch.setattr(npz, "_MOST_ENTRIES", 3)
    with pytest.raises(Unassessable, match="more than 3 arrays") as caught:
        npz.read(raw(**{f"a{number}": b"" for number in range(4)}), Columns("y", ("x",)), MOST, "d.npz")
    assert caught.value.reason == "limit"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_numpy_does_not_write_is_not_unpacked(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as out:
        out.writestr("x.npy", npy(X))
        out.writestr("y.npy", npy(Y))
    with pytest.raises(Unassessable, match="NumPy does not use"):
        npz.read(stream.getvalue(), Columns("y", ("x",)), MOST, "d.npz")


def test_an_array_of_more_dimensions_than_numpy_has_is_refused():
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1,' * 65}), }}".encode()
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(4)
    with pytest.raises(Unassessable) as caught:
        npz.read(raw(x=data, y=npy(Y)), Columns("y", ("x",)), MOST, "d.npz")
    assert caught.value.reason == "unreadable-data"


def test_groups_and_texts_are_read():
    data = archive(x=X, y=Y, sex=np.array(["f", "m"] * 3))
    table = npz.read(data, Columns("y", None, ("sex",)), MOST, "d.npz")
    np.testing.assert_array_equal(table.x, X)
    assert list(table.groups["sex"]) == ["f", "m"] * 3
    with pytest.raises(Unassessable, match="no array 'age' to name groups"):
        npz.read(data, Columns("y", ("x",), ("age",)), MOST, "d.npz")
