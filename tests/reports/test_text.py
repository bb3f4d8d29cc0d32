import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports.sample import BIDI, ESCAPE

from mlgate.core.facts import Location
from mlgate.reports import _text as text

ANYTHING = st.text(alphabet=st.characters(), max_size=80) | st.text(
    alphabet=st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn", "Lo"]), max_size=20
)
FUZZ = settings(max_examples=300, deadline=None, database=None, derandomize=True)


@FUZZ
@given(ANYTHING)
def test_printable_text_is_one_line_that_hides_and_moves_nothing(raw):
    shown = text.printable(raw)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@FUZZ
@given(ANYTHING)
def test_printable_text_stays_as_it_is_the_second_time(raw):
    assert text.printable(text.printable(raw)) == text.printable(raw)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("gewöhnlich 模型 🙂", "gewöhnlich 模型 🙂"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        (ESCAPE, "\\x1b[31mred\\x1b[0m\\x1b]0;title\\x07"),
        (BIDI, "invoice\\u202egnp.exe"),
        ("\x9b2J", "\\x9b2J"),
        ("\ud800", "\\ud800"),
        ("a\u3164b\ufe0f", "a\\u3164b\\ufe0f"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u00a0b", "a\\xa0b"),
    ],
)
def test_what_cannot_be_shown_is_written_out(raw, shown):
    assert text.printable(raw) == shown


@FUZZ
@given(st.text(max_size=300), st.integers(1, 8), st.integers(1, 40))
def test_an_excerpt_is_bounded(raw, lines, width):
    cut = text.excerpt(raw, lines=lines, width=width)
    assert len(cut) <= lines + 1
    assert all(len(line) <= width and line.isprintable() for line in cut[:lines])


def test_an_excerpt_says_what_it_left_out():
    assert text.excerpt("a\nb\nc\nd", lines=2, width=10) == ("a", "b", "… 2 more lines")


def test_an_excerpt_keeps_indentation_and_does_not_break_on_other_line_separators():
    assert text.excerpt("if x:\r\n\ty\u2028z\n", lines=9, width=40) == ("if x:", "    y\\u2028z")


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (Location("a.txt"), ""),
        (Location("a.txt", line=3), "line 3"),
        (Location("a.pkl", offset=0), "byte 0"),
        (Location("a.zip", member="in\nner", offset=9), "in\\nner, byte 9"),
    ],
)
def test_a_place_is_named_in_words(location, words):
    assert text.place(location) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes_are_in_binary_units(count, words):
    assert text.size(count) == words


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (float("nan"), "–"), (0.12345, "0.123"), (1, "1.000")]
)
def test_a_figure_has_three_decimals_or_is_a_dash(value, words):
    assert text.figure(value) == words


@pytest.mark.parametrize(
    ("started", "words"),
    [
        ("2026-01-15T10:20:30Z", "2026-01-15 10:20:30 UTC"),
        ("2026-01-15T10:20:30+00:00", "2026-01-15 10:20:30 UTC"),
        ("", ""),
        ("whenever", "whenever"),
    ],
)
def test_a_moment_is_said_in_utc(started, words):
    assert text.moment(started) == words
