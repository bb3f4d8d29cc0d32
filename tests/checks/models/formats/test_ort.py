import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import elf, format_of, judged, look, reasons
from tests.checks.models.formats.flatbuilding import build


def model(nodes=None, edges=None, **graph):
    inner = {
        "nodes": [{"index": 0, "op_type": "Neg"}],
        "max_node_index": 1,
        "node_edges": [{"node_index": 0}],
    }
    value = {
        "ort_version": "6",
        "model": {
            "ir_version": 9,
            "graph": {
                "initializers": [{"name": "w", "dims": [2], "data_type": 1, "raw_data": bytes(8)}],
                "nodes": nodes
                or [
                    {"index": 0, "op_type": "Add", "inputs": ["x", "w"]},
                    {"index": 2, "op_type": "If", "attributes": [{"name": "then_branch", "g": inner}]},
                ],
                "max_node_index": 3,
                "node_edges": edges or [{"node_index": 2, "input_edges": bytes(12)}],
                "inputs": ["x"],
                **graph,
            },
        },
    }
    return build("ort", "InferenceSession", value, b"ORTM")


def test_an_honest_model():
    seen = look(model(), "m.ort")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "ort")


def test_operators_from_elsewhere_are_mentioned_once_each():
    nodes = [{"domain": domain} for domain in ("", "ai.onnx.ml", "my.ops", "my.ops", "com.microsoft")]
    found = judged(look(model(nodes), "m.ort"))
    assert sorted((each.rule, each.subject, each.severity.value) for each in found) == [
        ("MLG-ONX-002", "com.microsoft", "info"),
        ("MLG-ONX-002", "my.ops", "info"),
    ]
    assert reasons(look(model([{"domain": f"d{n}"} for n in range(30)]), facts=20)) == {"limit"}


@pytest.mark.parametrize(
    "data",
    [
        model([{"index": 3}]),
        model(edges=[{"node_index": 9}]),
        model(max_node_index=1),
        model()[:200],
    ],
)
def test_what_leads_out_of_a_model(data):
    seen = look(data, "m.ort")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-TFL-002", "high")]
    assert reasons(seen) == {"malformed"}


def test_what_was_seen_before_the_end_is_told():
    seen = look(model([{"domain": "my.ops"}, {"index": 7}]), "m.ort")
    assert {each.rule for each in judged(seen)} == {"MLG-ONX-002", "MLG-TFL-002"}


def test_a_program_behind_a_model():
    assert "MLG-BIN-001" in {each.rule for each in judged(look(model() + elf() + bytes(100), "m.ort"))}


@pytest.mark.parametrize("keep", range(8, len(model()) - 8, 9))
def test_a_cut_model_never_passes(keep):
    assert look(model()[:keep], "m.ort").not_checked


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, len(model()) - 4), st.integers(0, 0xFFFFFFFF))
def test_no_change_to_a_model_ends_its_reader(at, word):
    data = bytearray(model())
    struct.pack_into("<I", data, at, word)
    assert "reader-failed" not in reasons(look(bytes(data), "m.ort"))


def test_what_the_runtime_writes(tmp_path):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    helper = onnx.helper
    value, other = (helper.make_tensor_value_info(name, 1, [1]) for name in "xy")
    nodes = [helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Add", ["a", "x"], ["y"])]
    made = helper.make_model(
        helper.make_graph(nodes, "g", [value], [other]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "m.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    runtime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen = look((tmp_path / "m.ort").read_bytes(), "m.ort")
    assert (judged(seen), seen.not_checked) == ((), ())
