import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import format_of, judged, kinds, link, look, reasons, scope

from mlgate.checks.models import collect

BOUNDED = settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)


def text(location="w.bin", more=""):
    return (
        'ir_version: 8\nopset_import { domain: "" version: 17 }\ngraph {\n'
        '  node { input: "x" output: "y" op_type: "Relu" }\n'
        '  initializer { dims: 2 data_type: 1 name: "w" data_location: EXTERNAL\n'
        f'    external_data {{ key: "location" value: "{location}" }} }}\n{more}}}\n'
    )


def json(location="w.bin", more=""):
    return (
        '{"irVersion": "8", "graph": {"node": [{"opType": "Relu", "input": ["x"]}], "initializer": [{"dims": '
        '["2"], "dataType": 1, "externalData": [{"key": "location", "value": "'
        + location
        + '"}]}]'
        + more
        + "}}"
    )


FORMS = pytest.mark.parametrize("make", [text, json])


def rules(data, name="m.bin"):
    return [each.rule for each in judged(look(data.encode(), name))]


@FORMS
def test_locations_that_leave_the_folder(make):
    assert rules(make("../../x")) == ["MLG-ONX-001"]
    assert rules(make("w.bin")) == []
    assert format_of(look(make().encode(), "m.textproto")) == f"onnx-{make.__name__}"


@FORMS
def test_locations_behind_a_link(make):
    files = {"d/m.json": make().encode(), "d/w.bin": link("d/w.bin", "/etc/passwd")}
    assert "MLG-ONX-001" in {each.rule for each in judged(collect(scope(files)))}


@pytest.mark.parametrize(
    "data",
    [
        text("x", 'node { domain: "com.microsoft" op_type: "PythonOp" }'),
        json("x", ', "x": {}').replace(
            '"graph"', '"functions": [{"node": [{"domain": "com.microsoft", "opType": "PythonOp"}]}], "graph"'
        ),
        json("x").replace('"opType": "Relu"', '"domain": "com.microsoft", "op_\\u0074ype": "PythonOp"'),
    ],
)
def test_operators_of_other_domains(data):
    assert sorted(rules(data)) == ["MLG-ONX-002", "MLG-ONX-002"]


@pytest.mark.parametrize("data", [text(more="initializer { dims: -1 }"), json().replace('["2"]', '["-1"]')])
def test_sizes_that_make_no_sense(data):
    assert rules(data) == ["MLG-ONX-004"]


@pytest.mark.parametrize("data", [text()[:-3], json()[:-2]])
def test_a_broken_text_is_not_checked(data):
    assert reasons(look(data.encode(), "m.bin")) == {"malformed"}


@pytest.mark.parametrize(
    "data",
    [
        '{"opType": "words", "external_data": [1, 2]}',
        '{"graph": 5, "a": "opType"}',
        '["opType"]',
        "op_type = 5\nexternal_data = []\n",
        '{"opType": ',
    ],
)
def test_other_texts_are_left_alone(data):
    assert not kinds(look(data.encode(), "m.json"))
    assert not look(data.encode(), "m.json").not_checked


def test_properties_are_members():
    config = '{"_target_": "os.system"}'
    data = text().replace("graph {", f"metadata_props {{ key: 'c' value: '{config}' }} graph {{", 1)
    assert kinds(look(data.encode())) >= {fact.kind for fact in look(config.encode(), "config.json").facts}


def test_what_is_noted_is_bounded():
    several = ",".join(f'{{"opType": "A", "domain": "d{at}"}}' for at in range(60))
    assert reasons(look(f'{{"graph": {{"node": [{several}]}}}}'.encode(), facts=30)) == {"limit"}
    assert reasons(look(json().encode(), "m.onnxjson", text_bytes=20)) == {"limit"}
    nodes = "".join(f'node {{ op_type: "A" domain: "d{at}" }}\n' for at in range(60))
    assert reasons(look(text(more=nodes).encode(), facts=30)) == {"limit"}


def test_what_the_onnx_library_writes_and_reads():
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", 1, [1])
    tensor = onnx.helper.make_tensor("w", 1, [2], [1.0, 2.0])
    tensor.external_data.add(key="location", value="../x\u00e9\n'\"")
    tensor.data_location = 1
    built = onnx.helper.make_model(
        onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [value], [value], [tensor])
    )
    for form, name in (("textproto", "m.textproto"), ("json", "m.json")):
        data = onnx.serialization.registry.get(form).serialize_proto(built)
        data = data.encode() if isinstance(data, str) else data
        assert rules(data.decode(), name) == ["MLG-ONX-001"]


@BOUNDED
@given(
    st.sampled_from([text("../x"), json("../x")]),
    st.integers(0, 400),
    st.text(max_size=9),
    st.integers(0, 20),
)
def test_whatever_the_text_is_the_readers_end(seed, at, new, length):
    data = seed[:at] + new + seed[at + length :]
    seen = look(data.encode("utf-8", "surrogatepass"), "m.json")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)
