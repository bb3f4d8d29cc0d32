import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import elf, format_of, judged, look, reasons
from tests.checks.models.formats.flatbuilding import build

FUNCTION = {"qn": "__torch__.M.forward", "operators": [{"name": "aten::relu"}], "constants": [0]}
TENSOR = {"storage_location_index": 0, "scalar_type": 6, "sizes": [2], "strides": [1]}


def module(*values, function=FUNCTION, **more):
    value = {
        "bytecode_version": 9,
        "methods": [1],
        "state_obj": 3,
        "ivalues": [
            {},
            {"val": ("Function", function)},
            {"val": ("TensorMetadata", TENSOR)},
            {"val": ("Object", {"type_index": 0, "attrs": [2]})},
            {"val": ("List", {"items": [0, 2]})},
            *({"val": each} for each in values),
        ],
        "storage_data_size": 1,
        "storage_data": [{"data": bytes(8)}],
        "object_types": [{"type_name": "__torch__.M", "type": 1, "attr_names": ["w"]}],
        "extra_files": [{"name": "notes.json", "content": "{}"}],
        "jit_sources": [{"name": "__torch__", "content": "class M(Module):\n  w : Tensor\n"}],
        **more,
    }
    return build("torch_mobile", "Module", value, b"PTMF")


def rules(data, name="m.ptl"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


def test_an_honest_module():
    seen = look(module(), "m.ptl")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "torch-mobile")


BROKEN = {
    "method": lambda: module(methods=[5]),
    "state": lambda: module(state_obj=5),
    "storage": lambda: module(("TensorMetadata", {**TENSOR, "storage_location_index": 1})),
    "type": lambda: module(("Object", {"type_index": 1})),
    "attribute": lambda: module(("Object", {"attrs": [6]})),
    "setter": lambda: module(("Object", {"setstate_func": 9})),
    "item": lambda: module(("Tuple", {"items": [6]})),
    "key": lambda: module(("Dict", {"keys": [9]})),
    "value": lambda: module(("Dict", {"values": [9]})),
    "constant": lambda: module(function={**FUNCTION, "constants": [9]}),
    "constant of the sources": lambda: module(jit_constants=[9]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_leads_out_of_a_module(what):
    seen = look(BROKEN[what](), "m.ptl")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-TOR-005", "high")]
    assert reasons(seen) == {"malformed"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aten::save", [("MLG-TOR-001", "high")]),
        ("aten::from_file", [("MLG-TOR-001", "high")]),
        ("image::read_file", [("MLG-TOR-001", "medium")]),
        ("mine::op", [("MLG-TOR-001", "info")]),
        ("quantized::linear", []),
    ],
)
def test_operators_of_the_bytecode(name, expected):
    assert rules(module(function={"operators": [{"name": name}]})) == expected


def test_sources_and_other_files_are_read():
    sources = [{"name": "__torch__", "content": "torch.save(x, y)"}]
    assert rules(module(jit_sources=sources)) == [("MLG-TOR-001", "high")]
    extra = [{"name": "a.bin", "content": elf() + bytes(50)}]
    assert "MLG-BIN-001" in {rule for rule, _ in rules(module(extra_files=extra))}
    # What is no source is no TorchScript.
    assert not rules(module(extra_files=[{"name": "x.py", "content": "torch.save(x, y)"}]))


def test_a_program_behind_a_module():
    assert "MLG-BIN-001" in {rule for rule, _ in rules(module() + elf() + bytes(100))}


@pytest.mark.parametrize("keep", range(8, len(module()) - 8, 9))
def test_a_cut_module_never_passes(keep):
    assert look(module()[:keep], "m.ptl").not_checked


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, len(module()) - 4), st.integers(0, 0xFFFFFFFF))
def test_no_change_to_a_module_ends_its_reader(at, word):
    data = bytearray(module())
    struct.pack_into("<I", data, at, word)
    assert "reader-failed" not in reasons(look(bytes(data), "m.ptl"))
