import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.prose import Block, blocks, set_plain

SAMPLE = """
    First line
    goes on.

    - one `thing`
      more of it
    * two

    ```python
    if x:

        y()
    ```
    After.
    """


def test_prose_is_split_into_paragraphs_items_and_code():
    assert blocks(SAMPLE) == (
        Block("text", "First line goes on."),
        Block("item", "one `thing` more of it"),
        Block("item", "two"),
        Block("code", "if x:\n\n    y()"),
        Block("text", "After."),
    )


def test_a_fence_that_never_closes_is_code_to_the_end():
    assert blocks("a\n```\nb\n\nc") == (Block("text", "a"), Block("code", "b\n\nc"))


def test_a_longer_fence_holds_a_shorter_one():
    assert blocks("````\n```\n````") == (Block("code", "```"),)


@pytest.mark.parametrize("empty", ["", "\n \n", "```\n```"])
def test_nothing_is_no_block(empty):
    assert blocks(empty) == ()


def test_prose_is_set_with_its_lead_and_indent():
    assert set_plain("one two three\n\n- four", 12, "  ", "> ") == ["> one two", "  three", "  - four"]


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.text(alphabet="ab `-*\n", max_size=200), st.integers(12, 80))
def test_no_line_is_wider_than_asked(markdown, width):
    assert all(len(line) <= width for line in set_plain(markdown, width, "  "))
