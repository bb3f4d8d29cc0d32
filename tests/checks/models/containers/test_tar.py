import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons

from mlgate.checks.models.containers import tar
from mlgate.checks.models.reader import HEAD, Blob, Clock, Declined
from mlgate.core.facts import Fact, Location, NotChecked
from mlgate.core.limits import Limits


def tarred(*members, fmt=tarfile.PAX_FORMAT, compression=""):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}", format=fmt) as archive:
        for name, content, *rest in members:
            info = tarfile.TarInfo(name)
            for key, value in dict(*rest).items():
                setattr(info, key, value)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("fmt", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_every_member_is_routed_by_its_content(fmt, compression):
    seen = look(tarred(("a/" * 50 + "b.txt", b"text"), ("x", EVIL), fmt=fmt, compression=compression))
    assert called(seen) == {"posix.system"}
    assert not any(kind.startswith(("archive", "core.una")) for kind in kinds(seen))
    assert not seen.not_checked


def test_an_ordinary_archive_says_nothing():
    seen = look(tarred(("d", b"", {"type": tarfile.DIRTYPE}), ("d/a.txt", b"text"), ("d/b", NOISE)), "x.tar")
    assert (seen.facts, seen.not_checked, format_of(seen)) == ((), (), "tar")


def test_a_long_name_is_taken_from_its_extension():
    for fmt in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        seen = look(tarred(("d/" * 100 + "../" * 101 + "x", b"text"), fmt=fmt))
        assert [finding.rule for finding in judged(seen)] == ["MLG-ARC-001"]


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        (("/etc/x", b"text"), "MLG-ARC-001"),
        (("../x", b"text"), "MLG-ARC-001"),
        (("d/l", b"", {"type": tarfile.SYMTYPE, "linkname": "../../x"}), "MLG-ARC-002"),
        (("d/l", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}), "MLG-ARC-002"),
        (("d/l", b"", {"type": tarfile.LNKTYPE, "linkname": "../x"}), "MLG-ARC-002"),
        (("d/fifo", b"", {"type": tarfile.FIFOTYPE}), "MLG-ARC-002"),
        (("d/dev", b"", {"type": tarfile.CHRTYPE}), "MLG-ARC-002"),
        (("d/l", b"", {"type": tarfile.SYMTYPE, "linkname": "../x"}), None),
        (("d/l", b"", {"type": tarfile.LNKTYPE, "linkname": "d/x"}), None),
    ],
)
def test_what_unpacking_would_do(member, rule):
    assert [finding.rule for finding in judged(look(tarred(member)))] == ([rule] if rule else [])


def test_two_members_of_one_name():
    found = judged(look(tarred(("a", b"text"), ("a", b"other"))))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-ARC-005", "medium")]


@pytest.mark.parametrize("cut", [600, 1000, 1100, 1600])
def test_a_cut_archive_is_not_checked(cut):
    seen = look(tarred(("a", EVIL), ("b", NOISE))[:cut])
    assert called(seen) == {"posix.system"}
    assert "truncated" in reasons(seen)


def test_rubbish_between_members_is_not_checked():
    data = tarred(("a", b"text"), ("b", EVIL))
    seen = look(data[:1024] + b"\xff" * 512 + data[1536:])
    assert reasons(seen) == {"truncated"}


def test_bytes_behind_the_end_are_named():
    assert "MLG-COR-003" in {each.rule for each in judged(look(tarred(("a", b"text")) + NOISE))}


def test_members_are_counted():
    assert reasons(look(tarred(*((str(n), b"") for n in range(30))), members=20)) == {"limit"}


def test_a_checkpoint_of_the_first_torch():
    seen = look(tarred(*((name, b"N.") for name in ("sys_info", "pickle", "storages", "tensors"))), "m.pt")
    assert format_of(seen) == "torch"
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-TOR-002", "low")]


def test_a_name_that_is_a_pickle_is_read_as_one_too():
    data = bytearray(tarred(("cposix\nsystem\n(S'true'\ntR.", b"text")))
    assert called(look(bytes(data))) == {"posix.system"}


def test_a_checksum_of_signed_bytes_holds():
    data = bytearray(tarred(("\xe9\xff", EVIL), fmt=tarfile.GNU_FORMAT))
    rest = bytes(data[:148]) + bytes(data[156:512])
    data[148:156] = b"%06o\0 " % (256 + sum(byte - 256 * (byte > 127) for byte in rest))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["\xe9\xff"]
    seen = look(bytes(data), "m.bin")
    assert format_of(seen) == "tar"
    assert called(seen) == {"posix.system"}


@pytest.mark.parametrize(("key", "told"), [("size", True), ("path", True), ("comment", False)])
def test_a_global_header_that_changes_members_is_not_checked(key, told):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT, pax_headers={key: "9"}) as archive:
        archive.addfile(tarfile.TarInfo("x"))
    assert ("unsupported-format" in reasons(look(data.getvalue()))) == told


def block(name, size=0, kind=b"0", *, link=b"", magic=b"ustar\00000", prefix=b"", mtime=0, more=()):
    """One header with a right checksum; ``more`` overwrites fields by their offset."""
    data = bytearray(512)
    for at, value in (
        (0, name), (100, b"0000644\0"), (108, b"0000000\0"), (116, b"0000000\0"), (124, b"%011o\0" % size),
        (136, b"%011o\0" % mtime), (148, b" " * 8), (156, kind), (157, link), (257, magic), (345, prefix), *more,
    ):  # fmt: skip
        data[at : at + len(value)] = value
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def body(data):
    return data + bytes(-len(data) % 512)


def pax(*records, kind=b"x", raw=None):
    made = b""
    for key, value in records:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest) + 1
        length = len(rest) + len(str(length + 2))
        while len(str(length)) + len(rest) != length:
            length += 1
        made += str(length).encode() + rest
    made = made if raw is None else raw
    return block(b"pax", len(made), kind) + body(made)


END = bytes(1024)
SAFE = block(b"a.txt", 4) + body(b"text")
BAD = block(b"m.pkl", len(EVIL)) + body(EVIL)

TRICKS = {
    "behind a folder with a size": block(b"d/", len(BAD), b"5") + BAD,
    "behind a symbolic link with a size": block(b"l", len(BAD), b"2", link=b"a") + BAD,
    "behind a hard link with a size": block(b"l", len(BAD), b"1", link=b"a") + BAD,
    "behind a pipe with a size": block(b"l", len(BAD), b"6") + BAD,
    "data of a folder": block(b"d/", len(EVIL), b"5") + body(EVIL),
    "data of a folder of old": block(b"d/", len(EVIL), b"\0") + body(EVIL),
    "data of a link": block(b"l", len(EVIL), b"2", link=b"a") + body(EVIL),
    "data of a hard link": block(b"l", len(EVIL), b"1", link=b"a") + body(EVIL),
    "name of a folder, type of a file": block(b"m.pkl/", len(EVIL)) + body(EVIL),
    "an unknown type": block(b"m.pkl", len(EVIL), b"Z") + body(EVIL),
    "a contiguous file": block(b"m.pkl", len(EVIL), b"7") + body(EVIL),
    "the oldest format": block(b"m.pkl", len(EVIL), b"\0", magic=b"") + body(EVIL),
    "size in base 256": block(b"m.pkl", more=[(124, b"\x80" + len(EVIL).to_bytes(11, "big"))]) + body(EVIL),
    "size in an extension": pax((b"size", b"%d" % len(EVIL))) + block(b"m.pkl", 0) + body(EVIL),
    "size in an extension, of many digits": pax(raw=b"0000000000025 size=%05d\n" % len(EVIL)) + block(b"m.pkl", 0) + body(EVIL),
    "sparse": block(b"m.pkl", len(EVIL), b"S", magic=b"ustar  \0", more=[(386, b"%011o\0%011o\0" % (0, len(EVIL))), (483, b"%011o\0" % len(EVIL))]) + body(EVIL),
    "sparse, with more maps": block(b"m.pkl", len(EVIL), b"S", magic=b"ustar  \0", more=[(482, b"\1")]) + bytes(512) + body(EVIL),
    "behind a sparse member": block(b"s", 4, b"S", magic=b"ustar  \0", more=[(482, b"\1")]) + bytes(504) + b"\1" + bytes(519) + body(b"text") + BAD,
    "in an archive behind the end": SAFE + END + BAD,
    "behind the end, far": SAFE + bytes(10240) + BAD,
}  # fmt: skip


@pytest.mark.parametrize("data", TRICKS.values(), ids=TRICKS.keys())
@pytest.mark.parametrize("name", ["m.tar", "weights.bin"])
def test_no_trick_hides_a_member(data, name):
    assert called(look(data + END, name)) == {"posix.system"}


@pytest.mark.parametrize(
    "data",
    [
        block(b"x", prefix=b"../.."),
        block(b"x", prefix=b"../..", magic=b"ustar  \0"),
        block(b"x", prefix=b"/etc", magic=b""),
        pax((b"path", b"../x")) + block(b"a"),
        pax((b"path", b"../x"), (b"path", b"a")) + block(b"a"),
        pax((b"GNU.sparse.name", b"../x")) + block(b"a"),
        pax((b"path", b"../x")) + block(b"L", 2, b"L") + body(b"a") + block(b"a"),
        block(b"L", 5, b"L") + body(b"../x\0") + pax((b"path", b"a")) + block(b"a"),
        pax(raw=b"0000000000022 path=/x\n") + block(b"a"),
        pax((b"path", b"a")) + block(b"../a"),
    ],
)
def test_every_name_that_a_reader_could_take(data):
    assert "MLG-ARC-001" in {each.rule for each in judged(look(data + END))}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (pax((b"linkpath", b"../../x")) + block(b"d/l", 0, b"2", link=b"a"), True),
        (block(b"K", 5, b"K") + body(b"/etc\0") + block(b"l", 0, b"2", link=b"a"), True),
        (block(b"a/b", 0, b"2", link=b".") + block(b"a/b/../../x"), True),
        (block(b"s", 0, b"2", link=b"d/e") + block(b"l", 0, b"2", link=b"s/../../x"), True),
        (block(b"s", 0, b"2", link=b"d/e") + block(b"./s/../x"), True),
        (block(b"s", 0, b"2", link=b"d") + block(b"s/x"), False),
        (block(b"lib64", 0, b"2", link=b"lib") + block(b"bin/l", 0, b"2", link=b"../lib64/x"), False),
    ],
)
def test_links_that_lead_out(data, found):
    assert ("archive.link" in kinds(look(data + END))) is found


@pytest.mark.parametrize(
    "data",
    [
        pax(raw=b"99 path=a\n") + block(b"a"),
        pax(raw=b"x path=a\n") + block(b"a"),
        pax(raw=b"10 path=ab") + block(b"a"),
        pax((b"size", b" 7")) + block(b"a"),
        pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")) + block(b"a", 4) + body(b"text"),
        block(b"x", 0, b"x", more=[(124, b"77777777777\0")]) + SAFE,
        block(b"x", more=[(124, b"\xff" * 12)]) + SAFE,
        block(b"x", 0, b"x", more=[(124, b"\x80\x7f" + bytes(10))]) + SAFE,
    ],
)
def test_what_readers_take_differently_is_not_checked(data):
    assert reasons(look(data + END)) & {"malformed", "unsupported-format"}


def test_a_link_or_folder_that_claims_to_have_data():
    for kind in (b"2", b"5", b"6"):
        seen = look(block(b"l", 512, kind, link=b"a") + SAFE + END)
        assert "MLG-ARC-004" in {each.rule for each in judged(seen)}
    # A hard link may state the size of what it leads to.
    assert not judged(
        look(SAFE + block(b"l", 4, b"1", link=b"a.txt") + SAFE.replace(b"a.txt", b"b.txt")[:0] + END)
    )


def test_a_size_beyond_all_files():
    seen = look(block(b"m", more=[(124, b"\x80\x7f" + bytes(10))]) + body(EVIL))
    assert called(seen) == {"posix.system"}
    assert reasons(seen) == {"truncated"}


def test_one_name_written_in_two_ways_is_a_second_member():
    assert "archive.duplicate" in kinds(look(SAFE + block(b"./a.txt", 4) + body(b"more") + END))


def _ours(data):
    stream = io.BytesIO(data)
    blob = Blob(location=Location("m"), stream=stream, size=len(data), head=data[:HEAD], name="m")
    contents, said = [], False
    try:
        for item in tar.read(blob, Limits(), Clock(60)):
            if isinstance(item, Blob):
                item.stream.seek(0)
                contents.append(item.stream.read())
            said = (
                said
                or isinstance(item, NotChecked)
                or (isinstance(item, Fact) and item.kind == "archive.disagreement")
            )
    except Declined:
        return [], False
    return contents, said


def _pythons(data):
    found = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            found.extend(
                archive.extractfile(each).read() for each in archive if each.isreg() and not each.issparse()
            )
    except (tarfile.TarError, ValueError, OverflowError, IndexError, UnicodeError, EOFError, RecursionError):
        pass
    return found


SEEDS = [
    tarred(("a/b.txt", b"text"), ("d" * 120, EVIL), ("e", NOISE[:700])),
    tarred(("a/b.txt", b"text"), ("d" * 120, EVIL), ("e", b""), fmt=tarfile.GNU_FORMAT),
    *(each + SAFE + END for each in TRICKS.values()),
]


PLACES = st.sampled_from([0, 99, 124, 130, 135, 156, 157, 257, 262, 263, 345, 386, 482, 483])
EDITS = st.tuples(st.integers(0, 100), PLACES, st.sampled_from(list(b"\0/.0127SLKxgX5\x80\xff \n")))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.integers(0, len(SEEDS) - 1), st.lists(EDITS, min_size=1, max_size=4))
def test_whatever_python_would_read_is_looked_at(number_of_seed, edits):
    seed = SEEDS[number_of_seed]
    changed = bytearray(seed)
    for number, place, value in edits:
        head = number % (len(seed) // 512) * 512
        changed[head + place] = value
        if any(changed[head : head + 512]):
            changed[head + 148 : head + 156] = b" " * 8
            changed[head + 148 : head + 156] = b"%06o\0 " % sum(changed[head : head + 512])
    contents, said = _ours(bytes(changed))
    assert said or all(each in contents for each in _pythons(bytes(changed)))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, len(SEEDS) - 1), st.data())
def test_no_bytes_break_the_reader(number_of_seed, data):
    seed = SEEDS[number_of_seed]
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    assert "reader-failed" not in reasons(look(changed))
