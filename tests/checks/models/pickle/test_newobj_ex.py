"""Instances with keyword arguments below protocol 4, and what only looks like one."""

import pickle

import pytest
from tests.checks.models.building import called, judged, kinds, look

from mlgate.core.severity import Severity


class Word(str):
    """Takes keyword arguments when it is made again."""

    __slots__ = ("more",)

    def __new__(cls, text, *, more=0):
        made = super().__new__(cls, text)
        made.more = more
        return made

    def __getnewargs_ex__(self):
        return (str(self),), {"more": self.more}


def grave(data):
    return {each.rule for each in judged(look(data, "a.pkl")) if each.severity >= Severity.HIGH}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_it_is_an_instance_like_any_other(protocol):
    data = pickle.dumps([Word("a", more=1), Word("b", more=2)], protocol)
    assert [str(each) for each in pickle.loads(data)] == ["a", "b"]
    seen = look(data, "a.pkl")
    instances = [fact for fact in seen.facts if fact.kind == "pickle.instance"]
    assert sum(fact.count for fact in instances) == 2
    assert all(fact.subject.endswith("Word") for fact in instances)
    assert "pickle.computed-callee" not in kinds(seen)
    assert not {each for each in grave(data) if each != "MLG-PKL-005"}


PARTIAL = b"cfunctools\npartial\n"
NEW = b"c__builtin__\ngetattr\n(ccollections\nUserList\nX\x07\0\0\0__new__tR"
START = b"\x80\x02" + PARTIAL + NEW + b"q\0\x85R"


def stream(state, more=b""):
    return START + b"(" + state + b"tb" + more + b")R."


def test_the_idiom_by_hand():
    data = stream(b"h\0ccollections\nUserList\n\x85}N")
    assert "pickle.computed-callee" not in kinds(look(data))
    assert not grave(data)


@pytest.mark.parametrize(
    "data",
    [
        # Another function, another class, attributes, a second state, no state, arguments.
        stream(b"c__builtin__\nprint\nccollections\nUserList\n\x85}N"),
        stream(b"h\0cacme\nEvil\n\x85}N"),
        stream(b"h\0K\x01\x85}N"),
        stream(b"h\0ccollections\nUserList\n\x85}}"),
        stream(b"h\0ccollections\nUserList\n\x85}N", b"(c__builtin__\nprint\n)}Ntb"),
        stream(b"h\0ccollections\nUserList\n\x85}N", b"N\x85b"),
        START + b")R.",
        START + b"(h\0ccollections\nUserList\n\x85}NtbK\x01\x85R.",
        # A function that is given another state before it is used.
        START[:-2].replace(b"q\0", b"}bq\0") + b"\x85R(h\0ccollections\nUserList\n\x85}Ntb)R.",
    ],
)
def test_what_only_looks_like_it(data):
    assert "pickle.computed-callee" in kinds(look(data))
    assert "MLG-PKL-011" in grave(data)


def test_what_is_made_so_is_judged():
    data = stream(b"h\0ccollections\nUserList\n\x85}N").replace(
        b"collections\nUserList", b"subprocess\nPopen"
    )
    assert "subprocess.Popen" in {fact.subject for fact in look(data).facts if fact.kind == "pickle.instance"}
    assert grave(data)
    assert "functools.partial" in called(look(data))
