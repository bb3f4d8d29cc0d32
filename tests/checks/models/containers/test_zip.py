import io
import lzma
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import (
    EVIL,
    NOISE,
    Entry,
    called,
    elf,
    format_of,
    judged,
    kinds,
    look,
    reasons,
    wide_end,
    zipped,
)

from mlgate.core.severity import Severity

SAFE = Entry("a.txt", b"text")


def fields(seen):
    return {
        field for fact in seen.facts if fact.kind == "archive.disagreement" for field in fact.detail["fields"]
    }


def test_an_ordinary_archive_is_looked_at_and_says_nothing():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/words.txt", "word " * 1000)
        archive.writestr("blob.bin", NOISE)
    seen = look(data.getvalue(), "some.zip")
    assert (seen.facts, seen.not_checked, format_of(seen)) == ((), (), "zip")


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("name", ["data.pkl", "noextension", "image.png", "deep/down/x"])
def test_every_member_is_routed_by_its_content(method, name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("a.txt", "text")
        archive.writestr(name, EVIL)
    seen = look(data.getvalue())
    assert called(seen) == {"posix.system"}
    assert {fact.location.member for fact in seen.facts if fact.kind == "pickle.call"} == {name}
    assert not seen.not_checked


def test_an_archive_that_was_written_as_a_stream_is_ordinary():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = bytearray()

        def writable(self):
            return True

        def write(self, data):
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "text" * 100)
        archive.writestr("b.bin", EVIL)
    seen = look(bytes(pipe.data), "x.zip")
    assert called(seen) == {"posix.system"}
    assert not any(kind.startswith(("archive", "core.una")) for kind in kinds(seen))
    assert not seen.not_checked


EVASIONS = {
    "bad checksum": zipped(Entry("m/data.pkl", EVIL, local={"crc": 1}, central={"crc": 1})),
    "wrong local checksum": zipped(Entry("m/data.pkl", EVIL, local={"crc": 1})),
    "encrypted in the directory": zipped(Entry("m/data.pkl", EVIL, central={"flags": 1})),
    "encrypted in both": zipped(Entry("m/data.pkl", EVIL, flags=1)),
    "deflated, encrypted in both": zipped(Entry("m/data.pkl", EVIL, method=8, flags=1)),
    "other name in front": zipped(Entry("m/data.pkl", EVIL, local={"name": b"readme.txt"})),
    "other name in the directory": zipped(Entry("m/data.pkl", EVIL, central={"name": b"readme.txt"})),
    "deflated, said to be stored": zipped(Entry("m/data.pkl", EVIL, method=8, central={"method": 0})),
    "stored, said to be deflated": zipped(Entry("m/data.pkl", EVIL, central={"method": 8})),
    "size of nothing in the directory": zipped(Entry("m/data.pkl", EVIL, central={"size": 0, "packed": 0})),
    "size of nothing in front": zipped(Entry("m/data.pkl", EVIL, local={"size": 0, "packed": 0})),
    "first of two of one name": zipped(Entry("m/data.pkl", EVIL), Entry("m/data.pkl", b"N.")),
    "second of two of one name": zipped(Entry("m/data.pkl", b"N."), Entry("m/data.pkl", EVIL)),
    "not in the directory": zipped(SAFE, Entry("m/data.pkl", EVIL, hidden=True), SAFE),
    "in front of a directory of nothing": zipped(Entry("m/data.pkl", EVIL, hidden=True), SAFE),
    "behind a prefix": zipped(Entry("m/data.pkl", EVIL), prefix=b"junk" * 100),
    "behind a prefix, relative": zipped(Entry("m/data.pkl", EVIL), prefix=b"junk" * 100, absolute=False),
    "no directory": zipped(Entry("m/data.pkl", EVIL), end=False),
    "no directory, sizes behind the data": zipped(
        Entry("m/data.pkl", EVIL, local={"flags": 8, "size": 0, "packed": 0, "crc": 0}), end=False
    ),
    "cut off": zipped(Entry("m/data.pkl", EVIL), Entry("b", NOISE))[: 100 + len(EVIL)],
    "another archive in the comment": zipped(SAFE, comment=zipped(Entry("m/data.pkl", EVIL))),
    "another archive in front": zipped(Entry("m/data.pkl", EVIL)) + zipped(SAFE),
    "behind junk after the end": zipped(Entry("m/data.pkl", EVIL)) + b"junk" * 100,
    "wrong number of entries": zipped(Entry("m/data.pkl", EVIL), count=0),
    "traversing name": zipped(Entry("../../m/data.pkl", EVIL)),
    "in an archive in an archive": zipped(Entry("a", zipped(Entry("b", zipped(Entry("c", EVIL), SAFE), method=8)))),
    "packed by xz": zipped(Entry("m/data.pkl", EVIL, method=95, packed=lzma.compress(EVIL))),
    "said to be a symbolic link": zipped(SAFE, Entry("m/data.pkl", EVIL, mode=0o120777)),
    "said to be a folder": zipped(SAFE, Entry("m/data.pkl/", EVIL)),
    "of a version to come": zipped(SAFE, Entry("m/data.pkl", EVIL, central={"needs": 99})),
    "said to be patched data": zipped(SAFE, Entry("m/data.pkl", EVIL, flags=0x20)),
    "far behind the end of another archive": zipped(SAFE) + bytes(3 << 20) + zipped(Entry("m/data.pkl", EVIL)),
    "behind a large entry that is not listed either": zipped(
        SAFE, Entry("big", bytes(2 << 20), hidden=True), Entry("m/data.pkl", EVIL, method=8, hidden=True)
    ),
    "with its end record far from the end": b"junk" + zipped(Entry("m/data.pkl", EVIL, method=8)) + b"x" * 69_000,
    "content of a regular file": zipped(SAFE, Entry("m/data.pkl", EVIL, mode=0o100644)),
}  # fmt: skip


@pytest.mark.parametrize("data", EVASIONS.values(), ids=EVASIONS.keys())
@pytest.mark.parametrize("name", ["model.pt", "weights.bin"])
def test_no_trick_hides_a_member(data, name):
    assert "posix.system" in called(look(data, name))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (EVASIONS["encrypted in the directory"], "encryption flag"),
        (EVASIONS["encrypted in both"], "encryption flag is false"),
        (EVASIONS["other name in front"], "name"),
        (EVASIONS["deflated, said to be stored"], "method"),
        (EVASIONS["size of nothing in the directory"], "size"),
        (EVASIONS["size of nothing in front"], "packed size"),
        (EVASIONS["wrong local checksum"], "crc"),
        (EVASIONS["not in the directory"], "directory"),
        (EVASIONS["another archive in the comment"], "directory"),
        (EVASIONS["wrong number of entries"], "number of entries"),
    ],
)
def test_records_that_contradict_each_other_are_named(data, field):
    seen = look(data)
    assert field in fields(seen)
    assert "MLG-ARC-004" in {finding.rule for finding in judged(seen) if finding.severity is Severity.HIGH}


@pytest.mark.parametrize("name", ["/etc/x", "C:\\x", "..\\x", "a/../../x", "\\\\host\\x", b"a.txt\0.pkl"])
def test_names_that_leave_the_folder(name):
    assert [finding.rule for finding in judged(look(zipped(Entry(name, b"text"))))] == ["MLG-ARC-001"]


@pytest.mark.parametrize("name", ["a/../x", "...", "a..b", "x/..y", "a\\b"])
def test_names_that_only_look_like_it(name):
    assert "archive.escape" not in kinds(look(zipped(Entry(name, b"text"))))


@pytest.mark.parametrize(
    ("to", "leaves"), [("../../x", True), ("/etc/passwd", True), ("../b", False), ("b", False)]
)
def test_symbolic_links(to, leaves):
    seen = look(zipped(Entry("d/link", to.encode(), mode=0o120777)))
    assert ("archive.link" in kinds(seen)) is leaves


def test_an_encrypted_member_is_not_checked():
    seen = look(zipped(Entry("secret", NOISE, flags=1, local={"crc": 5}, central={"crc": 5})))
    assert reasons(seen) == {"encrypted"}


@pytest.mark.parametrize(
    ("method", "reason"), [(98, "unsupported-format"), (9, "unsupported-format"), (99, "encrypted")]
)
def test_methods_that_are_not_read_are_not_checked(method, reason):
    assert reasons(look(zipped(Entry("a", b"xyz", method=method)))) == {reason}


def test_a_bomb_is_stopped_by_its_ratio():
    data = zipped(Entry("zeros", bytes(20 << 20), method=8))
    seen = look(data, ratio=100)
    assert [finding.rule for finding in judged(seen)] == ["MLG-ARC-003"]
    assert reasons(seen) == {"limit"}
    assert look(data).facts == ()


def test_a_bomb_of_entries_that_share_their_data():
    inner = Entry("a", bytes(1 << 16), method=8)
    data = zipped(*([inner] + [Entry(f"b{n}", b"", local={"name": b""}) for n in range(5)]), offsets=[0] * 6)
    assert "MLG-ARC-003" in {finding.rule for finding in judged(look(data))}


def test_all_members_together_may_only_grow_so_far():
    data = zipped(*(Entry(f"{n}", bytes(1 << 16), method=8) for n in range(20)))
    seen = look(data, inflated_bytes=1 << 20)
    assert reasons(seen) == {"limit"}
    assert "limits.inflated_bytes" in seen.not_checked[0].message


def test_members_are_counted():
    seen = look(zipped(*(Entry(str(n)) for n in range(30))), members=20)
    assert reasons(seen) == {"limit"}


def test_depth_is_counted():
    data = EVIL
    for _ in range(6):
        data = zipped(Entry("inner", data))
    assert called(look(data)) == {"posix.system"}
    seen = look(data, depth=3)
    assert (called(seen), reasons(seen)) == (set(), {"limit"})


@pytest.mark.parametrize(
    ("names", "kind", "unread"),
    [
        (["m/data.pkl", "m/version"], "torch", False),
        (["m/data.pkl", "m/code/a.py"], "torchscript", False),
        (["a.npy", "b.npy"], "npz", False),
        (["config.json", "metadata.json", "model.weights.h5"], "keras", False),
        (["schema.json", "0.npy"], "skops", True),
        (["MAR-INF/MANIFEST.json"], "torch-model-archive", False),
        (["[Content_Types].xml", "word/document.xml"], "zip", False),
    ],
)
def test_the_members_names_say_what_the_archive_is(names, kind, unread):
    seen = look(zipped(*(Entry(name, b"N." if name.endswith("pkl") else b"text") for name in names)))
    assert format_of(seen) == kind
    assert any(kind in item.message for item in seen.not_checked) is unread


@pytest.mark.parametrize(
    ("prefix", "severity"),
    [(b"#!/usr/bin/env python3\n", Severity.INFO), (b"junk", Severity.LOW), (elf(), Severity.HIGH)],
)
def test_what_stands_before_an_archive(prefix, severity):
    found = {each.rule: each.severity for each in judged(look(zipped(SAFE, prefix=prefix), "x.bin"))}
    assert found["MLG-ARC-007"] is severity


def test_the_same_member_twice_is_harmless():
    found = judged(look(zipped(SAFE, SAFE)))
    assert [(each.rule, each.severity) for each in found] == [("MLG-ARC-005", Severity.LOW)]


def test_an_archive_stored_at_the_end_of_an_archive_is_no_second_directory():
    assert look(zipped(SAFE, Entry("inner.zip", zipped(Entry("b.txt", b"text"))))).facts == ()


def test_a_large_zip64_archive_is_ordinary():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, archive.open("x.bin", "w", force_zip64=True) as member:
        member.write(EVIL)
    seen = look(data.getvalue(), "x.zip")
    assert called(seen) == {"posix.system"}
    assert not any(kind.startswith("archive") for kind in kinds(seen))


def test_the_numbers_of_a_tensor_are_no_pickle_and_no_gap():
    numbers = random.Random(0)
    tensors = [Entry(f"m/data/{n}", b"x\x9c" + numbers.randbytes(200)) for n in range(50)]
    tensors += [
        Entry(f"m/data/9{n:03}", bytes([first]) + numbers.randbytes(500))
        for n, first in enumerate(b"c(]}I\x80KUX")
    ]
    seen = look(zipped(Entry("m/data.pkl", b"\x80\x02}q\x00."), Entry("m/version", b"3\n"), *tensors), "m.pt")
    assert not judged(seen)
    assert not seen.not_checked


def test_a_pickle_where_numbers_should_be_is_found():
    seen = look(zipped(Entry("m/data.pkl", b"N."), Entry("m/data/0", EVIL), Entry("m/version", b"3\n")))
    assert called(seen) == {"posix.system"}


def test_a_program_in_a_model_archive():
    seen = look(zipped(Entry("m/data.pkl", b"N."), Entry("m/data/0", elf())))
    assert "MLG-BIN-001" in {finding.rule for finding in judged(seen)}
    assert not judged(look(zipped(Entry("pkg/lib.so", elf())), "pkg.whl"))


def test_control_characters_of_a_name_are_escaped():
    (fact,) = look(zipped(Entry("../\x1b[2Jx", b"text"))).facts
    assert fact.subject == "../\\x1b[2Jx"


def split(data):
    """Return an archive's entries, its directory, and its end record."""
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    return data[:start], data[start:end], data[end:]


def test_the_end_record_of_zip64_is_read():
    entries, directory, _ = split(zipped(Entry("m/data.pkl", EVIL)))
    whole = entries + directory
    seen = look(whole + wide_end(len(entries), len(directory), 1, len(whole)), "m.pt")
    assert called(seen) == {"posix.system"}
    assert not any(kind.startswith(("archive", "core.una")) for kind in kinds(seen))
    assert not seen.not_checked


def test_an_archive_that_deflate_could_not_shrink_is_no_second_directory_either():
    inner = zipped(Entry("noise.bin", random.Random(0).randbytes(200_000)))  # noqa: S311 - not for secrets
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.zip", inner)
        archive.writestr("two.zip", inner)
    seen = look(data.getvalue(), "some.zip")
    assert inner[-22:] in data.getvalue()
    assert (kinds(seen), reasons(seen)) == (set(), set())


@pytest.mark.parametrize("hidden", ["wide", "short"])
def test_end_records_that_lead_to_different_directories(hidden):
    both = zipped(Entry("m/data.pkl", EVIL), SAFE)
    entries, _, _ = split(both)
    evil = split(zipped(Entry("m/data.pkl", EVIL), Entry("a.txt", b"text", hidden=True)))[1]
    safe = split(zipped(Entry("m/data.pkl", EVIL, hidden=True), SAFE))[1]
    first, second = (evil, safe) if hidden == "short" else (safe, evil)
    wide, short = len(entries), len(entries) + len(second)
    whole = entries + second + first
    record = (
        b"PK\5\6"
        + bytes(4)
        + b"\1\0\1\0"
        + len(first).to_bytes(4, "little")
        + short.to_bytes(4, "little")
        + b"\0\0"
    )
    seen = look(whole + wide_end(wide, len(second), 1, len(whole), short=record))
    assert "posix.system" in called(seen)
    assert fields(seen) & {"directory", "number of entries"}


def test_methods_that_ask_for_too_much_are_not_checked():
    for header in (b"\0\0\5\0\x5d\xff\xff\xff\x7f", b"\0\0\5\0\xff\0\0\1\0", b"\0\0\6\0"):
        assert reasons(look(zipped(Entry("a", packed=header + b"x", method=14)))) == {"unsupported-format"}


def test_a_directory_that_points_past_the_end_is_not_checked():
    assert reasons(look(zipped(SAFE, offsets=[10_000]))) == {"truncated"}


def unicode_path(name, of=b"a.txt"):
    """The extra field that gives an entry another name."""
    data = b"\1" + struct.pack("<I", zlib.crc32(of)) + name
    return struct.pack("<HH", 0x7075, len(data)) + data


@pytest.mark.parametrize("place", ["local", "central"])
def test_the_name_in_an_extra_field_counts(place):
    evil = Entry("a.txt", b"text", **{place: {"extra": unicode_path(b"../../x")}})
    assert "MLG-ARC-001" in {each.rule for each in judged(look(zipped(evil)))}
    other = Entry("a.txt", b"text", **{place: {"extra": unicode_path(b"b.txt")}})
    assert fields(look(zipped(other))) == {"name"}
    honest = Entry(b"\x81.txt", b"text", **{place: {"extra": unicode_path("\xfc.txt".encode(), b"\x81.txt")}})
    assert look(zipped(honest)).facts == ()


@pytest.mark.parametrize(
    ("options", "field"),
    [({"central": {"needs": 64}}, "version needed"), ({"flags": 0x20}, "flags"), ({"flags": 0x40}, "flags")],
)
def test_what_some_readers_refuse_and_others_ignore(options, field):
    assert fields(look(zipped(Entry("a", b"text", **options)))) == {field}


def test_data_that_runs_into_the_directory():
    data = zipped(Entry("a", b"text", local={"packed": 40, "size": 40}, central={"packed": 40, "size": 40}))
    assert "packed size" in fields(look(data))


@pytest.mark.parametrize(
    ("names", "found"), [(("m/data.pkl", "m/DATA.pkl"), True), (("a.txt", "A.txt"), False)]
)
def test_names_that_only_pytorch_takes_for_one(names, found):
    seen = look(zipped(*(Entry(name, b"N.") for name in names)))
    assert ("archive.duplicate" in kinds(seen)) is found


def test_zeros_behind_an_archive_are_padding():
    assert look(zipped(SAFE) + bytes(4096)).facts == ()
    assert "core.unaccounted" in kinds(look(zipped(SAFE) + bytes(4096) + b"x"))


def test_both_end_records_of_zip64_are_read():
    safe, evil = (
        split(zipped(SAFE, Entry("m/data.pkl", EVIL, hidden=True))),
        split(zipped(Entry("a.txt", b"text", hidden=True), Entry("m/data.pkl", EVIL))),
    )
    whole = safe[0] + evil[1] + safe[1]
    first = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(evil[1]), len(safe[0]))
    at = len(whole)
    whole += first + wide_end(len(safe[0]) + len(evil[1]), len(safe[1]), 1, at)
    seen = look(whole)
    assert called(seen) == {"posix.system"}
    assert "directory" in fields(seen)


@pytest.mark.parametrize("cut", range(0, 260, 3))
def test_cut_anywhere(cut):
    data = zipped(Entry("m/data.pkl", EVIL, method=8), SAFE)[:cut]
    assert "reader-failed" not in reasons(look(data))


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(list(EVASIONS.values())[:26]), st.data())
def test_no_bytes_break_the_reader(seed, data):
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed))


@pytest.mark.parametrize("length", [29, 30, 31])
def test_a_first_entry_as_long_as_the_wide_end_records_is_no_second_directory(length):
    # What PyTorch writes: wide records behind every directory, needed or not.
    name = "m/data.pkl".rjust(length, "m")
    data = zipped(Entry(name, b"\x80\x02}."), Entry("m/version", b"3\n"), end=False)
    start = data.index(b"PK\1\2")
    short = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, len(data) - start, start, 0)
    made = data + wide_end(start, len(data) - start, 2, len(data), short=short)
    seen = look(made, "m.pt")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_a_last_entry_that_would_begin_behind_the_end_is_empty():
    header = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 8, 0, 0, 0, 0, 0, 0, 60, 60_000)
    seen = look(b"\x80\x04K\x01." + header + b"n" * 80, "m.pkl")
    assert "reader-failed" not in reasons(seen)
    assert "truncated" in reasons(seen)
