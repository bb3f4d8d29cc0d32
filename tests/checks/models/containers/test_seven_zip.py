import base64
import bz2
import lzma
import struct
import zlib

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons

from mlgate.checks.models.containers import _zstd

# Made by 7-Zip 26.01: a folder with a text, an empty file and the pickle of `building`.
SOLID = base64.b64decode(
    "N3q8ryccAAQV4g1fmwAAAAAAAAAhAAAAAAAAALeHijYBACB0ZXh0CoACY3Bvc2l4CnN5c3RlbQpYBAAAAHRydWWFUi4AAACBMweuD9BaW3yf"
    "P0dBBYeGo4oceG1GZbRC+Sth8peDv9AHqngQ/KWBoJb7WjkimwrpbgIime672zRFf9bCpVLvXWbFjPqZmaQXKEe4ycc7JtTcQTeF4mWdm3QZ"
    "n+5U+bjqDwa+EAjPWlRFzQ4XVFOD/AAAABcGJQEJdgAHCwEAASMDAQEFXQAQAAAMgKYKAT3CrUoAAA=="
)
# The same with a password, its list of members included.
SECRET = base64.b64decode(
    "N3q8ryccAAQNFC8O0AAAAAAAAAA+AAAAAAAAALVGHjI9asTNHD2oLDkJW/u3fkgHgMn3v0KBclIiqUKqYMGctYq0si0aFPP+Cs9Pd78a++CY"
    "T6CY/styo3I/pkhIS2UXaXWruFuG6NCaJFOGmbknfWKu5tyKEZXuh8kyP53uO5qEvPIMEC8y3w23Vi1r8266vj/n82DCrxPB+HU0e48v5H04"
    "4/ui0dJDy2HFGKwDd3b2M202OpKUrAoybu712hRfRu50sYON/O74jVv0ncZalj+Gk2bNgmMLmDsoycm3o/ri1nYA5F/2qfpZQABU9K8pFwYw"
    "AQmAoAAHCwEAAiQG8QcBElMPxtofYq8GnvxXRYtz3XcD9CMDAQEFXQAQAAABAAyAloDGCgHOQ5DXAAA="
)
# The same by PPMd.
PPMD = base64.b64decode(
    "N3q8ryccAAQz2MnvoQAAAAAAAAAhAAAAAAAAAPQRhggAc++axzb4GxYHkJw/kNObICQpLoelgyiwsnYWfGnq40iUAAAAgTMHrg/QPBb8nz9H"
    "QWKykkXuT6tx6yEM2gAUF2rzeWS8oAj2K2S3flwNX8oGYT0cwKtJwOGp8rBEjV79VCcY1U7ldNs48f7ltBtO7mW45P3kavv1iX2fWeY+dR8e"
    "GHLKtEBK1HQROUK+7GuLLylyi18VmGeZyhh53GkAABcGIwEJfgAHCwEAASMDAQEFXQAQAAAMgLYKAdJqf4gAAA=="
)


def number(value):
    """A number of 7z, in its longest form."""
    return b"\xff" + struct.pack("<Q", value)


def record(kind, data):
    return bytes([kind]) + number(len(data)) + data


def _raw(*filters):
    return lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=list(filters))


def _deflate(data):
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


_LZMA2 = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}
_LZMA1 = {"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}
_COPY = b"\x01\x00"
METHODS = {
    "copy": (bytes, [_COPY]),
    "lzma": (_raw(_LZMA1), [b"\x23\x03\x01\x01\x05\x5d\x00\x00\x01\x00"]),
    "lzma2": (_raw(_LZMA2), [b"\x21\x21\x01\x08"]),
    "bzip2": (bz2.compress, [b"\x03\x04\x02\x02"]),
    "deflate": (_deflate, [b"\x03\x04\x01\x08"]),
    "zstd": (zstd.compress, [b"\x24\x04\xf7\x11\x01\x05\x01\x05\x03\0\0"]),
    "two copies": (bytes, [_COPY, _COPY]),
    "delta": (_raw({"id": lzma.FILTER_DELTA, "dist": 4}, _LZMA2), [b"\x21\x03\x01\x03", b"\x21\x21\x01\x08"]),
    "x86": (_raw({"id": lzma.FILTER_X86}, _LZMA2), [b"\x04\x03\x03\x01\x03", b"\x21\x21\x01\x08"]),
}


def archive(
    *members, method="copy", coders=None, packed=None, sizes=None, crcs=None, modes=None, count=None, tail=b"",
    sound=True, pairs=None,
):  # fmt: skip
    """Write one solid folder and a plain header."""
    pack, steps = METHODS[method]
    steps = coders or steps
    contents = [data for _, data in members]
    whole = b"".join(contents)
    body = pack(whole) if packed is None else packed
    streams = b"\x06" + number(0) + number(1) + b"\x09" + number(len(body)) + b"\0"
    joined = pairs or [(at, at + 1) for at in range(len(steps) - 1)]
    pairs = b"".join(number(at) + number(to) for at, to in joined)
    streams += b"\x07\x0b" + number(1) + b"\0" + number(len(steps)) + b"".join(steps) + pairs
    streams += b"\x0c" + number(len(whole)) * len(steps) + b"\0"
    sizes = sizes or [len(each) for each in contents[:-1]]
    crcs = crcs or [zlib.crc32(each) for each in contents]
    streams += b"\x08\x0d" + number(len(contents)) + b"\x09" + b"".join(map(number, sizes))
    streams += b"\x0a\x01" + b"".join(struct.pack("<I", each) for each in crcs) + b"\0" + b"\0"
    names = b"".join((name + "\0").encode("utf-16-le", "surrogatepass") for name, _ in members)
    files = number(count or len(members)) + record(17, b"\0" + names)
    if modes:
        files += record(21, b"\x01\0" + b"".join(struct.pack("<I", mode << 16 | 0x8000) for mode in modes))
    return written(body, b"\x01\x04" + streams + b"\x05" + files + b"\0" + b"\0", sound=sound) + tail


def written(body, header, *, sound=True):
    place = struct.pack("<QQI", len(body), len(header), zlib.crc32(header) ^ (not sound))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(place)) + place + body + header


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["model.pt", "m.7z", "noextension"])
def test_every_member_is_routed_by_its_content(method, name):
    seen = look(archive(("a.txt", b"text"), ("b/c", EVIL), ("d.bin", NOISE), method=method), name)
    assert called(seen) == {"posix.system"}
    assert {fact.location.member for fact in seen.facts if fact.kind == "pickle.call"} == {"b/c"}
    assert format_of(seen) == "7z"
    assert not seen.not_checked


def test_an_archive_of_7_zip_with_a_packed_header():
    seen = look(SOLID, "m.7z")
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked
    assert "critical" in {each.severity.value for each in judged(seen)}


def test_an_ordinary_archive_says_nothing():
    seen = look(archive(("a.txt", b"text"), ("b.bin", NOISE), modes=[0o100644, 0o100755]), "m.7z")
    assert (seen.facts, seen.not_checked) == ((), ())


@pytest.mark.parametrize(("data", "reason"), [(SECRET, "encrypted"), (PPMD, "unsupported-format")])
def test_what_cannot_be_unpacked_is_not_checked(data, reason):
    assert reasons(look(data, "m.7z")) == {reason}


@pytest.mark.parametrize(
    ("coders", "reason"),
    [
        ([b"\x24\x06\xf1\x07\x01\x01\0"], "encrypted"),
        ([b"\x03\x03\x04\x01"], "unsupported-format"),
        ([b"\x03\x04\x01\x09"], "unsupported-format"),
        ([b"\x02\x09\x99"], "unsupported-format"),
        ([b"\x21\x21\x01\x28"], "truncated"),
        ([b"\x23\x03\x01\x01\x05\xff\x00\x00\x01\x00"], "unsupported-format"),
        ([b"\x21\x03\x01\x03", _COPY], "unsupported-format"),
        ([b"\x14\x03\x03\x01\x1b\x04\x01"], "malformed"),
        ([_COPY] * 33, "malformed"),
    ],
)
def test_coders_that_are_not_undone(coders, reason):
    assert reasons(look(archive(("a", EVIL), coders=coders), "m.7z")) == {reason}


@pytest.mark.parametrize("name", ["/etc/x", "../x", "..\\x", "C:\\x", "a/../../x"])
def test_names_that_leave_the_folder(name):
    assert [each.rule for each in judged(look(archive((name, b"text"))))] == ["MLG-ARC-001"]


@pytest.mark.parametrize(
    ("mode", "target", "rule"),
    [
        (0o120777, b"../../x", "MLG-ARC-002"),
        (0o120777, b"/etc/passwd", "MLG-ARC-002"),
        (0o120777, b"other", None),
        (0o020666, b"", "MLG-ARC-002"),
    ],
)
def test_links_and_devices(mode, target, rule):
    found = judged(look(archive(("d/l", target), modes=[mode]), "m.7z"))
    assert [each.rule for each in found] == ([rule] if rule else [])


def test_two_members_of_one_name():
    assert "MLG-ARC-005" in {each.rule for each in judged(look(archive(("a", b"text"), ("a", b"other"))))}


def test_wrong_checksums_are_named_and_hide_nothing():
    for data in (archive(("a", EVIL), crcs=[1]), archive(("a", EVIL), sound=False)):
        seen = look(data)
        assert "archive.checksum" in kinds(seen)
        assert called(seen) == {"posix.system"}
    changed = bytearray(archive(("a", EVIL)))
    changed[8] ^= 1
    assert called(look(bytes(changed))) == {"posix.system"}


def test_a_bomb_is_stopped():
    seen = look(archive(("a", bytes(40 << 20)), method="lzma2"), ratio=100)
    assert "MLG-ARC-003" in {each.rule for each in judged(seen)}
    assert "limit" in reasons(seen)


def test_limits_are_shared():
    seen = look(
        archive(*((str(n), bytes(1 << 16)) for n in range(20)), method="lzma2"), inflated_bytes=1 << 20
    )
    assert reasons(seen) == {"limit"}
    assert reasons(look(archive(*((str(n), b"") for n in range(30))), members=20)) == {"limit"}
    assert reasons(look(SOLID, header_bytes=10)) == {"limit"}


@pytest.mark.parametrize("method", ["copy", "lzma2", "deflate"])
def test_data_that_ends_early_is_not_checked(method):
    whole = METHODS[method][0](EVIL + NOISE)
    seen = look(archive(("a", EVIL), ("b", NOISE), ("c", b""), method=method, packed=whole[:2000]))
    assert called(seen) == {"posix.system"}
    assert "truncated" in reasons(seen)


@pytest.mark.parametrize("options", [{"count": 5}, {"sizes": [10**9]}, {"count": 60_000}])
def test_records_that_cannot_be(options):
    assert reasons(look(archive(("a", EVIL), ("b", b"x"), **options))) == {"malformed"}


def test_more_members_than_data_is_not_checked():
    header = archive(("a", EVIL), ("b", b"text"))
    assert not reasons(look(header))
    names = "a\0b\0c\0".encode("utf-16-le")
    files = b"\x05" + number(3) + record(17, b"\0" + names) + b"\0\0"
    data = archive(("a", EVIL), ("b", b"text"))
    start = data.index(b"\x05" + number(2))
    body = data[32 : 32 + len(EVIL) + 4]
    seen = look(written(body, data[32 + len(body) : start] + files))
    assert (called(seen), reasons(seen)) == ({"posix.system"}, {"malformed"})


def test_bytes_behind_are_named():
    assert "core.unaccounted" in kinds(look(archive(("a", b"text"), tail=b"more")))
    assert look(written(b"", b""), "m.7z").facts == ()


@pytest.mark.parametrize("cut", range(0, len(SOLID), 3))
def test_cut_anywhere(cut):
    seen = look(SOLID[:cut], "m.7z")
    assert reasons(seen)
    assert "reader-failed" not in reasons(seen)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([SOLID, archive(("a", EVIL), ("b", b"text"), method="lzma2"), PPMD]), st.data())
def test_no_bytes_break_the_reader(seed, data):
    at = data.draw(st.integers(6, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed, "m.7z"))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_no_header_breaks_the_reader(data):
    header = bytearray(archive(("a", EVIL), ("b", b"text"))[32 + len(EVIL) + 4 :])
    at = data.draw(st.integers(0, len(header) - 1))
    header[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    assert "reader-failed" not in reasons(look(written(EVIL + b"text", bytes(header)), "m.7z"))


@pytest.mark.parametrize("pairs", [[(0, 0)], [(0, 7)], [(1, 1)], [(1, 0)]])
def test_coders_that_are_joined_in_no_sensible_way(pairs):
    seen = look(archive(("a", EVIL), coders=[_COPY, _COPY], pairs=pairs), "m.7z")
    assert "malformed" in reasons(seen) or called(seen) == {"posix.system"}


def test_a_broken_pickle_in_an_archive_that_is_called_a_model():
    seen = look(archive(("data.pkl", EVIL[:-1] + b"\xff\xff broken"), method="lzma2"), "pytorch_model.pt")
    assert "critical" in {each.severity.value for each in judged(seen)}


def test_zstandard_that_cannot_be_unpacked_here(monkeypatch):
    def missing():
        raise _zstd.Missing

    monkeypatch.setattr(_zstd, "_module", missing)
    assert reasons(look(archive(("a", EVIL), method="zstd"), "m.7z")) == {"unsupported-format"}


def test_checksums_of_packed_data_and_properties_are_passed_over():
    data = archive(("a", EVIL))
    header = data[32 + len(EVIL) :]
    with_crc = header.replace(
        b"\x09" + number(len(EVIL)) + b"\0", b"\x09" + number(len(EVIL)) + b"\x0a\x01" + bytes(4) + b"\0", 1
    )
    with_all = b"\x01\x02\x05" + number(2) + b"xx" + b"\0" + b"\x03\0" + with_crc[1:]
    assert len(with_crc) > len(header)
    seen = look(written(EVIL, with_all), "m.7z")
    assert called(seen) == {"posix.system"}
    assert not seen.not_checked


def test_a_header_that_is_packed_without_end():
    streams = b"\x06" + number(0) + number(1) + b"\x09" + number(100) + b"\0"
    streams += b"\x07\x0b" + number(1) + b"\0" + number(1) + _COPY + b"\x0c" + number(100) + b"\0\0"
    body = (b"\x17" + streams).ljust(100, b"\0")
    assert reasons(look(written(body, b"\x17" + streams), "m.7z")) == {"malformed"}


@pytest.mark.parametrize("coder", [b"\x21\x21\x01\x28", b"\x23\x03\x01\x01\x05\x5d\xff\xff\xff\x7f"])
def test_a_dictionary_counts_as_far_as_there_is_data_for_it(coder):
    large = archive(("a", bytes(90 << 20)), coders=[coder], packed=b"x", crcs=[0])
    assert reasons(look(large, "m.7z")) == {"limit"}
    pack = METHODS["lzma2" if coder[:1] == b"\x21" and coder[1:2] == b"\x21" else "lzma"][0]
    small = archive(("a", EVIL), coders=[coder], packed=pack(EVIL))
    assert called(look(small, "m.7z")) == {"posix.system"}
