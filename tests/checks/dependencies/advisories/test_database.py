import contextlib
import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.advisories.database import (
    AdvisoriesError,
    Database,
    bundled,
    from_path,
    from_zip,
)
from mlgate.checks.dependencies.advisories.records import BrokenRecordError, Record, decode

RECORD = {
    "id": "PYSEC-1",
    "modified": "2024-05-01T00:00:00Z",
    "details": "text that nobody keeps",
    "affected": [{"package": {"name": "Tor.ch", "ecosystem": "PyPI"}, "versions": ["1.0"]}],
}


def test_keeps_only_wanted_packages_and_counts_all(osv, database):
    path = database(osv("A-1", "torch"), osv("A-2", "numpy"), osv("A-3", "npm-thing", ecosystem="npm"))
    found = from_path(path, {"torch"}, "all.zip")
    assert set(found.records) == {"torch"}
    assert (found.total, found.packages, found.newest, found.covered) == (2, 2, "2024-05-01", None)


def test_normalises_names(database):
    assert set(from_path(database(RECORD), {"tor-ch"}, "x").records) == {"tor-ch"}


def test_leaves_withdrawn_records_out(osv, database):
    path = database(osv("A-1", "torch", withdrawn="2024-01-01T00:00:00Z"))
    assert from_path(path, {"torch"}, "x").records == {}


def test_reads_a_directory_with_folders_and_ignores_other_files(osv, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "1.json").write_text(json.dumps(osv("A-1", "torch")))
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / "link.json").symlink_to(tmp_path / "a" / "b" / "1.json")
    assert from_path(tmp_path, {"torch"}, "x").total == 1


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"id": 3}', b'{"id": "A", "affected": 7}', b"\xff" * 9, b"[" * 99999]
)
def test_a_broken_record_is_said_and_the_others_count(osv, database, data):
    found = from_path(database(osv("A-1", "torch"), data), {"torch"}, "x")
    assert found.broken == ("1.json",)
    assert found.total == 1


def test_a_record_with_a_wrong_checksum_is_broken(osv, database):
    path = database(osv("A-1", "torch"), osv("A-2", "numpy"))
    data = bytearray(path.read_bytes())
    data[data.index(b"A-2") + 2 : data.index(b"A-2") + 3] = b"9"
    path.write_bytes(data)
    assert from_path(path, {"torch"}, "x").broken == ("1.json",)


def test_an_oversized_record_is_broken(osv, database):
    path = database(osv("A-1", "torch"), b" " * (9 << 20))
    assert from_path(path, {"torch"}, "x").broken == ("1.json",)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_refuses_what_is_no_database(tmp_path, content):
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    with pytest.raises(AdvisoriesError):
        from_path(path, {"torch"}, "x")


def test_refuses_what_is_missing_or_empty(tmp_path):
    with pytest.raises(AdvisoriesError):
        from_path(tmp_path / "none.zip", {"torch"}, "x")
    with pytest.raises(AdvisoriesError):
        from_path(tmp_path, {"torch"}, "x")


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("1.json", json.dumps(RECORD))
        target.writestr("2.json", json.dumps(RECORD | {"id": "PYSEC-2"}))
    return stream.getvalue()


ARCHIVE = archive()


@settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, len(ARCHIVE)), st.integers(0, 20), st.binary(max_size=4))
def test_is_total_on_damaged_zips(at, cut, inserted):
    data = ARCHIVE[:at] + inserted + ARCHIVE[at + cut :]
    with contextlib.suppress(AdvisoriesError):
        assert isinstance(from_zip(io.BytesIO(data), {"tor-ch"}, "x"), Database)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(
    st.binary(max_size=80)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "affected", "package", "name", "ranges", "events"]), inner, max_size=3
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_records_are_read_or_refused(data):
    with contextlib.suppress(BrokenRecordError):
        assert isinstance(decode(data), Record)


def test_the_bundled_set_says_what_it_is():
    found = bundled({"torch"})
    assert found.newest == "2024-10-10"
    assert found.total > 1000
    assert len(found.covered) >= 60
    assert {"torch", "tensorflow", "numpy", "pillow"} <= found.covered
    assert "CC BY 4.0" in found.licence


def test_the_bundled_set_knows_a_flaw_of_torch():
    ids = {record.id for record in bundled({"torch"}).records["torch"]}
    assert "PYSEC-2022-43015" in ids


def test_the_bundled_set_holds_facts_and_no_text():
    import gzip

    from mlgate.checks.dependencies.advisories.database import BUNDLED

    data = gzip.decompress(BUNDLED.read_bytes())
    assert len(BUNDLED.read_bytes()) < 300_000
    for record in json.loads(data)["records"]:
        assert set(record) <= {"id", "modified", "aliases", "affected", "severity", "database_specific"}
        for entry in record["affected"]:
            assert set(entry) <= {"package", "ranges", "versions", "severity"}
            assert all(len(text) < 40 for text in entry.get("versions", ()))
