import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import uvlock
from mlgate.core.limits import DEFAULT, Limits

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "Demo"
source = { editable = "." }
dependencies = [
    { name = "torch" },
]

[[package]]
name = "torch"
version = "2.1.0"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["sys_platform == 'linux'"]

[[package]]
name = "numpy"
source = { registry = "https://pypi.org/simple" }
version = "1.26.4"

[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "tool"
version = "0.1"
source = { git = "https://github.com/x/tool?rev=main#abc" }

[[package]]
name = "blob"
version = "0.1"
source = { url = "https://x.org/blob-0.1.whl" }

[[package]]
name = "file"
version = "0.1"
source = { path = "wheels/file-0.1.whl" }

[[package]]
name = "member"
version = "0.1"
source = { virtual = "packages/member" }

[[package]]
name = "outside"
version = "0.1"
source = { directory = "../outside" }
"""


def read(text, limits=DEFAULT):
    return uvlock.read(text if isinstance(text, bytes) else text.encode(), limits)


def test_reads_every_kind_of_source_with_its_line():
    assert [(each.name, each.kind, each.version, each.line) for each in read(LOCK).requirements] == [
        ("torch", "pinned", "2.1.0", 14),
        ("numpy", "pinned", "1.26.4", 21),
        ("numpy", "pinned", "2.1.0", 25),
        ("tool", "vcs-requirement", None, 30),
        ("blob", "url-requirement", None, 35),
        ("file", "local-requirement", None, 40),
        ("outside", "local-requirement", None, 50),
    ]


def test_knows_forks_and_members():
    found = read(LOCK)
    assert {each.name for each in found.requirements if each.forked} == {"numpy"}
    assert found.members == (".", "packages/member", "../outside")


def test_leaves_lines_out_where_text_only_looks_like_a_table():
    text = 'version = 1\nnote = """\n[[package]]\n"""\n[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "https://pypi.org/simple" }\n'
    assert [each.line for each in read(text).requirements] == [None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version = 2\n", "future-lock-version"),
        ("", "future-lock-version"),
        ('version = "1"\n', "future-lock-version"),
        ("version = 1\n[[package]\n", "unparseable"),
        ("version = 1\npackage = 3\n", "unparseable"),
        ("version = 1\npackage = [1]\n", "unparseable"),
        ("a = " + "[" * 5000, "unparseable"),
        ("a = " + "1" * 5000, "unparseable"),
        (b"\xff\xfe", "unparseable"),
        (LOCK[:-30], "unparseable"),
    ],
)
def test_refuses_what_it_cannot_read(text, reason):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "package",
    [
        'version = "1"\nsource = { registry = "https://pypi.org/simple" }',
        'name = "a"\nversion = "1"',
        'name = 3\nversion = "1"\nsource = { registry = "https://pypi.org/simple" }',
        'name = "a"\nsource = { registry = "https://pypi.org/simple" }',
        'name = "a"\nversion = 1\nsource = { registry = "https://pypi.org/simple" }',
        'name = "a"\nversion = "1"\nsource = { teleport = "x" }',
        'name = "a"\nversion = "1"\nsource = "registry"',
    ],
)
def test_says_which_package_it_cannot_read(package):
    found = read(f"version = 1\n[[package]]\n{package}\n")
    assert found.requirements == ()
    assert [problem.reason for problem in found.problems] == ["unparseable"]


def test_stops_at_the_limit_and_says_so():
    assert [problem.reason for problem in read(LOCK, Limits(requirements=2)).problems] == ["limit"]


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, len(LOCK)), st.integers(0, 30), st.binary(max_size=6))
def test_is_total_on_damaged_files(at, cut, inserted):
    data = LOCK.encode()
    with contextlib.suppress(Unreadable):
        assert isinstance(uvlock.read(data[:at] + inserted + data[at + cut :], DEFAULT), Reading)


def test_problems_count_towards_the_limit():
    reading = read("version = 1\n" + "[[package]]\n" * 50, Limits(requirements=10))
    assert len(reading.problems) == 11
    assert reading.problems[-1].reason == "limit"
