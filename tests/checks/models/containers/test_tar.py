import io
import tarfile

import pytest
from tests.checks.models.building import EVIL, NOISE, called, format_of, judged, kinds, look, reasons


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
