import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.models.stream import Window, chunks, printable, window

DATA = bytes(range(100))


def test_a_window_is_a_part_of_its_parent():
    part = window(io.BytesIO(DATA), 10, 20)
    assert part.read() == DATA[10:30]
    assert part.seek(-5, io.SEEK_END) == 15
    assert part.read(100) == DATA[25:30]
    assert part.read() == b""
    part.seek(100)
    assert (part.read(), part.tell()) == (b"", 100)
    with pytest.raises(ValueError, match="before the start"):
        part.seek(-1)


def test_windows_share_a_parent():
    parent = io.BytesIO(DATA)
    first, second = window(parent, 0, 10), window(parent, 50, 10)
    assert [first.read(5), second.read(5), first.read(5), second.read(5)] == [
        DATA[:5],
        DATA[50:55],
        DATA[5:10],
        DATA[55:60],
    ]


@settings(deadline=None, database=None, derandomize=True, max_examples=100)
@given(*(st.integers(0, 120) for _ in range(4)))
def test_a_window_on_a_window_never_sees_more(start, size, inner, length):
    outer = Window(io.BytesIO(DATA), start, size)
    nested = Window(outer, inner, length)
    assert nested.read() == DATA[start : start + size][inner : inner + length]
    assert isinstance(nested.parent, io.BytesIO)


def test_a_window_can_be_buffered():
    assert io.BufferedReader(Window(io.BytesIO(DATA), 3, 4)).read() == DATA[3:7]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ("a\x1bb", "a\\x1bb"),
        ("a\nb\udc80", "a\\nb\\udc80"),
        ("x" * 600, "x" * 500 + "..."),
    ],
)
def test_names_can_be_printed(text, shown):
    assert printable(text) == shown


def test_pieces_grow():
    data = bytes(range(256)) * 8
    pieces = list(chunks(io.BytesIO(data), 5, 2000, first=100))
    assert [len(piece) for piece in pieces] == [100, 200, 400, 800, 500]
    assert b"".join(pieces) == data[5:2005]
