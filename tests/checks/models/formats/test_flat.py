import contextlib
import io
import struct

import pytest
from tests.checks.models.formats.flatbuilding import build

from mlgate.checks.models.formats._flat import Broken, Flat, schema
from mlgate.checks.models.reader import Clock


def flat(data, name="tflite"):
    return Flat(io.BytesIO(data), len(data), schema(name), Clock(60))


def walk(data, name="tflite", root="Model"):
    return list(flat(data, name).walk(root))


MODEL = {
    "version": 3,
    "description": "d",
    "operator_codes": [{"builtin_code": 3}],
    "buffers": [{}, {"data": b"12345678"}],
    "subgraphs": [
        {
            "name": "main",
            "tensors": [{"shape": [1, 2], "name": "t", "buffer": 1}],
            "operators": [{"inputs": [0], "builtin_options": ("ReshapeOptions", {"new_shape": [2, 1]})}],
        }
    ],
}
DATA = build("tflite", "Model", MODEL, b"TFL3")


def test_every_table_is_met_before_what_it_holds():
    kinds = [(table.kind, table.depth) for table in walk(DATA)]
    assert kinds[0] == ("Model", 0)
    assert sorted(kinds[1:]) == [
        ("Buffer", 1),
        ("Buffer", 1),
        ("Operator", 2),
        ("OperatorCode", 1),
        ("ReshapeOptions", 3),
        ("SubGraph", 1),
        ("Tensor", 2),
    ]


def test_fields_are_read():
    reader = flat(DATA)
    tables = {table.kind: table for table in reader.walk("Model")}
    model, tensor = tables["Model"], tables["Tensor"]
    assert reader.number(model, "version") == 3
    assert reader.text(model, "description") == "d"
    assert reader.text(model, "metadata") == ""
    assert reader.number(tensor, "is_variable", 7) == 7
    assert list(reader.numbers(tensor, "shape")) == [1, 2]
    assert list(reader.numbers(tensor, "shape_signature")) == []
    assert reader.item(model, "buffers", 1).kind == "Buffer"
    assert reader.vector(reader.item(model, "buffers", 1), "data")[1] == 8
    with pytest.raises(Broken):
        reader.item(model, "buffers", 2)


def test_the_end_is_where_the_last_of_it_ends():
    reader = flat(DATA + bytes(100))
    list(reader.walk("Model"))
    assert len(DATA) - 8 <= reader.end <= len(DATA)


@pytest.mark.parametrize("keep", range(len(DATA) - 8))
def test_a_cut_flatbuffer_is_broken(keep):
    with pytest.raises(Broken):
        walk(DATA[:keep])


@pytest.mark.parametrize("word", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 1 << 20, len(DATA)])
def test_no_word_of_a_flatbuffer_leads_out(word):
    # Any other answer than an error of its own, or an end, is a failure.
    for at in range(0, len(DATA) - 4, 4):
        data = bytearray(DATA)
        struct.pack_into("<I", data, at, word)
        with contextlib.suppress(Broken):
            walk(bytes(data))


def test_no_table_leads_back():
    data = bytearray(build("ort", "InferenceSession", {"model": {"graph": {"nodes": [{}]}}}, b"ORTM"))
    tables = {table.kind: table for table in walk(bytes(data), "ort", "InferenceSession")}
    # A node that is the session itself would be a graph without end.
    start, _ = flat(bytes(data), "ort").vector(tables["Graph"], "nodes")
    for kind in ("InferenceSession", "Model", "Graph"):
        struct.pack_into("<I", data, start, (tables[kind].offset - start) & 0xFFFFFFFF)
        with pytest.raises(Broken):
            walk(bytes(data), "ort", "InferenceSession")


def test_parts_that_are_shared_without_end_cost_no_more_than_the_size():
    # Thousands of subgraphs, all of which are one, with thousands of tensors, all of which are one.
    data = bytearray(build("tflite", "Model", {"subgraphs": [{}] * 3000}, b"TFL3"))
    reader = flat(bytes(data))
    model = next(reader.walk("Model"))
    start, count = reader.vector(model, "subgraphs")
    tail = len(data)
    inner = build("tflite", "Model", {"subgraphs": [{"tensors": [{}] * 3000}]}, b"TFL3")
    data += inner
    inside = flat(inner)
    graph = next(table for table in inside.walk("Model") if table.kind == "SubGraph")
    for index in range(count):
        struct.pack_into("<I", data, start + 4 * index, tail + graph.offset - start - 4 * index)
    with pytest.raises(Broken, match="share"):
        walk(bytes(data))


def test_a_text_in_a_list_must_lie_in_the_file():
    value = {"model": {"graph": {"inputs": ["a", "b"]}}}
    data = bytearray(build("ort", "InferenceSession", value, b"ORTM"))
    reader = flat(bytes(data), "ort")
    graph = next(table for table in reader.walk("InferenceSession") if table.kind == "Graph")
    start, _ = reader.vector(graph, "inputs")
    struct.pack_into("<I", data, start + 4, 1 << 20)
    with pytest.raises(Broken, match="text"):
        walk(bytes(data), "ort", "InferenceSession")


def test_a_union_that_the_schema_does_not_know_is_passed_over():
    value = {"quantization": {"details": ("CustomQuantization", {"custom": b"x"})}}
    data = bytearray(build("tflite", "Model", {"subgraphs": [{"tensors": [value]}]}, b"TFL3"))
    reader = flat(bytes(data))
    table = next(each for each in reader.walk("Model") if each.kind == "QuantizationParameters")
    data[table.fields["details_type"]] = 99
    assert "CustomQuantization" not in {each.kind for each in walk(bytes(data))}


def test_large_files_are_read_page_by_page():
    model = {"buffers": [{"data": bytes(1 << 18)}] * 3, "subgraphs": [{"name": "x"}]}
    kinds = [table.kind for table in walk(build("tflite", "Model", model, b"TFL3"))]
    assert kinds.count("Buffer") == 3
