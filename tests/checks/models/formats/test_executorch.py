import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, elf, format_of, judged, look, reasons, zipped
from tests.checks.models.formats.flatbuilding import build

HEADER = 32


def program(plan=None, *, data=b"", header=True, **more):
    value = {
        "execution_plan": [
            {
                "name": "forward",
                "values": [
                    {"val": ("Tensor", {"sizes": [2, 4], "dim_order": b"\0\1", "data_buffer_idx": 1})},
                    {"val": ("Int", {"int_val": 3})},
                    {"val": ("TensorList", {"items": [0]})},
                    {"val": ("OptionalTensorList", {"items": [-1, 0]})},
                ],
                "inputs": [0],
                "outputs": [0],
                "operators": [{"name": "aten::relu", "overload": "out"}],
                "chains": [
                    {
                        "instructions": [
                            {"instr_args": ("KernelCall", {"op_index": 0, "args": [0, 1]})},
                            {"instr_args": ("JumpFalseCall", {"destination_instruction": 2})},
                        ]
                    }
                ],
                **(plan or {}),
            }
        ],
        "constant_buffer": [{}],
        "segments": [{"offset": 0, "size": 32}],
        "constant_segment": {"segment_index": 0, "offsets": [0, 16]},
        **more,
    }
    if not header:
        return build("executorch", "Program", value, b"ET12")
    behind = data or bytes(32)
    data = bytearray(build("executorch", "Program", value, b"ET12", room=HEADER))
    size = len(data)
    data += bytes(-size % 64)
    data[8:40] = struct.pack("<4sIQQQ", b"eh00", HEADER, size, len(data), len(behind))
    return bytes(data) + behind


def chain(*instructions):
    return {"chains": [{"instructions": [{"instr_args": each} for each in instructions]}]}


def values(*each):
    return {"values": [{"val": value} for value in each], "inputs": [], "outputs": [], "chains": []}


def rules(data, name="m.pte"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


HONEST = {
    "segments": program,
    "inline, as in old files": lambda: program(
        header=False,
        constant_buffer=[{}, {"storage": bytes(32)}],
        segments=[],
        constant_segment={"offsets": []},
    ),
    "short header": lambda: program()[:12] + struct.pack("<I", 24) + program()[16:],
    "delegate": lambda: program(
        {"delegates": [{"id": "XnnpackBackend", "processed": {"location": 1, "index": 0}}]}
    ),
    "inline delegate": lambda: program(
        {"delegates": [{"id": "x", "processed": {}}]}, backend_delegate_data=[{"data": b"12345678"}]
    ),
    "external data": lambda: program(
        values(
            (
                "Tensor",
                {
                    "sizes": [1],
                    "dim_order": b"\0",
                    "data_buffer_idx": 77,
                    "extra_tensor_info": {"fully_qualified_name": "w", "location": 1},
                },
            )
        )
    ),
    "mutable state": lambda: program(
        values(
            (
                "Tensor",
                {
                    "sizes": [1],
                    "dim_order": b"\0",
                    "data_buffer_idx": 2,
                    "extra_tensor_info": {"mutable_data_segments_idx": 1},
                },
            )
        ),
        mutable_data_segments=[{}, {"segment_index": 0, "offsets": [0, 4, 8]}],
    ),
    "sizes that come later": lambda: program(
        values(("Tensor", {"sizes": [0x7FFFFFFF] * 3, "dim_order": b"\0\1\2", "shape_dynamism": 2}))
    ),
    "named data": lambda: program(named_data=[{"key": "w", "segment_index": 0}]),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_programs(what):
    seen = look(HONEST[what](), "m.pte")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "executorch")


BROKEN = {
    "operator": lambda: program(chain(("KernelCall", {"op_index": 1}))),
    "argument": lambda: program(chain(("KernelCall", {"args": [4]}))),
    "negative argument": lambda: program(chain(("KernelCall", {"args": [-1]}))),
    "delegate call": lambda: program(chain(("DelegateCall", {"delegate_index": 0}))),
    "move": lambda: program(chain(("MoveCall", {"move_from": 0, "move_to": 4}))),
    "free": lambda: program(chain(("FreeCall", {"value_index": -1}))),
    "jump": lambda: program(chain(("JumpFalseCall", {"destination_instruction": 9}))),
    "input": lambda: program({"inputs": [4]}),
    "output": lambda: program({"outputs": [-1]}),
    "list": lambda: program(values(("TensorList", {"items": [1]}))),
    "optional list": lambda: program(values(("OptionalTensorList", {"items": [-2]}))),
    "constant": lambda: program(values(("Tensor", {"sizes": [1], "dim_order": b"\0", "data_buffer_idx": 2}))),
    "negative size": lambda: program(values(("Tensor", {"sizes": [-1], "dim_order": b"\0"}))),
    "size that overflows": lambda: program(
        values(("Tensor", {"sizes": [0x7FFFFFFF] * 3, "dim_order": b"\0\1\2"}))
    ),
    "order of too few": lambda: program(values(("Tensor", {"sizes": [1, 2], "dim_order": b"\0"}))),
    "order that leads out": lambda: program(values(("Tensor", {"sizes": [1], "dim_order": b"\5"}))),
    "named segment": lambda: program(named_data=[{"key": "w", "segment_index": 1}]),
    "constants' segment": lambda: program(constant_segment={"segment_index": 3, "offsets": [0]}),
    "delegate's segment": lambda: program({"delegates": [{"processed": {"location": 1, "index": 5}}]}),
    "segment behind the file": lambda: program()[:-1],
    "header of too many bytes": lambda: program()[:16] + struct.pack("<Q", 1 << 40) + program()[24:],
    "header that is too short": lambda: program()[:12] + struct.pack("<I", 4) + program()[16:],
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_leads_out_of_a_program(what):
    seen = look(BROKEN[what](), "m.pte")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-TOR-005", "high")]
    assert reasons(seen) == {"malformed"}


def tensors(size=64, *, index=0, base=None):
    value = {
        "version": 0,
        "segments": [{"offset": 0, "size": size}],
        "named_data": [
            {
                "key": "w",
                "segment_index": index,
                "tensor_layout": {"scalar_type": 6, "sizes": [4, 4], "dim_order": b"\0\1"},
            }
        ],
    }
    data = bytearray(build("flat_tensor", "FlatTensor", value, b"FT01", room=40))
    length = len(data)
    data += bytes(-length % 64)
    start = len(data) if base is None else base
    data[8:48] = struct.pack("<4sIQQQQ", b"FH01", 40, 48, length - 48, start, 64)
    return bytes(data) + bytes(64)


def test_tensor_files():
    seen = look(tensors(), "m.ptd")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "executorch")
    for broken in (tensors(size=65), tensors(index=1), tensors(base=1 << 20), tensors()[:-1]):
        assert rules(broken, "m.ptd") == [("MLG-TOR-005", "high")]


def bundle(inner):
    return build("bundled_program", "BundledProgram", {"version": 1, "program": inner}, b"BP08")


def test_bundled_programs_are_programs():
    seen = look(bundle(program()), "m.bpte")
    assert (judged(seen), seen.not_checked) == ((), ())
    assert rules(bundle(BROKEN["operator"]()), "m.bpte") == [("MLG-TOR-005", "high")]
    assert rules(bundle(program())[:100], "m.bpte") == [("MLG-TOR-005", "high")]


def test_programs_inside_and_behind_a_program():
    native = elf() + bytes(100)
    inline = program({"delegates": [{"processed": {}}]}, backend_delegate_data=[{"data": native}])
    for data in (inline, program() + native, zipped(Entry("a/m.pte", program() + native))):
        assert "MLG-BIN-001" in {rule for rule, _ in rules(data)}


def test_constants_mean_nothing():
    assert not rules(program(data=elf() + bytes(100)))


@pytest.mark.parametrize("keep", range(8, 400, 9))
def test_a_cut_program_never_passes(keep):
    for data in (program(), tensors(), bundle(program())):
        assert look(data[: min(keep, len(data) - 8)], "m.pte").not_checked


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 900), st.integers(0, 0xFFFFFFFF), st.binary(max_size=40))
def test_no_change_to_a_program_ends_its_reader(at, word, behind):
    for seed in (program(), tensors(), bundle(program())):
        data = bytearray(seed)
        struct.pack_into("<I", data, min(at, len(data) - 4), word)
        assert "reader-failed" not in reasons(look(bytes(data) + behind, "m.pte"))
