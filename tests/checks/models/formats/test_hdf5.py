"""HDF5 files, written byte by byte where no library writes them so."""

import base64
import io
import json
import pickle
import struct

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import (
    EVIL,
    NOISE,
    TEXT_EVIL,
    Entry,
    format_of,
    judged,
    kinds,
    look,
    reasons,
    zipped,
)

UNDEFINED = (1 << 64) - 1


def message(kind, body, flags=0):
    return struct.pack("<BHB", kind, len(body), flags) + body


def header(*messages):
    """An object header of the newer kind; its checksum is not looked at."""
    body = b"".join(messages)
    return b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body + bytes(4)


def superblock(root, end, base=0):
    return b"\x89HDF\r\n\x1a\n\x03\x08\x08\x00" + struct.pack("<QQQQ", base, UNDEFINED, end, root) + bytes(4)


def whole(*objects, block=0):
    """A file of one object behind the other, the first of which is the root group."""
    body = b"".join(objects)
    return bytes(block) + superblock(48, 48 + len(body)) + body


def places(*objects):
    """The addresses that objects of these sizes get."""
    at, found = 48, []
    for each in objects:
        found.append(at)
        at += len(each)
    return found


def link(name, kind, value):
    return message(6, b"\x01\x08" + bytes([kind, len(name)]) + name + value)


def hard(name, address):
    return message(6, b"\x01\x00" + bytes([len(name)]) + name + struct.pack("<Q", address))


def external(file, target=b"/d", name=b"x"):
    value = b"\0" + file + b"\0" + target + b"\0"
    return link(name, 64, struct.pack("<H", len(value)) + value)


def attribute(name, value, kind=b"\x13\x00\x00\x00"):
    """An attribute of one text, or of another type of the value's size."""
    shape = b"\x02\x00\x00\x00"
    datatype = kind + struct.pack("<I", len(value))
    sizes = struct.pack("<HHH", len(name) + 1, len(datatype), len(shape))
    return message(12, b"\x03\x00" + sizes + b"\0" + name + b"\0" + datatype + shape + value)


OPAQUE = b"\x15\x00\x00\x00"


def rules(data, name="model.h5"):
    return {(each.rule, each.severity.value) for each in judged(look(data, name))}


def model(*layers):
    return json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}).encode()


LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wEAAAAA", None, None], "function_type": "lambda"}}
PLAIN = whole(header(attribute(b"keras_version", b"2.11.0"), attribute(b"model_config", model())))


def test_an_honest_file_is_checked():
    seen = look(PLAIN, "model.h5")
    assert (format_of(seen), judged(seen), seen.not_checked) == ("hdf5", (), ())


@pytest.mark.parametrize("name", [b"model_config", b"training_config", b"some_config"])
@pytest.mark.parametrize("block", [0, 512, 4096, 1 << 18])
def test_configurations_are_read(name, block):
    data = whole(header(attribute(name, model(LAMBDA))), block=block)
    expected = {("MLG-KER-001", "critical"), ("MLG-KER-005", "high")}
    assert rules(data) == expected
    assert expected <= rules(data, "notes.bin")
    assert expected <= rules(zipped(Entry("model.weights.h5", data)), "model.keras")


@pytest.mark.parametrize("ending", [b"\0", b"\0\0\0\0", b"\0 junk"])
def test_a_text_ends_at_a_nul(ending):
    data = whole(header(attribute(b"model_config", model(LAMBDA) + ending)))
    assert ("MLG-KER-001", "critical") in rules(data)


def test_the_last_byte_of_a_name_does_not_count():
    data = whole(header(attribute(b"model_config", model(LAMBDA)))).replace(
        b"model_config\0", b"model_configX"
    )
    assert ("MLG-KER-001", "critical") in rules(data)


def test_a_configuration_below_the_root():
    lower = header(attribute(b"model_config", model(LAMBDA)))
    root = header(hard(b"a", 0))
    address = places(root, lower)[1]
    data = whole(header(hard(b"a", address)), lower)
    assert ("MLG-KER-001", "critical") in rules(data)


def test_a_configuration_that_is_no_json_is_not_checked():
    assert reasons(look(whole(header(attribute(b"model_config", model(LAMBDA)[:-3]))))) == {"malformed"}


@pytest.mark.parametrize(
    ("file", "severity"),
    [(b"/etc/other.h5", "high"), (b"../x.h5", "high"), (b"beside.h5", "medium"), (b"https://x/y", "high")],
)
def test_external_links(file, severity):
    assert rules(whole(header(external(file)))) == {("MLG-KER-006", severity)}


def test_soft_links_stay_inside():
    value = b"/other"
    data = whole(header(link(b"s", 1, struct.pack("<H", len(value)) + value)))
    assert not rules(data)
    assert not look(data).not_checked


def test_other_kinds_of_links_are_not_checked():
    assert reasons(look(whole(header(link(b"u", 65, struct.pack("<H", 1) + b"x"))))) == {"unsupported-format"}


def test_the_same_file_often_is_one_fact():
    names = [b"n%d" % at for at in range(50)]
    seen = look(whole(header(*(external(b"/etc/passwd", name=name) for name in names))))
    assert len(judged(seen)) == 1


@pytest.mark.parametrize("payload", [EVIL, TEXT_EVIL, b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."])
@pytest.mark.parametrize("kind", [b"\x13\x00\x00\x00", OPAQUE])
def test_pickled_attributes_are_read(payload, kind):
    data = whole(header(attribute(b"state", payload, kind)))
    assert any(rule.startswith("MLG-PKL") and severity == "critical" for rule, severity in rules(data))


@pytest.mark.parametrize(
    "value", [b"(lp1\nVa\np2\na.", pickle.dumps({"a": [1, 2]}, 2), b"text\nof\nlines", NOISE[:500]]
)
def test_honest_attributes_are_no_alarm(value):
    data = whole(header(attribute(b"axis", value), attribute(b"raw", value, OPAQUE)))
    seen = look(data, "model.h5")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_encoded_pickles_are_read():
    data = whole(header(attribute(b"state", base64.b64encode(EVIL) + b"\0\0")))
    assert ("MLG-PKL-002", "critical") in rules(data)
    assert not rules(whole(header(attribute(b"word", b"tensorflowkeras1"), attribute(b"x", b"A" * 40))))


def test_a_file_without_a_root_is_not_checked():
    data = superblock(UNDEFINED, 48)
    assert reasons(look(data)) == {"malformed"}


def contiguous(data_at, size, kind):
    shape = message(1, b"\x02\x00\x00\x00")
    datatype = message(3, kind + struct.pack("<I", size))
    return header(shape, datatype, message(8, struct.pack("<BBQQ", 3, 1, data_at, size)))


def test_opaque_data_is_read():
    root = header(hard(b"d", 0))
    dataset = contiguous(0, len(EVIL), OPAQUE)
    _, at, data_at = places(root, dataset, EVIL)
    data = whole(header(hard(b"d", at)), contiguous(data_at, len(EVIL), OPAQUE), EVIL)
    assert ("MLG-PKL-002", "critical") in rules(data)


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_what_ends_too_early_is_not_checked(version):
    data = bytearray(PLAIN)
    data[8] = version
    seen = look(bytes(data[:40]), "m.h5")
    assert reasons(seen) & {"truncated", "malformed"}
    assert "reader-failed" not in reasons(seen)


def test_a_version_that_is_not_known_is_not_checked():
    data = bytearray(PLAIN)
    data[8] = 9
    assert reasons(look(bytes(data), "m.h5")) == {"unsupported-format"}


def test_every_cut_is_not_checked():
    for end in range(9, len(PLAIN)):
        seen = look(PLAIN[:end], "m.h5")
        assert seen.not_checked, end
        assert "reader-failed" not in reasons(seen)


def test_a_file_of_several_is_not_checked():
    driver = header(message(0x14, bytes(20)))
    root = header()
    data = superblock(48, 48 + len(root) + len(driver)) + root + driver
    data = data[:20] + struct.pack("<Q", 48 + len(root)) + data[28:]
    assert reasons(look(data, "m.h5")) == {"unsupported-format"}


def test_circles_end():
    first = header(hard(b"a", 0), hard(b"b", 0))
    second = places(first, first)[1]
    data = whole(header(hard(b"a", second), hard(b"b", 48)), header(hard(b"a", 48), hard(b"b", second)))
    assert not look(data).not_checked


def test_a_header_that_continues_in_itself():
    continued = message(0x10, struct.pack("<QQ", 48, 40))
    assert reasons(look(whole(header(continued)))) == {"malformed"}
    block = b"OCHK" + message(0x10, struct.pack("<QQ", 0, 0)) + bytes(4)
    root = header(message(0x10, struct.pack("<QQ", 0, len(block))))
    at = places(root, block)[1]
    loop = b"OCHK" + message(0x10, struct.pack("<QQ", at, len(block))) + bytes(4)
    assert reasons(look(whole(header(message(0x10, struct.pack("<QQ", at, len(block)))), loop))) == {
        "malformed"
    }


def test_objects_are_counted():
    empty = header()
    names = [b"%04d" % at for at in range(400)]
    first = header(*(hard(name, 0) for name in names))
    start = places(first, empty)[1]
    root = header(*(hard(name, start + at * len(empty)) for at, name in enumerate(names)))
    data = whole(root, *(empty for _ in names))
    assert not look(data).not_checked
    assert reasons(look(data, members=100)) == {"limit"}


def test_huge_counts_cost_nothing():
    shape = b"\x02\x04\x00\x01" + struct.pack("<QQQQ", *[1 << 62] * 4)
    datatype = b"\x13\x00\x00\x00" + struct.pack("<I", 1 << 31)
    sizes = struct.pack("<HHH", 2, len(datatype), len(shape))
    data = whole(header(message(12, b"\x03\x00" + sizes + b"\0a\0" + datatype + shape)))
    assert reasons(look(data)) == {"malformed"}
    used = message(7, b"\x01\0\0\0" + struct.pack("<HHQ", 65535, 65535, 48))
    assert reasons(look(whole(header(used)))) == {"malformed"}


def test_many_headers_in_one_place_are_an_end():
    # Each attribute leads to the same long table.
    table = b"BTHD\0\x08" + bytes(100)
    info = message(0x15, b"\0\0" + struct.pack("<QQ", 48, 48))
    seen = look(whole(header(*[info] * 500), table))
    assert reasons(seen) == {"malformed"}


def test_noise_behind_the_signature_is_not_checked():
    for version in range(4):
        seen = look(b"\x89HDF\r\n\x1a\n" + bytes([version]) + NOISE, "m.h5")
        assert seen.not_checked
        assert "reader-failed" not in reasons(seen)


def files():
    for version in ("earliest", "latest"):
        stream = io.BytesIO()
        with h5py.File(stream, "w", libver=version) as opened:
            for at in range(12):
                opened.attrs[f"a{at}"] = f"value {at}"
                opened[f"g{at}/h"] = h5py.SoftLink("/x")
            opened["e"] = h5py.ExternalLink("/etc/x.h5", "/a")
            opened.create_dataset("d", (4, 4), "f4", chunks=(2, 2), compression="gzip")
            opened.create_dataset("v", data=["a", "b"])
            opened.create_dataset("r", (5,), "u1", external=[("/etc/passwd", 0, 5)])
            layout = h5py.VirtualLayout((4,), "u1")
            layout[:] = h5py.VirtualSource("../x.h5", "d", (4,))
            opened.create_virtual_dataset("s", layout)
        yield stream.getvalue()


def test_every_way_out_of_a_file():
    for data in files():
        seen = look(data, "m.h5")
        (hows,) = [{fact.detail["how"] for fact in seen.facts if fact.kind == "hdf5.external"}]
        assert hows == {"link", "raw data", "virtual data set"}
        assert not seen.not_checked


def test_a_cut_at_any_place_is_never_clean():
    for data in files():
        for end in range(9, len(data), 97):
            seen = look(data[:end], "m.h5")
            assert seen.not_checked, end
            assert "reader-failed" not in reasons(seen)


SEEDS = [PLAIN, whole(header(external(b"/x"), attribute(b"a", EVIL))), *files()]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.data())
def test_mutations_never_break_the_reader(seed, data):
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(9, len(changed) - 1))
        value = data.draw(
            st.sampled_from([b"\0", b"\xff", b"\xff" * 8, b"\1", bytes(8)])
            | st.binary(min_size=1, max_size=4)
        )
        changed[at : at + len(value)] = value
    assert "reader-failed" not in reasons(look(bytes(changed), "m.h5"))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=400), st.sampled_from([0, 2]))
def test_anything_behind_a_superblock(body, version):
    start = whole() if version == 2 else b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0" + bytes(8)
    assert "reader-failed" not in reasons(look(start + body, "m.h5"))


def test_kinds():
    assert kinds(look(whole(header(external(b"/x"))), "m.h5")) == {"core.format", "hdf5.external"}
