import bz2
import gzip
import lzma
import zlib

import pytest
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons

PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_the_content_is_routed(kind):
    seen = look(PACKERS[kind](EVIL + bytes(100)), "m.joblib")
    assert called(seen) == {"posix.system"}
    assert format_of(seen) == kind
    assert not reasons(seen) - {"malformed"}


@pytest.mark.parametrize("level", range(10))
def test_any_level_of_zlib(level):
    assert called(look(zlib.compress(EVIL, level))) == {"posix.system"}


def test_the_header_of_the_first_joblib():
    for length in (b"0x%-17x", b"0x%-17xL"):
        seen = look(b"ZF" + length % len(EVIL) + zlib.compress(EVIL), "m.pkl")
        assert called(seen) == {"posix.system"}


@pytest.mark.parametrize(
    "settings", [{"lc": 0, "lp": 2, "pb": 0}, {"lc": 4, "lp": 0, "pb": 2, "dict_size": 1 << 20}], ids=str
)
def test_any_properties_of_lzma(settings):
    packed = lzma.compress(EVIL, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, **settings}])
    assert called(look(packed, "m.bin")) == {"posix.system"}


def test_zeros_between_streams_of_gzip_are_skipped():
    seen = look(gzip.compress(EVIL[:10]) + bytes(9) + gzip.compress(EVIL[10:]))
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zlib"])
def test_streams_end_to_end_are_one_file(kind):
    seen = look(PACKERS[kind](EVIL[:10]) + PACKERS[kind](EVIL[10:]))
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked


@pytest.mark.parametrize("kind", PACKERS)
def test_what_came_out_of_a_damaged_stream_is_looked_at(kind):
    # bzip2 gives nothing before its first block is whole.
    packed = PACKERS[kind](EVIL + NOISE)
    seen = look(packed[: len(packed) * 9 // 10], "m.joblib")
    assert "truncated" in reasons(seen)
    assert called(seen) == (set() if kind == "bzip2" else {"posix.system"})


@pytest.mark.parametrize("kind", PACKERS)
def test_bytes_behind_the_stream_are_named(kind):
    assert "core.unaccounted" in kinds(look(PACKERS[kind](b"text" * 10) + b"behind"))
    assert "core.unaccounted" not in kinds(look(PACKERS[kind](b"text" * 10) + bytes(20)))


def test_a_bomb_is_stopped():
    seen = look(bz2.compress(bytes(40 << 20)))
    assert [finding.rule for finding in judged(seen)] == ["MLG-ARC-003"]
    assert reasons(seen) == {"limit"}


def test_a_dictionary_that_would_fill_memory_is_not_checked():
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 4096}]
    data = bytearray(lzma.compress(b"text", filters=filters))
    assert reasons(look(bytes(data[:16]) + b"\x21\x01\x27" + bytes(data[19:]))) == {"truncated"}
    large = [{"id": lzma.FILTER_LZMA2, "dict_size": 128 << 20}]
    assert reasons(look(lzma.compress(EVIL, filters=large))) == {"limit"}


@pytest.mark.parametrize(
    "head", [b"x\x9c", b"x\x01", b"x\xda", b"\x18\x19", b"]\x00\x00\x80\x00" + b"\xff" * 8 + b"\x00"]
)
def test_noise_behind_a_weak_magic_is_no_stream(head):
    seen = look(head + NOISE)
    assert (seen.facts, seen.not_checked, format_of(seen)) == ((), (), "opaque")


def test_a_pickle_that_starts_like_zlib_is_a_pickle():
    assert called(look(b"(S'true'\nios\nsystem\n.")) >= {"os.system"}


@pytest.mark.parametrize(("name", "inner"), [("a.pkl.gz", "a.pkl"), ("a.tgz", "a.tar"), ("a.bin", "content")])
def test_the_contents_name(name, inner):
    (seen,) = {
        fact.location.member for fact in look(gzip.compress(EVIL), name).facts if fact.kind == "pickle.call"
    }
    assert seen == inner


@pytest.mark.parametrize(("first", "second"), [("xz", "lzma"), ("lzma", "xz"), ("lzma", "lzma")])
def test_python_reads_both_forms_of_lzma_as_one_file(first, second):
    data = PACKERS[first](EVIL[:10]) + PACKERS[second](EVIL[10:])
    assert lzma.decompress(data) == EVIL
    seen = look(data, "m.joblib")
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked


def test_zeros_between_streams_of_xz_are_skipped():
    assert called(look(lzma.compress(EVIL[:10]) + bytes(8) + lzma.compress(EVIL[10:]))) == {"posix.system"}


@pytest.mark.parametrize("kind", PACKERS)
def test_bytes_behind_the_stream_are_looked_at(kind):
    assert called(look(PACKERS[kind](b"text" * 10) + EVIL)) == {"posix.system"}
    assert called(look(PACKERS[kind](b"text" * 10) + gzip.compress(EVIL))) == {"posix.system"}


def test_streams_in_streams_end_at_the_limit():
    data = EVIL
    for _ in range(12):
        data = gzip.compress(data)
    assert reasons(look(data)) == {"limit"}
    inner = bz2.compress(bytes(2 << 20))
    assert reasons(look(gzip.compress(inner), inflated_bytes=1 << 20)) == {"limit"}


@pytest.mark.parametrize("payload", [EVIL, EVIL + NOISE * 3])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("wrong", range(1, 9))
def test_what_comes_before_a_bad_checksum_is_read(pack, payload, wrong):
    packed = bytearray(pack(payload))
    packed[-min(wrong, 4 if pack is zlib.compress else 8)] ^= 0x55
    seen = look(bytes(packed), "m.joblib")
    assert called(seen) == {"posix.system"}
    assert "truncated" in reasons(seen)


def test_what_comes_before_a_broken_block_is_read():
    engine = zlib.compressobj()
    packed = engine.compress(EVIL) + engine.flush(zlib.Z_SYNC_FLUSH) + b"\xff" * 50
    assert called(look(packed, "m.joblib")) == {"posix.system"}


@pytest.mark.parametrize(
    ("flags", "header"),
    [
        (2, b"\0\0"),
        (4, b"\4\0abcd"),
        (8, b"name\0"),
        (16, b"comment\0"),
        (30, b"\4\0abcdname\0comment\0\xff\xff"),
        (0xE0, b""),
        (8, b"n" * 9000 + b"\0"),
    ],
)
def test_a_header_of_gzip_is_read_as_python_reads_it(flags, header):
    body = gzip.compress(EVIL, mtime=0)[10:]
    packed = b"\x1f\x8b\x08" + bytes((flags,)) + bytes(6) + header + body
    assert gzip.decompress(packed) == EVIL
    seen = look(packed, "m.joblib")
    assert called(seen) == {"posix.system"}
    assert not reasons(seen)
