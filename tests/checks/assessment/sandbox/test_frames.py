"""Frames: what is sent is received, and anything else is refused."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.assessment.sandbox import frames

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)


@FUZZ
@given(st.dictionaries(st.text().filter(lambda key: key != "size"), st.integers() | st.text()), st.binary())
def test_what_is_packed_is_received(header, body):
    stream = io.BytesIO(frames.pack(header, len(body)) + body)
    assert frames.receive(stream) == (header, body)
    assert frames.receive(stream) is None


@FUZZ
@given(st.binary(min_size=1, max_size=64))
def test_any_bytes_are_a_frame_or_refused(data):
    with suppress(frames.FrameError):
        frames.receive(io.BytesIO(data))


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b'{"size": -1}',
        b'{"size": true}',
        b'{"size": "1"}',
        b"nonsense",
        b"[" * 100_000,
        b"\xff\xff",
    ],
)
def test_a_header_without_a_size_is_refused(text):
    with pytest.raises(frames.FrameError):
        frames.unpack(text)


def test_a_header_of_impossible_length_is_refused():
    with pytest.raises(frames.FrameError, match="length"):
        frames.header_length(b"\xff\xff\xff\xff")


def test_a_frame_that_ends_early_is_refused():
    whole = frames.pack({}, 4) + b"1234"
    with pytest.raises(frames.FrameError, match="ends"):
        frames.receive(io.BytesIO(whole[:-1]))


ARRAYS = {
    "single": np.arange(6, dtype=np.float32).reshape(2, 3),
    "double": np.array([1.5, -2.0]),
    "wide": np.array([[1 << 40]]),
    "narrow": np.array([-3], np.int32),
    "short": np.array([7], np.int16),
    "truth": np.array([True, False]),
    "nothing": np.zeros((0, 4)),
    "alone": np.float64(3.0).reshape(()),
    "texts": np.array([["a", ""], ["\u00e4\n\0", "\U0001f600"]], dtype=object),
    "turned": np.arange(6.0).reshape(2, 3).T,
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_arrive_as_they_were(name):
    described, parts = frames.describe({name: ARRAYS[name], "other": ARRAYS["double"]})
    received = frames.arrays({"arrays": described}, b"".join(parts))
    np.testing.assert_array_equal(received[name], ARRAYS[name])
    assert received[name].shape == ARRAYS[name].shape
    assert received[name].dtype.kind == ARRAYS[name].dtype.kind
    np.testing.assert_array_equal(received["other"], ARRAYS["double"])


@FUZZ
@given(st.lists(st.text(), max_size=8))
def test_any_texts_arrive(texts):
    given_array = np.array([*texts, None], dtype=object)[:-1]
    described, parts = frames.describe({"t": given_array})
    received = frames.arrays({"arrays": described}, b"".join(parts))["t"]
    assert received.tolist() == texts


NUMBER = (
    st.integers(-2, 5)
    | st.sampled_from([1 << 39, (1 << 40) - 1])
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.none()
)
ENTRY = st.tuples(
    st.text(max_size=2) | NUMBER,
    st.sampled_from(["<f4", "<f8", "<i4", "<i8", "|b1", "text", "|O8", "<U4", "V"]) | NUMBER,
    st.lists(NUMBER, max_size=10) | NUMBER | st.text(max_size=2),
    NUMBER,
).map(list)


@FUZZ
@given(st.lists(ENTRY | st.lists(NUMBER, max_size=5) | NUMBER, max_size=3) | NUMBER, st.binary(max_size=40))
def test_any_description_gives_arrays_or_is_refused(described, body):
    with suppress(frames.FrameError):
        for array in frames.arrays({"arrays": described}, body).values():
            assert not array.flags.writeable or array.dtype == object
            assert array.nbytes <= max(len(body), 8 * len(body))


@FUZZ
@given(st.binary(max_size=40), st.lists(st.integers(0, 4), max_size=3))
def test_any_bytes_are_texts_or_refused(body, shape):
    with suppress(frames.FrameError):
        found = frames.arrays({"arrays": [["t", "text", shape, len(body)]]}, body)["t"]
        assert found.shape == tuple(shape)
        assert all(isinstance(text, str) for text in found.reshape(-1))


@pytest.mark.parametrize(
    ("described", "body", "said"),
    [
        (7, b"", "describes no arrays"),
        ([["x", "<f8", [1], 8]] * 33, bytes(8 * 33), "describes no arrays"),
        ([["x", "<f8", [1]]], bytes(8), "not described"),
        ([["x", "|O8", [1], 8]], bytes(8), "not its size"),
        ([["x", "<f8", [2], 8]], bytes(8), "not its size"),
        ([["x", "<f8", [1] * 9, 8]], bytes(8), "not its size"),
        ([["x", "<f8", [True], 8]], bytes(8), "not its size"),
        ([["x", "<f8", [1], 8]], bytes(7), "longer than the body"),
        ([["x", "<f8", [1], 8]], bytes(9), "longer than its arrays"),
        ([["x", "<f8", [0, 1 << 39, 1 << 39], 0]], b"", "impossible shape"),
        ([["x", "text", [1 << 39, 1 << 39, 0, 2], 0]], b"", "impossible shape"),
        ([["x", "text", [1], 5]], b"\0\0\0\2a", "longer than its array"),
        ([["x", "text", [2], 5]], b"\0\0\0\1a", "not as many texts"),
        ([["x", "text", [1], 3]], b"\0\0\1", "longer than its array"),
    ],
)
def test_what_is_no_description_is_said(described, body, said):
    with pytest.raises(frames.FrameError, match=said):
        frames.arrays({"arrays": described}, body)


def test_more_texts_than_somebody_may_send_are_not_made():
    """An empty one takes four bytes on the way, and ten times as many here."""
    described, parts = frames.describe({"link": np.array(["a", "b"], dtype=object)})
    with pytest.raises(frames.FrameError, match="more than 1 texts"):
        frames.arrays({"arrays": described}, parts[0], most_texts=1)
    assert len(frames.arrays({"arrays": described}, parts[0], most_texts=2)["link"]) == 2
