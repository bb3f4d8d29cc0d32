import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, elf, format_of, judged, look, reasons, zipped
from tests.checks.models.formats.flatbuilding import build

CUSTOM = 32


def model(codes=({"builtin_code": 3},), operators=(), tensors=2, **more):
    graph = {
        "tensors": [{"name": f"t{n}", "shape": [1, 4], "buffer": 1} for n in range(tensors)],
        "inputs": [0],
        "outputs": [1],
        "operators": [{"inputs": [0, -1], "outputs": [1], **each} for each in operators or ({},)],
        "name": "main",
    }
    value = {
        "version": 3,
        "description": "a model",
        "operator_codes": list(codes),
        "subgraphs": [graph],
        "buffers": [{}, {"data": bytes(16)}],
        **more,
    }
    return build("tflite", "Model", value, b"TFL3")


def custom(name):
    return model([{"deprecated_builtin_code": CUSTOM, "custom_code": name}])


def rules(data, name="m.tflite"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


BROKEN = {
    "operator code": lambda: model(operators=[{"opcode_index": 1}]),
    "input": lambda: model(operators=[{"inputs": [2]}]),
    "negative input": lambda: model(operators=[{"inputs": [-2]}]),
    "output": lambda: model(operators=[{"outputs": [0, 7]}]),
    "intermediate": lambda: model(operators=[{"intermediates": [9]}]),
    "graph's input": lambda: model(tensors=0),
    "buffer": lambda: model(buffers=[{}]),
    "buffer behind the file": lambda: model(buffers=[{}, {"offset": 100, "size": 1 << 30}]),
    "buffer that wraps": lambda: model(buffers=[{}, {"offset": (1 << 64) - 8, "size": 16}]),
    "options behind the file": lambda: model(
        operators=[{"large_custom_options_offset": 64, "large_custom_options_size": 1 << 40}]
    ),
    "metadata": lambda: model(metadata=[{"name": "x", "buffer": 2}]),
    "metadata list": lambda: model(metadata_buffer=[5]),
    "signature's graph": lambda: model(signature_defs=[{"subgraph_index": 1}]),
    "signature's tensor": lambda: model(signature_defs=[{"inputs": [{"name": "x", "tensor_index": 2}]}]),
    "branch": lambda: model(operators=[{"builtin_options": ("IfOptions", {"then_subgraph_index": 3})}]),
    "loop": lambda: model(operators=[{"builtin_options": ("WhileOptions", {"body_subgraph_index": 1})}]),
    "call": lambda: model(operators=[{"builtin_options": ("CallOptions", {"subgraph": 1})}]),
    "composite": lambda: model(
        operators=[{"builtin_options2": ("StableHLOCompositeOptions", {"decomposition_subgraph_index": 8})}]
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_names_something_that_is_not_there(what):
    seen = look(BROKEN[what](), "m.tflite")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-TFL-002", "high")]
    assert reasons(seen) == {"malformed"}


HONEST = {
    "plain": model,
    "no buffers": lambda: build("tflite", "Model", {"version": 3, "subgraphs": [{"tensors": [{}]}]}, b"TFL3"),
    "quantized": lambda: model(
        subgraphs=[
            {"tensors": [{"quantization": {"scale": [1.0], "zero_point": [0], "quantized_dimension": 0}}]}
        ]
    ),
    "sparse": lambda: model(
        subgraphs=[
            {
                "tensors": [
                    {
                        "sparsity": {
                            "traversal_order": [0, 1],
                            "dim_metadata": [
                                {"format": 1, "array_segments": ("Uint8Vector", {"values": b"\0\1"})}
                            ],
                        }
                    }
                ]
            }
        ]
    ),
    "control flow": lambda: model(
        operators=[{"builtin_options": ("IfOptions", {"then_subgraph_index": 0, "else_subgraph_index": 0})}]
    ),
    "signature": lambda: model(
        signature_defs=[
            {
                "inputs": [{"name": "x", "tensor_index": 1}],
                "signature_key": "serving_default",
                "subgraph_index": 0,
            }
        ]
    ),
    "options of numbers": lambda: model(operators=[{"builtin_options": ("ReshapeOptions", {})}]),
    "metadata": lambda: model(
        metadata=[{"name": "min_runtime_version", "buffer": 1}],
        buffers=[{}, {"data": b"1.5.0\0\0\0\0\0\0\0\0\0\0\0"}],
    ),
    "padded": lambda: model() + bytes(40),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_models(what):
    seen = look(HONEST[what](), "m.tflite")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "tflite")
    assert seen.inventory[0].status == "checked"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TFLite_Detection_PostProcess", []),
        ("MaxPoolingWithArgmax2D", []),
        ("my_op", [("MLG-TFL-001", "medium")]),
        ("", [("MLG-TFL-001", "medium")]),
        ("FlexErf", [("MLG-TFL-001", "info")]),
        ("FlexWriteFile", [("MLG-TFL-001", "high")]),
        ("FlexEagerPyFunc", [("MLG-TFL-001", "high")]),
        ("FlexReadFile", [("MLG-TFL-001", "high")]),
        ("FlexPrintV2", [("MLG-TFL-001", "medium")]),
    ],
)
def test_custom_operators(name, expected):
    assert rules(custom(name)) == expected


def test_the_old_and_the_new_number_of_an_operator_count():
    assert rules(model([{"builtin_code": CUSTOM, "custom_code": "x"}])) == [("MLG-TFL-001", "medium")]
    code = {"deprecated_builtin_code": 127, "builtin_code": 150, "custom_code": "x"}
    assert not rules(model([code]))


def test_many_custom_operators_are_counted():
    codes = [{"builtin_code": CUSTOM, "custom_code": f"op{n}"} for n in range(50)]
    assert reasons(look(model(codes), facts=20)) == {"limit"}


def test_files_that_are_appended_as_an_archive_are_read():
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    seen = look(model() + stream.getvalue(), "m.tflite")
    assert not [each for each in judged(seen) if each.severity.value in ("high", "critical")]
    assert not seen.not_checked
    hostile = model() + zipped(Entry("../x", b"1"))
    assert "MLG-ARC-001" in {each.rule for each in judged(look(hostile, "m.tflite"))}


@pytest.mark.parametrize("where", ["behind", "metadata", "nested"])
def test_programs_outside_tensors(where):
    program = elf() + bytes(100)
    data = {
        "behind": lambda: model() + program,
        "metadata": lambda: model(
            buffers=[{}, {"data": program}], metadata=[{"name": "associated", "buffer": 1}]
        ),
        "nested": lambda: zipped(Entry("m.tflite", model() + program)),
    }[where]()
    assert "MLG-BIN-001" in {each.rule for each in judged(look(data, "m.tflite"))}


def test_tensor_bytes_mean_nothing_unless_they_begin_as_a_program():
    assert not rules(model(buffers=[{}, {"data": bytes(16) + elf() * 3}]))
    assert not rules(model(buffers=[{}, {"data": elf()[:40] + bytes(100)}]))
    assert rules(model(buffers=[{}, {"data": elf() * 3}])) == [("MLG-BIN-001", "high")]


def test_buffers_behind_the_flatbuffer():
    data = model(buffers=[{}, {"offset": 4096, "size": 16}])
    assert len(data) < 4096
    assert not rules(data + bytes(4096 - len(data)) + b"\7" * 16)
    assert [rule for rule, _ in rules(data + bytes(4096 - len(data)) + b"\7" * 15)] == ["MLG-TFL-002"]


def test_the_content_decides():
    assert format_of(look(model(), "weights.bin")) == "tflite"
    assert ("MLG-TFL-001", "medium") in rules(custom("x"), "m.onnx")


@pytest.mark.parametrize("keep", range(8, len(model()) - 8, 7))
def test_a_cut_model_never_passes(keep):
    seen = look(model()[:keep], "m.tflite")
    assert seen.not_checked


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, len(model()) - 4), st.integers(0, 0xFFFFFFFF), st.binary(max_size=40))
def test_no_change_to_a_model_ends_its_reader(at, word, behind):
    data = bytearray(model(metadata=[{"name": "x", "buffer": 1}]))
    struct.pack_into("<I", data, at, word)
    assert "reader-failed" not in reasons(look(bytes(data) + behind, "m.tflite"))
    assert "reader-failed" not in reasons(look(b"\x10\0\0\0TFL3" + behind, "m.tflite"))
