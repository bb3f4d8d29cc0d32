"""Frames: what is sent is received, and anything else is refused."""

import io
from contextlib import suppress

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
