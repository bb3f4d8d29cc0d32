import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons


def symbol(*nodes, **more):
    return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]], **more}).encode()


DATA = {"op": "null", "name": "data", "inputs": []}
DENSE = {"op": "FullyConnected", "name": "fc", "attrs": {"num_hidden": "10"}, "inputs": [[0, 0, 0]]}
CUSTOM = {"op": "Custom", "name": "c", "attrs": {"op_type": "my_softmax"}, "inputs": []}


def hits(data, name="m-symbol.json"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data, name))]


def test_ordinary_graphs_and_parameters():
    seen = look(symbol(DATA, DENSE), "m-symbol.json")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("mxnet-symbol", (), ())
    parameters = (0x112).to_bytes(8, "little") + bytes(8) + NOISE
    seen = look(parameters, "m-0000.params")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("mxnet-params", (), ())


@pytest.mark.parametrize(
    ("node", "subject"),
    [
        (CUSTOM, "my_softmax"),
        ({"op": "Custom", "name": "c"}, "Custom"),
        ({"attrs": {"op_type": "x"}, "name": "c", "op": "Custom"}, "x"),
        ({"op": "Custom", "param": {"op_type": "old"}}, "old"),
        ({"op": "_Native", "attrs": {"info": "0x1"}}, "0x1"),
    ],
)
def test_operators_that_call_python(node, subject):
    for name in ("m-symbol.json", "other.txt"):
        assert hits(symbol(DATA, node, DENSE), name) == [("MLG-NAT-001", "medium", subject)]
    assert hits(symbol(DATA, node).replace(b"Custom", b"\\u0043ustom")) == [
        ("MLG-NAT-001", "medium", subject)
    ]


@pytest.mark.parametrize("key", ["op", "name"])
def test_names_that_are_too_long(key):
    assert [hit[:2] for hit in hits(symbol(DATA, DENSE | {key: "a" * 2000}))] == [("MLG-NAT-003", "medium")]
    assert hits(symbol(DATA, DENSE | {key: "a" * 900})) == []


@pytest.mark.parametrize(
    "data", [b"{}", b'{"arg_nodes": 5}', b'{"nodes": [{"op": "Custom"}]}', symbol(CUSTOM)[:-1]]
)
def test_other_documents_are_left_alone(data):
    assert not kinds(look(data, "m-symbol.json"))


def test_what_is_noted_is_bounded():
    nodes = [{"op": "Custom", "attrs": {"op_type": f"o{at}"}} for at in range(60)]
    assert reasons(look(symbol(*nodes), facts=30)) == {"limit"}
    assert reasons(look(symbol(DATA), "m-symbol.json", text_bytes=20)) == {"limit"}


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, 400), st.text(max_size=9), st.integers(0, 30))
def test_whatever_the_text_is_the_reader_ends(at, new, length):
    seed = symbol(DATA, CUSTOM, DENSE).decode()
    data = seed[:at] + new + seed[at + length :]
    assert "reader-failed" not in reasons(look(data.encode("utf-8", "surrogatepass"), "m-symbol.json"))
