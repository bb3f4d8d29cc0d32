import json

import pytest
from tests.checks.models.building import format_of, judged, kinds, look, reasons


def model(*operators, paths=("group1-shard1of1.bin",), functions=()):
    topology = {"node": [{"name": f"n{at}", "op": op} for at, op in enumerate(operators)], "versions": {}}
    if functions:
        topology["library"] = {"function": [{"nodeDef": [{"name": "n", "op": op}]} for op in functions]}
    return json.dumps(
        {
            "format": "graph-model",
            "modelTopology": topology,
            "weightsManifest": [{"paths": list(paths), "weights": []}],
        }
    ).encode()


def hits(data):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data, "model.json"))]


def test_ordinary_models():
    seen = look(model("Const", "MatMul"), "model.json")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("tensorflow-js", (), ())


def test_operators_that_reach_out():
    assert hits(model("Const", "WriteFile")) == [("MLG-TFS-001", "high", "WriteFile")]
    assert hits(model(functions=["PyFunc"])) == [("MLG-TFS-002", "high", "PyFunc")]
    assert hits(model("WriteFile").replace(b"WriteFile", b"Write\\u0046ile")) == [
        ("MLG-TFS-001", "high", "WriteFile")
    ]
    assert hits(model("MyOp")) == [("MLG-TFS-002", "info", "MyOp")]


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x"])
def test_weights_outside_the_folder(path):
    assert hits(model(paths=["a.bin", path])) == [("MLG-NAT-002", "high", path)]


@pytest.mark.parametrize("data", [b"{}", b'{"a": "modelTopology"}', model()[:-1]])
def test_other_documents_are_left_alone(data):
    assert not kinds(look(data, "model.json"))


def test_what_is_noted_is_bounded():
    assert reasons(look(model(*(f"Op{at}" for at in range(60))), facts=30)) == {"limit"}
    assert reasons(look(model("Const"), "model.json", text_bytes=20)) == {"limit"}
