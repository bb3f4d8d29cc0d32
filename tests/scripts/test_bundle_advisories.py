import importlib.util
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.version import Version

from mlgate.checks.dependencies.advisories.matching import extent
from mlgate.checks.dependencies.advisories.records import Affected, Event, Named, Range, Rating, Record

SCRIPT = Path(__file__).parents[2] / "scripts" / "bundle_advisories.py"


@cache
def load():
    spec = importlib.util.spec_from_file_location("bundle_advisories", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script():
    return load()


RECORD = Record(
    id="PYSEC-1",
    modified="2024-05-01T10:00:00Z",
    aliases=("CVE-1",),
    affected=(
        Affected(
            package=Named("Torch", "PyPI"),
            ranges=(
                Range("GIT", (Event(introduced="abc"),)),
                Range("ECOSYSTEM", (Event(introduced="0"), Event(fixed="1.1"))),
            ),
            versions=("1.0", "1.0rc1", "3.2a1", "odd-one"),
        ),
        Affected(package=Named("other", "PyPI"), versions=("1",)),
    ),
    severity=(Rating("CVSS_V3", "CVSS:3.1/AV:N"),),
    database_specific={"severity": "HIGH", "note": "text"},
)


def test_keeps_facts_and_drops_the_rest(script):
    facts = script._facts(RECORD, frozenset({"torch"}))
    (affected,) = facts.affected
    assert [each.type for each in affected.ranges] == ["ECOSYSTEM"]
    assert affected.versions == ("3.2a1", "odd-one")
    assert facts.database_specific == {"severity": "HIGH"}
    assert (facts.id, facts.aliases, facts.modified) == ("PYSEC-1", ("CVE-1",), "2024-05-01")


def test_keeps_every_version_where_a_range_cannot_be_read(script):
    broken = replace(
        RECORD.affected[0], ranges=(Range("ECOSYSTEM", (Event(introduced="0"), Event(fixed="main"))),)
    )
    assert script._short(broken).versions == RECORD.affected[0].versions


VERSIONS = st.sampled_from(["0.9", "1.0", "1.0rc1", "1.0.post1", "1.1", "1.1.dev0", "2.0", "2.0+local", "3"])


@settings(max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=[])
@given(VERSIONS, st.lists(VERSIONS, max_size=4), st.lists(VERSIONS, max_size=4, unique=True))
def test_the_short_form_affects_the_same_versions(version, bounds, listed):
    module = load()
    kinds = ["introduced", "fixed"] * 2
    events = tuple(Event(**{kind: at}) for kind, at in zip(kinds, bounds, strict=False))
    entry = Affected(Named("torch", "PyPI"), (Range("ECOSYSTEM", events),), tuple(listed))
    short = module._short(entry)
    public = Version(Version(version).public)
    assert extent([short]).affects(public) == extent([entry]).affects(public)


def test_writes_the_same_bytes_for_the_same_facts(script, tmp_path):
    import json
    import zipfile

    import msgspec

    source = tmp_path / "all.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("1.json", json.dumps(msgspec.to_builtins(RECORD)))
    packages = tmp_path / "packages.txt"
    packages.write_text("# list\nTorch\nnumpy  # none known\n")
    outputs = []
    for name in ("a.gz", "b.gz"):
        output = tmp_path / name
        arguments = [str(source), "--source", "test", "--packages", str(packages), "--output", str(output)]
        assert script.main(arguments) == 0
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]


def test_additions_name_the_pages_that_they_were_checked_against(script):
    import json

    for record in json.loads(script.ADDITIONS.read_text()):
        assert record["references"]
        assert all(page.startswith("https://") for page in record["references"])


def test_the_sources_own_record_goes_before_an_addition(script):
    from mlgate.checks.dependencies.advisories.database import Database

    added = [replace(RECORD, aliases=("LATER",)), replace(RECORD, id="PYSEC-2"), replace(RECORD, affected=())]
    found = Database(name="x", records={"torch": (RECORD,)}, total=1, packages=1, newest="2024-05-01")
    made = script.bundle(found, ["torch", "torch"], "test", added)
    assert [(record.id, record.aliases) for record in made.records] == [
        ("PYSEC-1", ("CVE-1",)),
        ("PYSEC-2", ("CVE-1",)),
    ]


def test_refuses_a_database_that_is_none(script, tmp_path, capsys):
    assert script.main([str(tmp_path), "--source", "test", "--output", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
    assert "holds no OSV record" in capsys.readouterr().err


def test_the_listed_packages_are_the_bundled_ones(script):
    from mlgate.checks.dependencies.advisories.database import bundled

    assert bundled(()).covered == frozenset(script.read_packages(script.PACKAGES))
