import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import NOISE, format_of, judged, kinds, look, reasons

from mlgate.checks.models.formats.stablehlo import callbacks


def number(value, *, wide=False):
    """A number of MLIR's bytecode; ``wide`` in its longest form."""
    if wide:
        return b"\0" + struct.pack("<Q", value)
    extra = next(each for each in range(8) if value < 1 << 7 * (each + 1))
    return (value << extra + 1 | 1 << extra).to_bytes(extra + 1, "little")


def section(kind, data, *, aligned=False):
    if aligned:
        return bytes([kind | 0x80]) + number(len(data)) + number(8) + b"\xcb" * 3 + data
    return bytes([kind]) + number(len(data)) + data


def bytecode(*strings, wide=False, before=b""):
    texts = [each.encode() + b"\0" for each in strings]
    table = number(len(texts), wide=wide) + b"".join(number(len(each), wide=wide) for each in texts[::-1])
    return (
        b"ML\xefR"
        + number(6)
        + b"StableHLO_v1.15.0\0"
        + before
        + section(0, table + b"".join(texts))
        + section(1, b"x")
    )


def exported(module):
    """A flatbuffer without a mark that holds a program, as `jax.export` writes it."""
    layout = struct.pack("<HHH", 6, 8, 4) + bytes(50)
    root = 4 + len(layout)
    table = struct.pack("<iI", root - 4, 4) + struct.pack("<I", len(module)) + module
    return struct.pack("<I", root) + layout + table


CARRIERS = {"bytecode": lambda module: module, "jax-export": exported}
EVIL = bytecode("builtin", "custom_call_v1", "xla_python_cpu_callback", "n" * 300)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("target", sorted(callbacks()))
@pytest.mark.parametrize("wide", [True, False])
def test_callbacks_into_python_are_found(carrier, target, wide):
    seen = look(CARRIERS[carrier](bytecode("builtin", "custom_call_v1", target, wide=wide)), "m.bin")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-ORB-001", "high")]
    assert not seen.not_checked


def test_sections_before_the_strings_are_passed_over():
    before = section(5, b"data" * 100) + section(6, b"other", aligned=True)
    assert "jax.callback" in kinds(
        look(bytecode("xla_python_cpu_callback", before=section(5, b"data" * 100)))
    )
    assert "reader-failed" not in reasons(look(bytecode("xla_python_cpu_callback", before=before)))


@pytest.mark.parametrize(("carrier", "format_"), [("bytecode", "stablehlo"), ("jax-export", "jax-export")])
def test_an_ordinary_program_says_nothing(carrier, format_):
    seen = look(CARRIERS[carrier](bytecode("builtin", "custom_call_v1", "lapack_spotrf_ffi")), "m.bin")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), format_)


@pytest.mark.parametrize(
    "data",
    [
        EVIL[:30],
        EVIL[:15],
        b"ML\xefR" + number(6) + NOISE[:64].replace(b"\0", b"x"),
        b"ML\xefR" + number(6) + b"x\0" + section(1, b"x"),
        b"ML\xefR" + number(6) + b"x\0" + section(0, number(10**9)),
        b"ML\xefR" + number(6) + b"x\0" + section(0, number(1) + number(10**9)),
    ],
)
def test_what_cannot_be_followed_is_not_checked(data):
    assert reasons(look(data, "m.mlirbc")) == {"malformed"}


def test_the_table_is_bounded():
    assert reasons(look(EVIL, header_bytes=10)) == {"limit"}


def test_other_content_is_left_alone():
    assert format_of(look(exported(NOISE), "m.bin")) == "opaque"
    assert format_of(look(exported(b"ML\xefR" * 100), "m.bin")) == "opaque"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_cut_anywhere(carrier):
    data = CARRIERS[carrier](EVIL)
    for cut in range(0, len(data), 5):
        assert "reader-failed" not in reasons(look(data[:cut], "m.bin"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(CARRIERS)), st.data())
def test_no_bytes_break_the_reader(carrier, data):
    seed = CARRIERS[carrier](EVIL)
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed, "m.bin"))
