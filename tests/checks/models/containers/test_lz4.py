import random
import struct

import lz4.frame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons

from mlgate.checks.models.containers._frames import LZ4_LEGACY
from mlgate.checks.models.containers._lz4_block import Corrupt, decode
from mlgate.checks.models.containers._lz4_frame import Frame, Input

SKIPPED = struct.pack("<II", 0x184D2A53, 3) + b"abc"
BODY = EVIL + bytes(random.Random(0).choices(b"abc ", k=300_000))


def literals(data):
    """An LZ4 block of literals alone."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    rest = len(data) - 15
    return b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


def legacy(*contents):
    return LZ4_LEGACY + b"".join(struct.pack("<I", len(literals(each))) + literals(each) for each in contents)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"block_linked": False},
        {"block_size": lz4.frame.BLOCKSIZE_MAX4MB, "compression_level": 9},
        {"content_checksum": True, "block_checksum": True},
        {"store_size": False},
    ],
    ids=str,
)
def test_the_content_is_routed(options):
    seen = look(lz4.frame.compress(BODY, **options), "m.joblib")
    assert called(seen) == {"posix.system"}
    assert format_of(seen) == "lz4"
    assert not seen.not_checked


@pytest.mark.parametrize("size", [0, 1, 5, 100, 70_000, 200_000])
@pytest.mark.parametrize("step", [1, 1000, 1 << 20])
@pytest.mark.parametrize("linked", [True, False])
def test_what_comes_out_is_what_went_in(size, step, linked):
    if size / step > 10_000:
        return
    made = random.Random(size)
    data = b"".join(made.choice([b"abc", made.randbytes(7), bytes(40)]) for _ in range(size // 7 + 1))[:size]
    packed = lz4.frame.compress(data, block_linked=linked)
    frame = Frame(Input(len(packed) + 4))
    out = bytearray()
    for at in range(0, len(packed), step):
        out += frame.decompress(packed[at : at + step], 1 << 30)
    assert bytes(out) == data
    assert frame.eof


def test_frames_that_are_skipped_and_frames_end_to_end():
    seen = look(SKIPPED + lz4.frame.compress(EVIL[:10]) + SKIPPED + lz4.frame.compress(EVIL[10:]) + SKIPPED)
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked
    assert "core.unaccounted" not in kinds(seen)


def test_legacy_frames_have_no_end_mark():
    seen = look(legacy(EVIL[:20], EVIL[20:]), "m.lz4")
    assert (called(seen), seen.not_checked) == ({"posix.system"}, ())
    seen = look(legacy(EVIL[:20]) + lz4.frame.compress(EVIL[20:]), "m.lz4")
    assert (called(seen), seen.not_checked) == ({"posix.system"}, ())


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-3],
        lambda data: data[:-200],
        lambda data: data[:5] + b"\x10" + data[6:],
        lambda data: data[:4] + b"\x02" + data[5:],
        lambda data: data[:4] + b"\x65" + data[5:],
        lambda data: data[:6] + b"\x01" + data[7:],
        lambda data: data[:15] + b"\xff\xff\xff\x7f" + data[19:],
    ],
)
def test_damage_is_not_checked(change):
    assert "truncated" in reasons(look(change(lz4.frame.compress(EVIL + NOISE)), "m.lz4"))


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x10",
        b"\x10A\x00",
        b"\x10A\x05\x00\x00",
        b"\x10A\x00\x00\x00",
        b"\xff",
        b"\x1fA\x01\x00" + b"\xff" * 99 + b"\0",
    ],
)
def test_blocks_that_are_none(block):
    with pytest.raises(Corrupt):
        decode(block, b"", 1000)


def test_a_bomb_is_stopped():
    seen = look(lz4.frame.compress(bytes(40 << 20)), "m.lz4", ratio=100)
    assert [finding.rule for finding in judged(seen)] == ["MLG-ARC-003"]
    assert "limit" in reasons(seen)


@pytest.mark.parametrize("cut", range(0, 120, 1))
def test_cut_anywhere(cut):
    data = lz4.frame.compress(EVIL * 3)[:cut]
    assert "reader-failed" not in reasons(look(data, "m.lz4"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from([lz4.frame.compress(BODY[:300]), legacy(EVIL), SKIPPED]), st.data())
def test_no_bytes_break_the_reader(seed, data):
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=20)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed, "m.lz4"))
