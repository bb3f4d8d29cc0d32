import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.models.json_members import DEEPEST, Malformed, Member, begins_json, members, mentions
from mlgate.checks.models.reader import Clock, LimitReached


def read(text):
    return list(members(text, Clock(60)))


def flat(value, path=()):
    """The scalars of a document, by recursion."""
    if isinstance(value, list | Pairs):
        steps = enumerate(value) if isinstance(value, list) else value.pairs
        for step, inner in steps:
            yield from flat(inner, (*path, step))
    else:
        yield path, value


class Pairs:
    def __init__(self, pairs):
        self.pairs = pairs


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_scalar_is_seen(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    expected = list(flat(json.loads(text, object_pairs_hook=Pairs)))
    assert repr([(each.path, each.value) for each in read(text)]) == repr(expected)


def test_a_key_twice_is_seen_twice():
    assert [each.value for each in read('{"a": 1, "a": 2}')] == [1, 2]


def test_offsets_are_those_of_the_values():
    text = '{ "a" : [ true , "x" ] }'
    assert [text[each.offset] for each in read(text)] == ["t", '"']
    assert read("3") == [Member((), 3, 0)]


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet='{}[]:,"\\u0041 1-e.+truefalsnN\n\x01', max_size=40))
def test_what_json_loads_accepts_is_accepted_and_nothing_else(text):
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(Malformed):
            read(text)
    else:
        read(text)


def test_depth_is_limited():
    assert read("[" * DEEPEST + "]" * DEEPEST) == []
    with pytest.raises(LimitReached):
        read("[" * (DEEPEST + 1))


def test_a_number_longer_than_python_converts():
    (member,) = read("9" * 5000)
    assert member.value == "9" * 5000


def test_mentions_sees_through_escapes():
    assert mentions('{"auto_map": 1}', ["auto_map"])
    assert mentions('{"aut\\u006f_map": 1}', ["auto_map"])
    assert not mentions('{"vocab": "\\u0120the"}', ["auto_map"])


@pytest.mark.parametrize("head", [b"{", b" \n[", b"\xef\xbb\xbf{", b'\xff\xfe{\0"\0', b" " * 4096])
def test_what_could_begin_a_document(head):
    assert begins_json(head)
    assert not begins_json(b"x" + head)
    assert not begins_json(bytes(4096))


def test_many_scalars_far_down_are_a_limit_and_not_a_wait():
    inner = ",".join(["1"] * 100_000)
    with pytest.raises(LimitReached):
        list(members("[" * 900 + inner + "]" * 900, Clock(100)))
    assert len(list(members("[" * 30 + inner + "]" * 30, Clock(100)))) == 100_000
