from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.models.text import Lines, line_of


@settings(deadline=None, database=None, derandomize=True, max_examples=100)
@given(st.text(alphabet="a\n", max_size=30), st.lists(st.integers(0, 30), max_size=10))
def test_lines_of_places_in_any_order(text, offsets):
    lines = Lines(text)
    for offset in offsets:
        assert lines.at(offset) == line_of(text, offset)
