"""jsonpickle: what a JSON text makes its loader call, and what is only data."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, look

SYSTEM = {"py/function": "os.system"}
POPEN = {"py/type": "subprocess.Popen"}
CALL = {"py/reduce": [SYSTEM, {"py/tuple": ["true"]}]}
HOSTILE = {
    "a reduction": (CALL, "os.system"),
    "a reduction of a class": ({"py/reduce": [POPEN, {"py/tuple": [["true"]]}]}, "subprocess.Popen"),
    "deep inside": ({"a": [1, {"b": [CALL]}]}, "os.system"),
    "beside an object": ({"py/object": "acme.Model", "state": CALL}, "os.system"),
    "a constructor": (
        {"py/object": "subprocess.Popen", "py/newargs": {"py/tuple": [["true"]]}},
        "subprocess.Popen",
    ),
    "arguments first": (
        {"py/newargsex": [[["true"]], {}], "py/object": "subprocess.Popen"},
        "subprocess.Popen",
    ),
    "an expression": ({"py/repr": "os/os.system('true')"}, "builtins.eval"),
}
HONEST = [
    {"py/object": "datetime.datetime", "__reduce__": [{"py/type": "datetime.datetime"}, ["B+Q="]]},
    {"py/reduce": [{"py/type": "collections.OrderedDict"}, {"py/tuple": []}]},
    {"kind": {"py/type": "sklearn.svm.SVC"}},
    {"text": "py/object is a key of jsonpickle"},
    {"py/tuple": [1, 2]},
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_called_is_found(name):
    document, subject = HOSTILE[name]
    seen = look(json.dumps(document, indent=1).encode(), "state.json")
    found = [(each.rule, each.severity.value, each.subject) for each in judged(seen)]
    assert [each for each in found if each[1] != "medium"] == [("MLG-JSP-001", "critical", subject)]
    assert format_of(seen) == "jsonpickle"


@pytest.mark.parametrize(
    "document",
    [
        {"py/object": "acme.Model", "weights": [1.0, 2.0], "name": "x"},
        {"kind": {"py/type": "acme.Model"}},
        {"kind": {"py/function": "acme.Model"}},
    ],
)
def test_looking_up_what_nobody_knows_imports_it(document):
    seen = look(json.dumps(document).encode(), "state.json")
    assert [(each.severity.value, each.subject) for each in judged(seen)] == [("medium", "acme.Model")]


@pytest.mark.parametrize(
    "escape",
    [
        lambda text: text.replace("py/", "py\\/").replace("os.system", "os.\\u0073ystem"),
        lambda text: text.replace("py/", "\\u0070y/").replace("reduce", "red\\u0075ce"),
        lambda text: text.replace("py/", "p\\u0079\\u002F").replace("function", "functio\\u006e"),
        lambda text: re.sub(r"[a-z/](?=[^{}]*\":)", lambda letter: f"\\u{ord(letter[0]):04x}", text),
    ],
)
def test_escapes_hide_nothing(escape):
    text = escape(json.dumps(CALL))
    assert json.loads(text) == json.loads(json.dumps(CALL))
    assert [each.subject for each in judged(look(text.encode(), "a.json"))] == ["os.system"]


@pytest.mark.parametrize("document", HONEST)
def test_data_is_left_in_peace(document):
    assert [
        each for each in judged(look(json.dumps(document).encode(), "a.json")) if each.severity.rank > 1
    ] == []


def test_it_stands_at_its_line():
    facts = look(json.dumps({"a": 1, "b": CALL}, indent=1).encode(), "a.json").facts
    (line,) = {fact.location.line for fact in facts if fact.kind == "jsonpickle.object"}
    assert line == 6


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 80))
def test_rubbish_is_read_or_declined(rubbish, at):
    whole = json.dumps(CALL).encode()
    look(whole[:at] + rubbish + whole[at:], "a.json")
