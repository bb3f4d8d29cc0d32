import io
import struct
import zipfile

import pytest

from mlgate.checks.dependencies.advisories import files
from mlgate.checks.dependencies.advisories.files import AdvisoriesError


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream


def test_yields_members_that_are_records(tmp_path):
    stream = zipped(("a/1.json", b"{}"), ("../2.json", b"[]"), ("notes.txt", b"x"), ("d.json/", b""))
    assert list(files.of_zip(stream)) == [("a/1.json", b"{}"), ("../2.json", b"[]")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_are_all_read():
    assert [data for _, data in files.of_zip(zipped(("1.json", b"{}"), ("1.json", b"[]")))] == [b"{}", b"[]"]


def test_a_bomb_ends_at_the_limit(monkeypatch):
    monkeypatch.setattr(files, "_TOTAL_BYTES", 20 << 20)
    bomb = zipped(*((f"{number}.json", bytes(30 << 20)) for number in range(9)))
    with pytest.raises(AdvisoriesError, match="holds more than"):
        list(files.of_zip(bomb))


def test_a_large_member_is_not_read_to_its_end():
    assert list(files.of_zip(zipped(("1.json", bytes(9 << 20)), ("2.json", b"{}")))) == [
        ("1.json", None),
        ("2.json", b"{}"),
    ]


def test_too_many_members_end_at_the_limit(monkeypatch):
    monkeypatch.setattr(files, "_RECORDS", 2)
    with pytest.raises(AdvisoriesError, match="holds more than 2 files"):
        list(files.of_zip(zipped(*((f"{number}.json", b"{}") for number in range(3)))))


def test_a_directory_that_is_too_large_is_refused(monkeypatch):
    stream = zipped(*((f"{number}.json", b"{}") for number in range(99)))
    monkeypatch.setattr(files, "_DIRECTORY_BYTES", 1000)
    with pytest.raises(AdvisoriesError, match="directory of more than"):
        list(files.of_zip(stream))


def test_a_size_that_is_a_lie_is_no_crash():
    data = bytearray(zipped(("1.json", b"{}" * 50)).getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<LL", 1 << 31, 1 << 31)
    found = list(files.of_zip(io.BytesIO(bytes(data))))
    assert found == [] or found[0][0] == "1.json"


def test_a_damaged_member_is_an_error_where_all_must_be_whole():
    data = (
        zipped(("1.json", b"abcdefgh"), method=zipfile.ZIP_STORED)
        .getvalue()
        .replace(b"abcdefgh", b"abcdXfgh")
    )
    assert list(files.of_zip(io.BytesIO(data))) == [("1.json", None)]
    with pytest.raises(AdvisoriesError, match="damaged member"):
        list(files.of_zip(io.BytesIO(data), strict=True))


def test_the_digest_of_a_folder_tells_names_from_contents():
    one, two = [("a", b"bc")], [("ab", b"c")]
    assert len({files.digest_of(each) for each in (one, two, [], [("a", None)], [("a", b"")])}) == 4
