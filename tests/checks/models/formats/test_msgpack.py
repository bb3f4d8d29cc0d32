import gzip
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack
from tests.checks.models.building import (
    EVIL,
    NOISE,
    TEXT_EVIL,
    called,
    elf,
    format_of,
    judged,
    kinds,
    look,
    reasons,
)


def packed(value):
    return msgpack.encode(value)


def tensor(dtype="float32", shape=(2, 2), data=bytes(16)):
    """A tensor as Flax writes it."""
    return msgpack.Ext(1, packed([shape, dtype, data]))


def array(data=EVIL, kind=b"O", keys=bytes):
    """An array as msgpack-numpy writes it."""
    named = [(b"nd", True), (b"type", b"|O"), (b"kind", kind), (b"shape", [1]), (b"data", data)]
    return {key if keys is bytes else key.decode(): value for key, value in named}


FLAX = packed(
    {"params": {"dense": {"kernel": tensor(), "bias": tensor("bfloat16", (300,), bytes(600))}}, "step": 3}
)


def test_a_flax_checkpoint_says_nothing():
    seen = look(FLAX, "checkpoint.msgpack")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "flax")


def test_an_executable_among_the_values_is_found():
    program = elf() + bytes(300)
    for value in (program, msgpack.Ext(7, program)):
        seen = look(packed({"params": {"w": tensor()}, "x": value}), "a.msgpack")
        (fact,) = (each for each in seen.facts if each.kind == "payload.executable")
        assert fact.subject == "ELF"
    assert "payload.executable" not in kinds(look(packed({"x": b"\x7fELF" + NOISE})))


@pytest.mark.parametrize(
    "value",
    [
        {
            "nodes": [{"index": 0, "name": "tok2vec", "dims": {"nO": None}}],
            "attrs": [{}],
            "params": [{"W": NOISE}],
        },
        {"lookups": {2**64 - 1: "word", -5: [1.5, None, False]}},
        [{"patterns": [[{"TAG": "_SP"}]]}] * 200,
        {"n" * 300: "text" * 30_000, "a": [0] * 70_000},
        {"nd": True, "kind": b"", "data": NOISE},
        {"texts": ["can we go.", "(this is fine).", b"]" * 50 + b"."]},
    ],
)
def test_other_files_say_nothing(value):
    seen = look(packed(value), "model")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "msgpack")


@pytest.mark.parametrize("keys", [bytes, str])
@pytest.mark.parametrize("payload", [EVIL, TEXT_EVIL])
@pytest.mark.parametrize(
    "wrap", [lambda value: value, lambda value: {"a": [1, {"b": value}]}, lambda value: [{"x": 1}, value]]
)
def test_arrays_of_objects_are_unpickled(keys, payload, wrap):
    seen = look(packed(wrap(array(payload, keys=keys))), "x.msgpack")
    assert called(seen) == {"posix.system"}
    assert "MLG-ORB-001" in {each.rule for each in judged(seen)}


def test_the_order_of_keys_does_not_matter():
    turned = dict(reversed(array().items()))
    assert "msgpack.pickled" in kinds(look(packed(turned)))


@pytest.mark.parametrize(
    "wrap", [lambda data: data, lambda data: msgpack.Ext(9, data), lambda data: {"a": data}]
)
@pytest.mark.parametrize("payload", [EVIL, TEXT_EVIL, gzip.compress(EVIL, mtime=0)])
def test_bytes_that_are_something_by_themselves(wrap, payload):
    seen = look(packed({"weights": wrap(payload), "n": 1}), "m.bin")
    assert called(seen) == {"posix.system"}
    assert format_of(seen) == "msgpack"


def test_several_documents_in_one_file():
    assert called(look(packed({"a": 1}) + packed(array()))) == {"posix.system"}


@pytest.mark.parametrize("shape", [(2,), (2**40, 3), tuple(range(40))])
def test_a_tensor_of_objects(shape):
    found = judged(look(packed({"params": tensor("object", shape)}), "m.msgpack"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-ORB-001", "medium")]


@pytest.mark.parametrize(
    "data",
    [
        NOISE,
        b"\x81\xa1a",
        b"\x82\xa1a\x01",
        b"\x81\xa1a\x01\xc1",
        b"\x81\xa1a\x01" + b"text behind",
        b"\xdf\xff\xff\xff\xff\xa1a\x01",
        b"\x81\xa1a\xc6\xff\xff\xff\xffx",
        b"\x81\xa1a" + b"\x91" * 600 + b"\x01",
        b"\x80",
        b"\x91\x91\x91\x91\x01",
        b"\x90\x01",
    ],
)
def test_what_is_no_messagepack_is_left_alone(data):
    seen = look(data, "x.bin")
    assert not any(record.format in ("msgpack", "flax") for record in seen.inventory)


def test_what_does_not_parse_to_its_end_is_searched():
    assert called(look(packed({"a": 1, "b": EVIL + bytes(300)}) + b"behind", "x.bin")) == {"posix.system"}
    assert reasons(look(FLAX[:-1], "m.msgpack")) == {"unreadable-format"}


def test_values_are_counted():
    assert reasons(look(packed({"a": [0] * 100_000}), opcodes=5000)) == {"limit"}
    assert reasons(look(packed({"a": [EVIL] * 200}), members=100)) == {"limit"}


def test_what_came_before_a_limit_stands():
    seen = look(packed({"a": array(), "b": [0] * 100_000}), opcodes=5000)
    assert called(seen) == {"posix.system"}
    assert reasons(seen) == {"limit"}


def test_numbers_of_all_widths():
    data = (
        b"\x81\xa1a\x9b\xca"
        + bytes(4)
        + b"\xcb"
        + bytes(8)
        + b"\xcc\0\xcd\0\0\xce"
        + bytes(4)
        + b"\xcf"
        + bytes(8)
    )
    data += b"\xd0\0\xd1\0\0\xd2" + bytes(4) + b"\xd3" + bytes(8) + b"\xd6\xff" + struct.pack(">I", 1)
    assert format_of(look(data)) == "msgpack"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([FLAX[:300], packed(array()), packed({"a": [1, {"b": tensor("object")}]})]), st.data())
def test_no_bytes_break_the_reader(seed, data):
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed, "m.msgpack"))


@pytest.mark.parametrize("shape", [b"\x91\1", b"\xdc\0\1\1", b"\xdd\0\0\0\1\1"])
@pytest.mark.parametrize("dtype", [b"\xa1O", b"\xd9\1O", b"\xda\0\1O", b"\xdb\0\0\0\1O", b"\xc4\1O"])
def test_arrays_of_objects_however_their_type_is_packed(shape, dtype):
    array = b"\x93" + shape + dtype + b"\xc4\1x"
    data = b"\x81\xa1w" + b"\xc7" + bytes([len(array), 1]) + array
    assert "msgpack.object" in kinds(look(data, "m.msgpack"))


def test_decoys_hide_no_executable():
    decoys = {f"x{at}": b"MZ" + bytes(60) for at in range(3000)}
    seen = look(packed({"params": {"w": tensor()}, **decoys, "y": elf() + bytes(300)}), "a.msgpack")
    assert "payload.executable" in kinds(seen)
