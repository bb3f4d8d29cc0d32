import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.formats.test_onnx import message, number

from mlgate.checks.models.formats._messages import (
    NUMBER,
    NUMBERS,
    TEXT,
    VALUE,
    events,
    text_events,
)
from mlgate.checks.models.formats._onnx import SCHEMA
from mlgate.checks.models.formats._outline import outline
from mlgate.checks.models.formats._wire import Malformed, Wire
from mlgate.checks.models.reader import HEAD, Blob, Clock
from mlgate.core.facts import Location

SMALL = {
    "root": {1: ("inner", "inner"), 2: ("name", TEXT), 3: ("count", NUMBER), 4: ("sides", NUMBERS)},
    "inner": {1: ("inner", "inner"), 2: ("name", TEXT)},
}
BOUNDED = settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)


def blob(data):
    return Blob(location=Location("m"), stream=io.BytesIO(data), size=len(data), head=data[:HEAD], name="m")


def from_bytes(data, schema=SMALL, root="root", **more):
    found = []
    broken = False
    try:
        stream = events(Wire(io.BytesIO(data), Clock(60)), 0, len(data), schema, root, **more)
        found.extend((each.act, each.message, each.field, each.value) for each in stream)
    except Malformed:
        broken = True
    return found, broken


def from_text(text, schema=SMALL, root="root"):
    found = []
    broken = 0
    try:
        stream = text_events(text, schema, root, Clock(60))
        found.extend((each.act, each.message, each.field, each.value) for each in stream)
    except Malformed as malformed:
        broken = malformed.offset
    return found, broken


def values(found):
    return [(field, value) for act, _, field, value in found if act == VALUE]


def test_fields_that_the_schema_lacks_or_has_otherwise_are_stepped_over():
    data = number(1, 5) + message(3, "x") + number(2, 7) + message(9, "x") + b"\x25abcd" + message(2, "y")
    assert values(from_bytes(data)[0]) == [("name", "y")]


def test_numbers_may_be_packed():
    assert values(from_bytes(message(4, b"\1\x80\2") + number(4, 3))[0]) == [
        ("sides", 1),
        ("sides", 256),
        ("sides", 3),
    ]
    assert values(from_bytes(message(4, b"\1\x80"))[0]) == [("sides", 1)]


def test_a_message_that_runs_past_the_end_is_read_to_it():
    data = message(1, message(2, "a"), message(1, message(2, "b"), message(2, "c" * 50)))
    found, broken = from_bytes(data[:-56])
    assert broken
    assert values(found) == [("name", "a")]
    found, broken = from_bytes(data[:-10])
    assert broken
    assert values(found) == [("name", "a"), ("name", "b"), ("name", "c" * 40)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: \"a\" 'b'", [("name", "ab")]),
        (r'name: "\101\x42\n\"\u00e9\q"', [("name", 'AB\n"éq')]),
        ("count: 5, sides: [1, 2]; sides: 0x10", [("count", 5), ("sides", 1), ("sides", 2), ("sides", 16)]),
        ('count: -3 name: "x"', [("count", -3), ("name", "x")]),
        ("count: NAME", [("count", "NAME")]),
        ('inner { name: "a" } inner < name: "b" >', [("name", "a"), ("name", "b")]),
        ('inner: [{ name: "a" }, < name: "b" >] name: "c"', [("name", "a"), ("name", "b"), ("name", "c")]),
        ('[a.b/c.d] { name: "x" } other { inner { name: "y" } } name: "z"', [("name", "z")]),
        ("# a comment { \nname: 'x' # another\n", [("name", "x")]),
        ("sides: [] name: 'x'", [("name", "x")]),
        ("count: 99999999999999999999999999", [("count", 99999999999999999999999999)]),
        ("count: " + "9" * 5000, [("count", "9" * 5000)]),
    ],
)
def test_texts(text, expected):
    found, broken = from_text(text)
    assert not broken
    assert values(found) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\n", 1),
        ("name: 'a'\n\ninner {\n", 4),
        ("}", 1),
        ('name: "a\n"', 1),
        ("name:", 1),
        ("\n\n= 5", 1),
        ("name 'x'", 1),
        ("inner: [", 1),
        ("inner: { ] }", 1),
    ],
)
def test_texts_that_are_no_messages(text, line):
    assert from_text(text)[1] >= line


def test_a_schema_has_what_the_other_form_has():
    onnx = pytest.importorskip("onnx")
    descriptors = {"model": onnx.ModelProto.DESCRIPTOR}
    todo = ["model"]
    while todo:
        kind = todo.pop()
        for at, (name, holds) in SCHEMA[kind].items():
            field = descriptors[kind].fields_by_number[at]
            assert field.name == name
            assert (field.message_type is not None) is (holds in SCHEMA)
            if holds in SCHEMA and holds not in descriptors:
                descriptors[holds] = field.message_type
                todo.append(holds)


@st.composite
def models(draw, depth=2):
    onnx = pytest.importorskip("onnx")
    text = st.text(max_size=8)
    model = onnx.ModelProto(ir_version=8)
    for _ in range(draw(st.integers(0, 2))):
        model.metadata_props.add(key=draw(text), value=draw(text))
    graph = model.graph
    for _ in range(draw(st.integers(0, depth))):
        node = graph.node.add(op_type=draw(text), domain=draw(text))
        attribute = node.attribute.add(name=draw(text))
        graph = attribute.g
        tensor = graph.initializer.add(dims=draw(st.lists(st.integers(-5, 1 << 40), max_size=3)), data_type=1)
        tensor.external_data.add(key="location", value=draw(text))
    return model


@BOUNDED
@given(models(), st.booleans(), st.booleans(), st.booleans())
def test_both_forms_of_a_message_say_the_same(model, one_line, pointy, short):
    text_format = pytest.importorskip("google.protobuf.text_format")
    text = text_format.MessageToString(
        model, as_one_line=one_line, pointy_brackets=pointy, use_short_repeated_primitives=short, as_utf8=True
    )
    binary, broken = from_bytes(model.SerializeToString(), SCHEMA, "model")
    assert not broken
    signed = [
        (act, kind, field, value - (1 << 64) if isinstance(value, int) and value >= 1 << 63 else value)
        for act, kind, field, value in binary
    ]
    assert from_text(text, SCHEMA, "model") == (signed, 0)


@BOUNDED
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 1 << 20) | st.binary(max_size=300)), max_size=30)
)
def test_crowded_messages_yield_the_same(fields):
    data = b"".join(
        number(at, value) if isinstance(value, int) else message(at, value) for at, value in fields
    )
    assert from_bytes(data)[0] == from_bytes(data, crowded=frozenset({"root", "inner"}))[0]


@BOUNDED
@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 1 << 20) | st.binary(max_size=300)), max_size=30)
)
def test_the_outline_has_every_field(fields):
    data = b"".join(
        number(at, value) if isinstance(value, int) else message(at, value) for at, value in fields
    )
    expected = {(at, 0 if isinstance(value, int) else 2) for at, value in fields}
    assert outline(blob(data), Clock(60)) == expected
    assert outline(blob(data + b"\x0a\xff\x7f"), Clock(60)) == expected | {(1, 2)}


@BOUNDED
@given(st.binary(max_size=200))
def test_any_bytes_have_an_outline(data):
    outline(blob(data), Clock(60))
    from_bytes(data)


@BOUNDED
@given(st.text(alphabet="name:inrcout{}<>[]#'\"\\,; 12\n", max_size=80))
def test_any_text_ends(text):
    from_text(text)
