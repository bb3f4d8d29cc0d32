import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports.measured import MEASURED
from tests.reports.sample import FULL, MARKUP, PROBLEMS

from mlgate.reports._detail import entries, words

FUZZ = settings(max_examples=200, deadline=None, database=None, derandomize=True)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
ROBUST = MEASURED[2].detail


def by_label(detail):
    return {entry.label: entry for entry in entries(detail)}


def test_every_key_is_shown_and_what_is_asked_first_stands_first():
    found = entries(ROBUST | {"unheard_of": 7})
    assert len(found) == len(ROBUST) + 1
    assert [entry.label for entry in found[:4]] == ["bound", "norm", "epsilon", "confidence"]
    assert found[-1].label == "unheard of"
    assert found[-1].text == "7"


def test_attacks_are_a_table_of_their_survivors():
    attacks = by_label(ROBUST)["attacks"]
    assert attacks.columns == ("", "attacked", "broken", "survived", "unconfirmed", "queries")
    assert attacks.rows[1] == ("square", "370", "58", "312", "1", "370,000")


def test_signals_of_masking_are_a_table():
    signals = by_label(ROBUST)["signals of masking"]
    assert signals.columns == ("signal", "value", "limit", "raised")
    assert signals.rows[0][-1] == "no"


def test_versions_are_names_with_values():
    assert by_label(ROBUST)["versions"].text == "mlgate: 1.2.3, numpy: 2.1.0, onnxruntime: 1.20.1"
    many = {f"package{number}": "1.2.3" for number in range(20)}
    assert ("package7", "1.2.3") in entries({"versions": many})[0].rows


def test_what_charts_draw_is_not_told_again():
    assert entries({"looks": [[1, 2, 3, 4]]}) == ()


def test_a_seed_can_be_copied():
    assert entries({"seed": 1234567})[0].text == "1234567"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (True, "yes"),
        (41_200, "41,200"),
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("a\x1bb", "a\\x1bb"),
        ([1, 2, 3], "1, 2, 3"),
        ([], "none"),
        (list(range(50)), ", ".join(map(str, range(40))) + ", 10 more"),
        ([[1, 2], [3]], "[[1, 2], [3]]"),
        (10**30, "a number of more than 18 digits"),
    ],
)
def test_values_are_words(value, expected):
    assert words(value) == expected


def test_large_values_are_cut_and_rows_are_counted():
    assert len(words("x" * 1_000_000)) == 600
    (entry,) = entries({"attacks": {str(number): {"broken": 1} for number in range(500)}})
    assert len(entry.rows) == 60
    assert entry.more == 440


def test_columns_beyond_the_table_are_told_in_the_last():
    (entry,) = entries({"rows": [{f"c{number}": number for number in range(20)}]})
    assert len(entry.columns) == len(entry.rows[0]) == 13
    assert '"c19": 19' in entry.rows[0][-1]


@FUZZ
@given(st.dictionaries(st.text(max_size=8), PLAIN, max_size=5))
def test_any_detail_is_printable_and_every_row_is_as_wide_as_its_table(detail):
    found = entries(detail)
    assert len(found) == len([key for key in detail if key != "looks"])
    for entry in found:
        assert {len(row) for row in entry.rows} <= {len(entry.columns)}
        for text in (entry.label, entry.text, *entry.columns, *(cell for row in entry.rows for cell in row)):
            assert text.isprintable()


def test_hostile_names_stay_text():
    told = str([entries(one.detail) for one in FULL.measurements])
    assert not [mark for mark in PROBLEMS if mark in told]
    assert MARKUP.split("`", maxsplit=1)[0] in told
