"""The index: the same answers as the data, from what is whole and its own alone."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlgate.checks.dependencies.advisories import facts, files, index
from mlgate.checks.dependencies.advisories.database import AdvisoriesError, from_path
from mlgate.checks.dependencies.advisories.records import decode


@pytest.fixture
def place(folder):
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def path(osv, database):
    return database(
        osv("A-1", "torch", [("introduced", "0"), ("fixed", "2.0")], versions=["1.0", "1.1", "3.0"]),
        osv("A-2", "numpy", [("introduced", "1.0")]),
        osv("A-3", "torch", withdrawn="2024-01-01T00:00:00Z"),
    )


def indexes(place):
    return sorted((place / "index").glob("*"))


def never(*_arguments, **_more):
    raise AssertionError("the data was read again")


def test_the_second_run_does_not_read_the_records(place, path, monkeypatch):
    first = from_path(path, {"torch"}, "x", place)
    monkeypatch.setattr(files, "of_zip", never)
    assert from_path(path, {"torch"}, "x", place) == first
    assert set(from_path(path, {"numpy", "absent"}, "x", place).records) == {"numpy"}


def test_it_gives_what_reading_without_it_gives(place, path):
    wanted = {"torch", "numpy"}
    assert from_path(path, wanted, "x", place) == from_path(path, wanted, "x")


def test_a_folder_is_indexed_by_its_content(place, osv, tmp_path, monkeypatch):
    (tmp_path / "1.json").write_text(json.dumps(osv("A-1", "torch")))
    assert from_path(tmp_path, {"torch"}, "x", place).total == 1
    (tmp_path / "2.json").write_text(json.dumps(osv("A-2", "torch")))
    assert from_path(tmp_path, {"torch"}, "x", place).total == 2
    assert len(indexes(place)) == 2


def test_files_are_private_and_few(place, osv, database):
    for number in range(7):
        from_path(database(osv(f"A-{number}", "torch")), {"torch"}, "x", place)
    assert len(indexes(place)) == 4
    assert all(found.stat().st_mode & 0o077 == 0 for found in indexes(place))
    assert (place / "index").stat().st_mode & 0o077 == 0


def lie(found):
    """Change what an index says; only its own digest can tell."""
    with sqlite3.connect(found) as connection:
        connection.execute("DELETE FROM name WHERE name = 'torch'")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        lie,
        lambda found: found.write_bytes(b""),
        lambda found: found.write_bytes(b"not sqlite" * 500),
        lambda found: found.write_bytes(found.read_bytes()[:5000]),
        lambda found: found.write_bytes(found.read_bytes()[:-1] + b"\xff"),
        lambda found: found.chmod(0o666),
    ],
)
def test_a_damaged_index_is_made_again(place, path, damage):
    before = from_path(path, {"torch"}, "x", place)
    (found,) = indexes(place)
    damage(found)
    assert from_path(path, {"torch"}, "x", place) == before
    assert len(before.records["torch"]) == 1
    (again,) = indexes(place)
    assert again.stat().st_mode & 0o077 == 0


def rename(found, change):
    """Put an index under the name that its changed content asks for."""
    with sqlite3.connect(found) as connection:
        change(connection)
    connection.close()
    with found.open("rb") as stream:
        own = files.digest(stream)
    found.rename(found.with_name(f"{found.name.partition('-')[0]}-{own}.sqlite"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE about SET data = x'00'",
        "DELETE FROM about",
        "DROP TABLE about",
        "UPDATE record SET data = x'c1'",
        "DROP TABLE name",
    ],
)
def test_an_index_that_is_none_inside_is_made_again(place, path, statement):
    before = from_path(path, {"torch"}, "x", place)
    rename(indexes(place)[0], lambda connection: connection.execute(statement))
    assert from_path(path, {"torch"}, "x", place) == before


@pytest.mark.parametrize("other", ["layout", "data"])
def test_an_index_of_other_data_or_another_layout_is_made_again(
    place, path, osv, database, other, monkeypatch
):
    before = from_path(path, {"torch"}, "x", place)
    (old,) = indexes(place)
    if other == "layout":
        monkeypatch.setattr(index, "_LAYOUT_VERSION", "2/0")
    else:
        from_path(database(osv("B-1", "torch")), {"torch"}, "x", place)
        stranger = next(found for found in indexes(place) if found != old)
        own = stranger.name.partition("-")[2]
        stranger.rename(old.with_name(f"{old.name.partition('-')[0]}-{own}"))
        old.unlink()
    assert from_path(path, {"torch"}, "x", place) == before
    assert not old.exists() or other == "data"


def test_a_folder_that_cannot_be_written_to_costs_no_answer(place, path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index.cache, "draft", full)
    assert from_path(path, {"torch"}, "x", place) == from_path(path, {"torch"}, "x")
    assert indexes(place) == []


def test_runs_at_the_same_time_do_not_meet(place, path):
    expected = from_path(path, {"torch"}, "x")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: from_path(path, {"torch"}, "x", place), range(24)))
    assert all(answer == expected for answer in answers)
    assert not [found for found in indexes(place) if found.name.startswith(".")]


def test_data_that_changes_meanwhile_is_an_error(place, osv, database, monkeypatch):
    # Larger than what a stream holds in memory.
    path = database(osv("A-1", "torch", details="x" * 100_000))
    honest = files.of_zip

    def late(stream, **more):
        yield from honest(stream, **more)
        path.write_bytes(database(osv("C-1", "torch")).read_bytes())

    monkeypatch.setattr(files, "of_zip", late)
    with pytest.raises(AdvisoriesError, match="changed while it was read"):
        from_path(path, {"torch"}, "x", place)
    assert indexes(place) == []


def test_many_records_about_one_package_are_a_limit(place, path, osv, database, monkeypatch):
    monkeypatch.setattr(index, "_PER_PACKAGE", 2)
    many = database(*(osv(f"A-{number}", "torch") for number in range(3)))
    with pytest.raises(AdvisoriesError, match="more than 2 records about torch"):
        from_path(many, {"torch"}, "x", place)


def test_many_packages_are_a_limit(osv, database, monkeypatch):
    monkeypatch.setattr(index, "_NAMES", 2)
    with pytest.raises(AdvisoriesError, match="more than 2 packages"):
        from_path(database(*(osv(f"A-{number}", f"p{number}") for number in range(3))), {"p1"}, "x")


def test_the_same_id_twice_counts_twice(osv, database):
    twice = database(osv("A-1", "torch", versions=["1.0"]), osv("A-1", "torch", versions=["2.0"]))
    assert len(from_path(twice, {"torch"}, "x").records["torch"]) == 2


def reduced(record):
    return facts.reduce(decode(json.dumps(record).encode()))


def test_facts_keep_no_text_and_nothing_implied(osv):
    record = osv(
        "A-1",
        "torch",
        [("introduced", "0"), ("fixed", "2.0")],
        versions=["1.0", "2.0", "odd"],
        details="text",
    )
    record["affected"] += osv("A-1", "npm-thing", ecosystem="npm")["affected"]
    record["database_specific"] = {"severity": "HIGH", "text": "long"}
    found = reduced(record)
    assert [(each.name, each.versions) for each in found.affected] == [("torch", ("2.0", "odd"))]
    assert (found.modified, found.database_specific) == ("2024-05-01", {"severity": "HIGH"})


def test_listed_versions_stay_where_a_range_is_in_doubt(osv):
    record = osv("A-1", "torch", [("introduced", "0"), ("fixed", "2.0-cu1")], versions=["1.0"])
    assert reduced(record).affected[0].versions == ("1.0",)


@pytest.mark.parametrize(
    "more",
    [
        {"events": [("introduced", "0"), ("fixed", "1.0")] * 300},
        {"versions": [f"1.{number}" for number in range(20_001)]},
    ],
)
def test_a_record_that_says_too_much_states_nothing(osv, more):
    (entry,) = reduced(osv("A-1", "torch", **more)).affected
    assert (entry.name, entry.ranges, entry.versions) == ("torch", (), ())


@pytest.mark.parametrize(
    "more",
    [
        {"aliases": [f"CVE-{number}" for number in range(201)]},
        {"affected": [{"package": {"name": "torch", "ecosystem": "PyPI"}}] * 5001},
    ],
)
def test_a_record_about_too_much_is_said(osv, database, more):
    found = from_path(database(osv("A-1", "torch") | more, osv("A-2", "torch")), {"torch"}, "x")
    assert (found.unread, found.broken, found.total) == (1, ("0.json",), 1)


def test_of_many_broken_files_some_are_named_and_all_counted(osv, database):
    found = from_path(database(osv("A-1", "torch"), *([b"{"] * 150)), {"torch"}, "x")
    assert (found.unread, len(found.broken)) == (150, 100)


@pytest.mark.parametrize("modified", ["", "soon", "zzzz-99-99", "2024-05-01T00:00:00Z"])
def test_only_dates_make_a_database_new(osv, database, modified):
    records = [osv("A-1", "torch"), osv("A-2", "torch") | {"modified": modified}]
    assert from_path(database(*records), {"torch"}, "x").newest == "2024-05-01"


@pytest.mark.parametrize(
    "affected",
    [
        {"ranges": "new shape", "versions": {"a": 1}},
        {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": 3}]}]},
        {"versions": [1.0]},
    ],
)
def test_a_record_of_an_unknown_shape_leaves_its_own_packages_in_doubt(osv, database, affected):
    record = osv("A-1", "torch")
    record["affected"] = [{"package": {"name": "torch", "ecosystem": "PyPI"}, **affected}]
    found = from_path(database(record, osv("A-2", "numpy")), {"torch", "numpy"}, "x")
    assert found.unread == 0
    (outline,) = found.records["torch"]
    assert not outline.affected[0].ranges
    assert not outline.affected[0].versions


def test_nulls_are_as_good_as_nothing(osv, database):
    record = osv("A-1", "torch", aliases=None, severity=None)
    record["affected"][0] |= {"versions": None, "severity": None}
    record["affected"].append(
        {"package": {"name": "numpy", "ecosystem": "PyPI"}, "ranges": None, "versions": ["1"]}
    )
    found = from_path(database(record), {"torch", "numpy"}, "x")
    assert (found.unread, set(found.records)) == (0, {"torch", "numpy"})
