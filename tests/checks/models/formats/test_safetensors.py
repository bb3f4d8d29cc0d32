import base64
import json

import pytest
from tests.checks.models.building import EVIL, called, elf, format_of, judged, look, reasons
from tests.checks.models.credentials import GITHUB


def made(header, data=b"", length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def tensor(begin, end, dtype="U8", shape=None):
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


GOOD = {
    "__metadata__": {"format": "pt"},
    "b": tensor(4, 12, "F32", [2]),
    "a": tensor(0, 4),
    "empty": tensor(12, 12),
}


@pytest.mark.parametrize(
    "data",
    [
        made(GOOD, bytes(12)),
        made({}),
        made({"__metadata__": {}}),
        made(json.dumps(GOOD, indent=2).encode() + b"    ", bytes(12)),
        made({"scalar": tensor(0, 2, "F16", [])}, bytes(2)),
        made({"half bytes": tensor(0, 3, "F4", [6])}, bytes(3)),
        made({'quo"te {}': tensor(0, 1), "é": tensor(1, 2)}, bytes(2)),
    ],
)
@pytest.mark.parametrize("name", ["model.safetensors", "model.bin"])
def test_a_sound_file_says_nothing(data, name):
    seen = look(data, name)
    assert [fact.kind for fact in seen.facts] == ["core.format"]
    assert not seen.not_checked
    assert format_of(seen) == "safetensors"


HEADERS = {
    "a key twice": made(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "a key twice, one escaped": made(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "a key twice in a tensor": made(b'{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
    "a key twice in the metadata": made(b'{"__metadata__":{"a":"","a":""}}'),
    "no object": made(b'{"a":1}'),
    "nested": made(b'{"a":{"dtype":{"x":{}}}}'),
    "nested a million deep": made(b'{"a":' + b"{" * 1_000_000),
    "arrays a hundred thousand deep": made(b'{"a":{"dtype":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
    "metadata that is no text": made({"__metadata__": {"a": 1}}),
    "another key": made({"a": {**tensor(0, 0), "x": 1}}),
    "a key too few": made({"a": {"dtype": "U8", "shape": []}}),
    "a negative side": made({"a": tensor(0, 0, shape=[-1])}),
    "a side that is no number": made({"a": tensor(0, 0, shape=[True])}),
    "three offsets": made({"a": {"dtype": "U8", "shape": [], "data_offsets": [0, 0, 0]}}),
    "offsets the wrong way": made({"a": {"dtype": "U8", "shape": [], "data_offsets": [2, 1]}}),
    "no comma": made(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]} "b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "not closed": made(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'),
    "bytes behind the object": made(b'{"__metadata__":{}} x'),
    "not UTF-8": made(b'{"\xff":{}}'),
    "minus zero": made(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[-0,0]}}'),
    "half a character": made(b'{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "space before the object": made(b' {"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "null for metadata": made(b'{"__metadata__":null}'),
    "a length of 64 bits": made(b'{"a":{}}', length=1 << 63),
    "infinite": made(b'{"a":{"dtype":"U8","shape":[Infinity],"data_offsets":[0,0]}}'),
    "longer than allowed": made(b'{"a":{}}', length=100_000_001),
}  # fmt: skip


@pytest.mark.parametrize("data", HEADERS.values(), ids=HEADERS.keys())
def test_a_malformed_header(data):
    found = judged(look(data, "model.safetensors"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-SFT-001", "high")]


@pytest.mark.parametrize(
    ("tensors", "data"),
    [
        ({"a": tensor(0, 4), "b": tensor(2, 6)}, 6),
        ({"a": tensor(0, 4), "b": tensor(0, 4)}, 4),
        ({"a": tensor(0, 4), "b": tensor(5, 6)}, 6),
        ({"a": tensor(1, 4)}, 4),
        ({"a": tensor(0, 4)}, 5),
        ({}, 1),
        ({"a": tensor(0, 1 << 63, shape=[1 << 63])}, 4),
    ],
)
def test_tensors_must_cover_the_data(tensors, data):
    found = judged(look(made(tensors, bytes(data)), "model.safetensors"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-SFT-002", "high")]


@pytest.mark.parametrize(
    "one", [tensor(0, 4, "F32", [2]), tensor(0, 4, "U8", [2**40, 2**40]), tensor(0, 4, "F128", [1])]
)
def test_shape_and_bytes_must_agree(one):
    found = judged(look(made({"a": one}, bytes(4)), "model.safetensors"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-SFT-003", "medium")]


@pytest.mark.parametrize("cut", [100, -100, -12, -1])
def test_a_cut_file_is_not_checked(cut):
    seen = look(made(GOOD, bytes(12))[:cut], "model.safetensors")
    assert reasons(seen) == {"truncated"}


def test_tensors_are_counted():
    data = made({str(n): tensor(0, 0) for n in range(50)})
    assert reasons(look(data, members=20)) == {"limit"}
    assert reasons(look(data, header_bytes=100)) == {"limit"}


def test_a_pickle_in_front_of_a_tensor_file_is_found():
    # X takes the length's other bytes as its own: the pickle goes on inside the header.
    text = b'{"__metadata__":{"' + b"x" * 74 + b'":"' + b"y" * 1000
    seen = look(EVIL + text, "model.safetensors")
    assert called(seen) == {"posix.system"}
    assert "MLG-COR-001" in {each.rule for each in judged(seen)}


TEMPLATE = "{{ messages.__class__ }}"


@pytest.mark.parametrize(
    "metadata",
    [
        {"chat_template": TEMPLATE},
        {"note": "x " + TEMPLATE},
        {"config": json.dumps({"tokenizer_class": "X", "chat_template": TEMPLATE})},
    ],
)
def test_templates_in_the_metadata_are_judged(metadata):
    found = judged(look(made({"__metadata__": metadata}), "model.safetensors"))
    assert {(each.rule, each.severity.value) for each in found} == {("MLG-JIN-001", "critical")}


def test_configurations_in_the_metadata_are_judged():
    config = json.dumps({"auto_map": {"AutoModel": "evil/repo--m.C"}})
    (found,) = judged(look(made({"__metadata__": {"config": config}}), "model.safetensors"))
    assert (found.rule, str(found.location)) == (
        "MLG-HFR-001",
        "model.safetensors!/__metadata__/config.json:1",
    )


@pytest.mark.parametrize("text", [base64.b64encode(EVIL).decode(), EVIL.hex(), EVIL.decode("latin-1")])
def test_a_pickle_in_the_metadata_is_found(text):
    assert called(look(made({"__metadata__": {"state": text}}), "model.safetensors")) == {"posix.system"}


def test_a_credential_in_the_metadata():
    found = judged(look(made({"__metadata__": {"note": f"from {GITHUB}"}}), "model.safetensors"))
    assert [each.rule for each in found] == ["MLG-SEC-001"]


def test_what_trainers_write_is_no_alarm():
    metadata = {
        "format": "pt",
        "ss_bucket_info": json.dumps({"buckets": {"0": {"resolution": [512, 512], "count": 10}}}),
        "ss_tag_frequency": json.dumps({"img": {"a {curly} tag": 1, "{{x}}": 2}}),
        "ss_long": json.dumps({f"{{{{tag {n}}}}}": n for n in range(20_000)}),
        "ss_sd_model_name": "/workspace/model.safetensors",
        "modelspec.thumbnail": "data:image/jpeg;base64," + "QUJD" * 2000,
        "ss_network_args": "{}",
        "prompt": "{a|b} __color__ {{x}} {% y %}",
    }
    seen = look(made({"__metadata__": metadata}), "lora.safetensors")
    assert judged(seen) == ()
    assert not seen.not_checked


@pytest.mark.parametrize("dtype", ["U8", "I8"])
def test_a_pickle_that_is_a_tensor_of_bytes(dtype):
    data = made({"a": tensor(0, 8), "b": tensor(8, 8 + len(EVIL), dtype)}, bytes(8) + EVIL)
    found = judged(look(data, "m.safetensors"))
    assert [(each.rule, each.location.member) for each in found] == [("MLG-PKL-002", "tensor b")]
    noise = made({"a": tensor(0, 208)}, b"\x80\x04\x95" + bytes(205))
    seen = look(noise, "m.safetensors")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_a_program_where_a_tensor_begins():
    program = elf() + bytes(300)
    data = made({"a": tensor(0, 8), "b": tensor(8, 8 + len(program))}, bytes(8) + program)
    assert [(each.rule, each.severity.value) for each in judged(look(data, "m.safetensors"))] == [
        ("MLG-BIN-001", "high")
    ]
    noise = made({"a": tensor(0, 8), "b": tensor(8, 208)}, bytes(8) + b"MZ" + bytes(198))
    assert not judged(look(noise, "m.safetensors"))


def test_too_many_programs_are_not_checked():
    program = elf() + bytes(300)
    size = len(program)
    header = {f"a{at}": tensor(at * size, (at + 1) * size) for at in range(3000)}
    assert "limit" in reasons(look(made(header, program * 3000), "m.safetensors"))
