"""What is the same a second time is counted; what differs in anything that a rule looks at is kept."""

import io

import pytest
from tests.checks.models.pickle.hostile import text

from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.reader import Clock
from mlgate.core.limits import Limits

F = b"cacme\nf\n"
SYSTEM = b"cos\nsystem\n"
ONE = b"K\x01"
# Enough memo entries for the compact memo, made by calls that are all alike.
MANY = 60_000


def events(data, kind):
    reading = Reading(io.BytesIO(data), len(data), Limits(), Clock(100))
    reading.run()
    assert reading.streams[0].ending == "stop"
    return [event for event in reading.events if event.kind == kind]


def listed(*items):
    return b"](" + b"".join(items) + b"e"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (listed(ONE), listed(SYSTEM)),
        (listed(ONE), listed(SYSTEM + text("id") + b"\x85R")),
        (listed(SYSTEM), listed(F)),
        (listed(ONE), listed(listed(SYSTEM))),
        (listed(ONE), listed(text("os"))),
        (ONE, text("os")),
        (text("os"), text("sys")),
        (F, SYSTEM),
        (F + b")R", SYSTEM + b")R"),
        (F + b")R", F + b")\x81"),
        (b"(" + ONE + b"t", b"(" + SYSTEM + b"t"),
        (b"}", b"}(" + ONE + SYSTEM + b"u"),
    ],
)
def test_arguments_that_differ_are_both_kept(first, second):
    call = F + b"%b\x85R0"
    data = b"\x80\x02" + call % first * 3 + call % second * 2 + b"N."
    made = [event for event in events(data, "call") if event.detail["name"] == "f"]
    made = [event for event in made if event.detail["args"]]
    assert sorted(event.count for event in made) == [2, 3]


@pytest.mark.parametrize("put", [b"\x94", b""])
def test_calls_are_counted_once_the_memo_is_compact(put):
    call = b"h\x00" + listed(ONE) + put + b"\x85" + put + b"R" + put + b"0"
    data = b"\x80\x04" + F + b"\x94" + call * MANY + SYSTEM + text("id") + b"\x85" + put + b"R" + put + b"."
    assert [(event.subject, event.count) for event in events(data, "call")] == [
        ("acme.f", MANY),
        ("os.system", 1),
    ]


def test_a_result_that_the_compact_memo_holds_is_still_known_by_its_maker():
    call = b"h\x00" + ONE + b"\x85\x94R\x94"
    data = b"\x80\x04" + F + b"\x94" + (call + b"0") * MANY
    last = 2 * MANY + 2
    data += b"h\x00" + ONE + b"\x85\x94R\x940j" + last.to_bytes(4, "little") + b")R."
    assert [event.subject for event in events(data, "computed-callee")] == ["acme.f"]


def test_instances_and_their_states_are_counted():
    data = b"\x80\x02" + (F + b")\x81}" + text("a") + ONE + b"sb0") * 5 + (F + b")\x81Nb0") * 2 + b"N."
    assert [event.count for event in events(data, "instance")] == [7]
    assert [(event.count, event.detail["value"]["type"]) for event in events(data, "fill")] == [
        (5, "dict"),
        (2, "none"),
    ]


def test_a_second_state_calls_what_the_first_may_have_set():
    data = b"\x80\x02" + (F + b")\x81Nb0") * 3 + F + b")\x81NbNb."
    assert [event.subject for event in events(data, "computed-callee")] == ["acme.f"]


def test_an_array_of_joblib_after_many_instances_is_still_one():
    wrapper = b"cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}" + text("filename") + text("/etc/passwd") + b"sb"
    data = b"\x80\x02" + (wrapper + b"0") * 3 + b"N."
    assert [event.count for event in events(data, "external-array")] == [3]
