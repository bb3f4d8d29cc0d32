import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import pylock
from mlgate.core.limits import DEFAULT, Limits

LOCK = """\
lock-version = "1.0"
created-by = "test"

[[packages]]
name = "attrs"
version = "25.1.0"
marker = "python_version < '3.13'"
[[packages.wheels]]
url = "https://files.pythonhosted.org/attrs-25.1.0-py3-none-any.whl"
hashes = { sha256 = "aa" }

[[packages]]
name = "torch"
version = "2.1.0"
[packages.archive]
url = "https://x.org/torch-2.1.0.tar.gz"
hashes = { sha256 = "aa" }

[[packages]]
name = "tool"
[packages.vcs]
type = "git"
url = "https://x.org/tool"
commit-id = "0123456789012345678901234567890123456789"

[[packages]]
name = "own"
[packages.directory]
path = "."

[[packages]]
name = "other"
[packages.directory]
path = "../other"

[[packages]]
name = "loose"
[[packages.wheels]]
url = "https://files.pythonhosted.org/loose-1-py3-none-any.whl"
hashes = { sha256 = "aa" }
"""


def read(text, limits=DEFAULT):
    return pylock.read(text if isinstance(text, bytes) else text.encode(), limits)


@pytest.mark.parametrize(
    ("path", "mine"),
    [
        ("pylock.toml", True),
        ("a/pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("xpylock.toml", False),
        ("pylock.toml.bak", False),
    ],
)
def test_claims_the_names_of_the_standard(path, mine):
    assert pylock.claims(path) is mine


def test_reads_every_kind_of_source_with_its_line():
    found = read(LOCK)
    assert [(each.name, each.kind, each.version, each.line) for each in found.requirements] == [
        ("attrs", "pinned", "25.1.0", 6),
        ("torch", "url-requirement", None, 14),
        ("tool", "vcs-requirement", None, 19),
        ("other", "local-requirement", None, 31),
        ("loose", "unpinned", None, 36),
    ]
    assert found.members == (".",)
    assert found.problems == ()


def test_reads_the_names_that_packaging_reads():
    packaging_pylock = pytest.importorskip("packaging.pylock")
    import tomllib

    theirs = packaging_pylock.Pylock.from_dict(tomllib.loads(LOCK)).packages
    mine = {each.name for each in read(LOCK).requirements} | {"own"}
    assert mine == {canonicalize_name(each.name) for each in theirs}


def test_reads_a_newer_minor_version_and_says_what_that_means():
    found = read(LOCK.replace('"1.0"', '"1.7"'))
    assert len(found.requirements) == 5
    assert [(each.reason, each.line) for each in found.problems] == [("future-lock-version", 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LOCK.replace('"1.0"', '"2.0"'), "future-lock-version"),
        (LOCK.replace('"1.0"', "1.0"), "future-lock-version"),
        (LOCK.replace('"1.0"', '"newest"'), "future-lock-version"),
        ("", "future-lock-version"),
        ('lock-version = "1.0"\n', "unparseable"),
        ('lock-version = "1.0"\npackages = "none"\n', "unparseable"),
        (LOCK[:-4], "unparseable"),
        (b"\x80", "unparseable"),
    ],
)
def test_refuses_what_it_cannot_read(text, reason):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == reason


def test_says_which_package_has_no_name():
    found = read('lock-version = "1.0"\n[[packages]]\nversion = "1"\n')
    assert [(each.reason, each.line) for each in found.problems] == [("unparseable", 3)]


def test_stops_at_the_limit_and_says_so():
    assert [problem.reason for problem in read(LOCK, Limits(requirements=1)).problems] == ["limit"]


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, len(LOCK)), st.integers(0, 30), st.binary(max_size=6))
def test_is_total_on_damaged_files(at, cut, inserted):
    data = LOCK.encode()
    with contextlib.suppress(Unreadable):
        assert isinstance(pylock.read(data[:at] + inserted + data[at + cut :], DEFAULT), Reading)
