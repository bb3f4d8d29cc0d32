import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import poetry_lock
from mlgate.core.limits import DEFAULT, Limits

PACKAGES = """\
[[package]]
name = "Torch"
version = "2.1.0"
description = "version = \\"9.9\\""
optional = false
groups = ["main", "dev"]
markers = "sys_platform == 'linux'"

[package.dependencies]
numpy = { version = ">=1.0" }

[[package]]
name = "numpy"
version = "1.26.4"
category = "dev"

[[package]]
name = "mirror"
version = "1.0"
[package.source]
type = "legacy"
url = "https://mirror.example.org/simple"
reference = "mirror"

[[package]]
name = "tool"
version = "0.1"
[package.source]
type = "git"
url = "https://user:secret@github.com/x/tool.git"
reference = "main"
resolved_reference = "abc"

[[package]]
name = "blob"
version = "0.1"
[package.source]
type = "url"
url = "https://example.org/blob.whl"

[[package]]
name = "wheel-of-mine"
version = "0.1"
[package.source]
type = "file"
url = "wheels/w.whl"

[[package]]
name = "part"
version = "0.1"
[package.source]
type = "directory"
url = "libs/part"

[[package]]
name = "outside"
version = "0.1"
[package.source]
type = "directory"
url = "../outside"
"""
LOCK = PACKAGES + '\n[metadata]\nlock-version = "2.1"\npython-versions = "^3.11"\ncontent-hash = "a"\n'


def read(text, limits=DEFAULT):
    return poetry_lock.read(text if isinstance(text, bytes) else text.encode(), limits)


def test_reads_every_kind_of_source_with_its_line():
    assert [(each.name, each.kind, each.version, each.line) for each in read(LOCK).requirements] == [
        ("torch", "pinned", "2.1.0", 3),
        ("numpy", "pinned", "1.26.4", 14),
        ("mirror", "pinned", "1.0", 19),
        ("tool", "vcs-requirement", None, 27),
        ("blob", "url-requirement", None, 36),
        ("wheel-of-mine", "local-requirement", None, 43),
        ("outside", "local-requirement", None, 57),
    ]


def test_a_folder_of_the_repository_speaks_for_itself():
    assert (read(LOCK).members, read(LOCK).own) == (("libs/part",), ("part",))


def test_groups_and_markers_are_conditions():
    conditions = [each.condition for each in read(LOCK).requirements[:3]]
    assert conditions == ["sys_platform == 'linux'", "group dev", None]


def test_credentials_are_never_shown():
    assert "secret" not in str(read(LOCK))


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "2.1", "2.99"])
def test_every_known_format_is_read(version):
    assert len(read(LOCK.replace('2.1"\npython', f'{version}"\npython')).requirements) == 7


def test_a_lock_from_before_formats_had_numbers_is_read():
    assert len(read(PACKAGES + "[metadata]\n[metadata.hashes]\n").requirements) == 7


@pytest.mark.parametrize("version", ["3.0", "0.9", "", "x", "2"])
def test_an_unknown_format_is_not_guessed(version):
    with pytest.raises(Unreadable) as caught:
        read(LOCK.replace('lock-version = "2.1"', f'lock-version = "{version}"'))
    assert (caught.value.reason, caught.value.line) == ("future-lock-version", 63)


def test_a_package_in_two_versions_is_forked():
    both = '[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "a"\nversion = "2"\n[metadata]\n'
    assert [each.forked for each in read(both).requirements] == [True, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "truncated"),
        (PACKAGES, "truncated"),
        (LOCK[:200], "unparseable"),
        ("\xff".encode("latin-1"), "unparseable"),
        ("package = 3\n[metadata]\n", "unparseable"),
        ("package = [1]\n[metadata]\n", "unparseable"),
        ("a = " + "[" * 5000, "unparseable"),
    ],
)
def test_what_is_no_lock_is_refused(text, reason):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "package",
    [
        'version = "1"',
        'name = "a"',
        'name = "a"\nversion = 1',
        'name = "a"\nversion = "1"\nsource = 3',
        'name = "a"\nversion = "1"\nsource = { type = "carrier-pigeon" }',
    ],
)
def test_a_package_that_cannot_be_read_is_a_problem_and_the_rest_stands(package):
    seen = read(f'[[package]]\n{package}\n[[package]]\nname = "b"\nversion = "2"\n[metadata]\n')
    assert [each.name for each in seen.requirements] == ["b"]
    assert [problem.reason for problem in seen.problems] == ["unparseable"]


def test_too_many_packages_are_said():
    assert [problem.reason for problem in read(LOCK, Limits(requirements=2)).problems] == ["limit"]


@settings(
    max_examples=80, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=200) | st.integers(0, len(LOCK)).map(lambda cut: LOCK[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)
