import base64
import struct

import flatbuffers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons

NAME, METADATA = "ARROW:extension:name", "ARROW:extension:metadata"
PYTHON = [(NAME, "arrow.py_extension_type"), (METADATA, EVIL)]
EVIL_TYPE = {"metadata": PYTHON}


def _vector(builder, items):
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return builder.EndVector()


def _table(builder, size, fields):
    builder.StartObject(size)
    for number, (kind, value) in fields.items():
        if kind == "offset":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        else:
            getattr(builder, f"Prepend{kind}Slot")(number, value, 0)
    return builder.EndObject()


def _pairs(builder, metadata):
    made = []
    for key, value in metadata:
        names = builder.CreateString(key), builder.CreateString(value)
        made.append(_table(builder, 2, {at: ("offset", name) for at, name in enumerate(names)}))
    return _vector(builder, made)


def _field(builder, metadata=(), children=()):
    inner = _vector(builder, [_field(builder, **each) for each in children])
    pairs = _pairs(builder, metadata)
    name = builder.CreateString("column")
    return _table(
        builder, 7, {0: ("offset", name), 2: ("Uint8", 2), 5: ("offset", inner), 6: ("offset", pairs)}
    )


def _schema(builder, fields, metadata=()):
    made = _vector(builder, [_field(builder, **each) for each in fields])
    return _table(builder, 4, {1: ("offset", made), 2: ("offset", _pairs(builder, metadata))})


def message(*fields, metadata=(), kind=1):
    builder = flatbuffers.Builder()
    schema = _schema(builder, fields, metadata)
    builder.Finish(_table(builder, 5, {0: ("Int16", 4), 1: ("Uint8", kind), 2: ("offset", schema)}))
    return _padded(bytes(builder.Output()))


def footer(*fields):
    builder = flatbuffers.Builder()
    schema = _schema(builder, fields)
    builder.Finish(_table(builder, 5, {0: ("Int16", 4), 1: ("offset", schema)}))
    return bytes(builder.Output())


def _padded(data):
    return data + bytes(-len(data) % 8)


def stream(*fields, mark=b"\xff\xff\xff\xff", **options):
    data = message(*fields, **options)
    if not mark:
        data += bytes(4)
    return mark + struct.pack("<I", len(data)) + data + b"\xff\xff\xff\xff" + bytes(4)


def file(first, last):
    tail = footer(*last)
    return b"ARROW1\0\0" + stream(*first) + tail + struct.pack("<I", len(tail)) + b"ARROW1"


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def text(value):
    return number(len(value)) + value


def parquet(*pairs, head=b"PAR1", end=b"PAR1", before=b""):
    """A Parquet file of no column, with a few fields before its key-value metadata."""
    held = b"".join(b"\x18" + text(key) + b"\x18" + text(value) + b"\0" for key, value in pairs)
    schema = b"\x19\x1c\x48" + text(b"schema") + b"\x15\x00\0"
    meta = b"\x15\x04" + schema + b"\x16\x00" + b"\x19\x0c" + before + b"\x19"
    meta += (
        (bytes([len(pairs) << 4 | 12]) if len(pairs) < 15 else b"\xfc" + number(len(pairs))) + held + b"\0"
    )
    return head + meta + struct.pack("<I", len(meta)) + end


def with_schema(data):
    return parquet((b"pandas", b"{}"), (b"ARROW:schema", base64.b64encode(data)))


PLAIN = {"metadata": [("pandas", '{"columns": []}')]}
CARRIERS = {
    "stream": stream,
    "stream of old": lambda field: stream(field, mark=b""),
    "file": lambda field: file([field], [field]),
    "file, first message": lambda field: file([field], [PLAIN]),
    "file, footer": lambda field: file([PLAIN], [field]),
    "parquet": lambda field: with_schema(stream(field)),
    "parquet, schema of old": lambda field: with_schema(stream(field, mark=b"")),
}
PLACES = {
    "column": EVIL_TYPE,
    "inside a column": {"children": [PLAIN, {"children": [EVIL_TYPE]}]},
    "metadata first": {"metadata": PYTHON[::-1]},
    "among other metadata": {"metadata": [("a", "b"), *PYTHON, ("c", "d")]},
    "name twice": {"metadata": [(NAME, "geoarrow.point"), *PYTHON]},
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["table.bin", "t.parquet"])
def test_a_pickled_type_is_found_wherever_it_stands(carrier, place, name):
    seen = look(CARRIERS[carrier](PLACES[place]), name)
    assert ("MLG-ARR-001", "critical") in {(each.rule, each.severity.value) for each in judged(seen)}
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    "metadata",
    [
        [("pandas", '{"columns": []}'), ("huggingface", '{"info": {}}')],
        [(NAME, "geoarrow.point"), (METADATA, '{"crs": "EPSG:4326"}')],
        [(NAME, "ray.data.arrow_tensor"), (METADATA, "[3, 3]")],
        [(NAME, "arrow.uuid"), (METADATA, "")],
        [("note", "arrow.py_extension_type")],
    ],
)
def test_ordinary_metadata_says_nothing(carrier, metadata):
    seen = look(CARRIERS[carrier]({"metadata": metadata}), "t.bin")
    assert judged(seen) == ()
    assert not seen.not_checked
    assert format_of(seen) in {"arrow", "parquet"}


def test_what_ray_unpickles():
    harmless = stream(
        {"metadata": [(NAME, "ray.data.arrow_tensor_v2"), (METADATA, b"\x80\x04K\x03K\x03\x86.")]}
    )
    assert [(each.rule, each.severity.value) for each in judged(look(harmless))] == [
        ("MLG-ARR-001", "medium")
    ]
    evil = look(stream({"metadata": [(NAME, "ray.data.arrow_variable_shaped_tensor"), (METADATA, EVIL)]}))
    assert "critical" in {each.severity.value for each in judged(evil)}
    cells = look(stream({"metadata": [(NAME, "ray.data.arrow_pickled_object"), (METADATA, "")]}))
    assert reasons(cells) == {"unsupported-format"}


@pytest.mark.parametrize("carrier", ["stream", "file", "parquet"])
def test_pickles_in_other_metadata_are_looked_at(carrier):
    field = {"metadata": [("custom", EVIL)]}
    assert called(look(CARRIERS[carrier](field))) == {"posix.system"}
    assert called(look(parquet((b"custom", EVIL)))) == {"posix.system"}
    assert called(look(stream(PLAIN, metadata=[("custom", EVIL)]))) == {"posix.system"}


TEXT = b"cposix\nsystem\n(S'true'\ntR."


@pytest.mark.parametrize("carrier", ["stream", "file", "parquet"])
@pytest.mark.parametrize("name", ["acme.extension", "ray.data.arrow_tensor"])
def test_pickles_of_the_old_protocols_are_looked_at(carrier, name):
    field = {"metadata": [(NAME, name), (METADATA, TEXT)]}
    assert called(look(CARRIERS[carrier](field))) == {"posix.system"}
    assert called(look(parquet((b"custom", TEXT)))) == {"posix.system"}


def test_sentences_are_no_pickles():
    for words in ("created by a program.", "(c) somebody.", "it is a table."):
        seen = look(stream(PLAIN, metadata=[("comment", words)]))
        assert (judged(seen), seen.not_checked) == ((), ())
        seen = look(parquet((b"comment", words.encode())))
        assert (judged(seen), seen.not_checked) == ((), ())


def test_parquet_is_known_by_its_end():
    data = parquet((b"ARROW:schema", base64.b64encode(stream(EVIL_TYPE))), head=b"xxxx")
    assert called(look(data)) == {"posix.system"}
    data = b"xxxx" + file([PLAIN], [EVIL_TYPE])[8:]
    assert called(look(data)) == {"posix.system"}


@pytest.mark.parametrize(
    "value",
    [
        b"\x1b\x00",
        b"\x1b\x01\x88\x01a\x01b",
        b"\x17" + bytes(8),
        b"\x1a\x31\x01\x02\x01",
        b"\x13\x07",
        b"\x11",
        b"\x1c\x15\x02\0",
    ],
    ids=["empty map", "map", "double", "set of booleans", "byte", "boolean", "structure"],
)
def test_fields_of_all_types_are_passed_over(value):
    fields = b"\x15\x04" + value + b"\x09\x0a\x1c\x18" + text(b"k") + b"\x18" + text(EVIL) + b"\0\0"
    assert called(look(b"PAR1" + fields + struct.pack("<I", len(fields)) + b"PAR1")) == {"posix.system"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (parquet(end=b"PARE"), "encrypted"),
        (parquet()[:-1], "truncated"),
        (b"PAR1" + b"\xff" * 20 + struct.pack("<I", 20) + b"PAR1", "malformed"),
        (b"PAR1" + b"\x19\xfc\xff\xff\xff\x7f" + struct.pack("<I", 6) + b"PAR1", "malformed"),
        (b"PAR1" + b"\x19\x5d\x19\x5d\0\0" + struct.pack("<I", 6) + b"PAR1", "malformed"),
        (b"PAR1" + b"\x1c" * 100 + struct.pack("<I", 100) + b"PAR1", "limit"),
        (parquet((b"ARROW:schema", b"a")), "malformed"),
        (with_schema(stream(PLAIN)[:40]), "truncated"),
        (b"ARROW1\0\0" + NOISE, "truncated"),
        (file([PLAIN], [PLAIN])[:30], "truncated"),
        (b"FEA1" + NOISE, "truncated"),
    ],
)
def test_what_cannot_be_read_is_not_checked(data, reason):
    assert reason in reasons(look(data, "t.parquet"))


def test_limits():
    assert reasons(look(file([PLAIN], [PLAIN]), header_bytes=10)) == {"limit"}
    assert reasons(look(with_schema(stream(PLAIN)), header_bytes=10)) == {"limit"}


def test_other_content_is_left_alone():
    for data in (
        NOISE,
        b"\xff\xff\xff\xff\x10\0\0\0\x08\0\0\0" + NOISE,
        NOISE + b"PAR1",
        NOISE + b"ARROW1",
        struct.pack("<II", 60, 4) + NOISE,
    ):
        assert format_of(look(data, "weights.bin")) == "opaque"
    assert "core.polyglot" not in kinds(look(stream(PLAIN, kind=3)))


def test_feather_of_old_has_no_extension_types():
    seen = look(b"FEA1" + NOISE + struct.pack("<I", 8) + b"FEA1", "t.feather")
    assert (seen.facts, seen.not_checked, format_of(seen)) == ((), (), "arrow")


SEEDS = [*(CARRIERS[each](EVIL_TYPE) for each in CARRIERS), parquet((b"a", EVIL), before=b"\x1b\x00")]


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_cut_anywhere(seed):
    for cut in range(0, len(SEEDS[seed]), 7):
        assert "reader-failed" not in reasons(look(SEEDS[seed][:cut], "t.parquet"))


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.data())
def test_no_bytes_break_the_reader(seed, data):
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed, "t.arrow"))
