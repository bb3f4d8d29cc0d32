import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import pdm_lock
from mlgate.core.limits import DEFAULT, Limits

LOCK = """\
[metadata]
groups = ["default", "dev"]
strategy = ["cross_platform"]
lock_version = "4.5.0"
content_hash = "sha256:0"

[[package]]
name = "torch"
version = "2.1.0"
groups = ["default"]
marker = "python_version >= '3.9'"

[[package]]
name = "torch"
version = "2.1.0"
extras = ["opt"]

[[package]]
name = "pytest"
version = "8.0.0"
groups = ["dev"]

[[package]]
name = "tool"
version = "0.1"
git = "https://github.com/x/tool"
revision = "abc"

[[package]]
name = "blob"
version = "0.1"
url = "https://example.org/blob.whl"

[[package]]
name = "file"
version = "0.1"
path = "./wheels/file-0.1.whl"

[[package]]
name = "part"
version = "0.1"
path = "./libs/part"
editable = true

[[package]]
name = "outside"
version = "0.1"
path = "../outside"
"""


def read(text, limits=DEFAULT):
    return pdm_lock.read(text if isinstance(text, bytes) else text.encode(), limits)


def test_reads_every_kind_of_source_with_its_line():
    assert [(each.name, each.kind, each.version, each.line) for each in read(LOCK).requirements] == [
        ("torch", "pinned", "2.1.0", 9),
        ("pytest", "pinned", "8.0.0", 20),
        ("tool", "vcs-requirement", None, 25),
        ("blob", "url-requirement", None, 31),
        ("file", "local-requirement", None, 36),
        ("outside", "local-requirement", None, 47),
    ]


def test_groups_and_markers_are_conditions():
    assert [each.condition for each in read(LOCK).requirements[:3]] == [
        "python_version >= '3.9'",
        "group dev",
        None,
    ]


def test_the_same_version_with_extras_is_no_fork():
    assert not read(LOCK).requirements[0].forked


def test_a_folder_of_the_repository_speaks_for_itself():
    assert (read(LOCK).members, read(LOCK).own) == (("./libs/part",), ("part",))


@pytest.mark.parametrize("version", ["2", "3.1", "4.0", "4.4.1", "4.5.0"])
def test_every_known_format_is_read(version):
    assert len(read(LOCK.replace("4.5.0", version)).requirements) == 6


@pytest.mark.parametrize("version", ["1", "5.0", "99"])
def test_an_unknown_format_is_not_guessed(version):
    with pytest.raises(Unreadable) as caught:
        read(LOCK.replace("4.5.0", version))
    assert (caught.value.reason, caught.value.line) == ("future-lock-version", 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        LOCK[:300],
        LOCK.replace('lock_version = "4.5.0"', ""),
        LOCK.replace('"4.5.0"', "4.5"),
        "package = 3\n" + LOCK[: LOCK.index("[[")],
        b"\xff",
    ],
)
def test_what_is_no_lock_is_refused(text):
    with pytest.raises(Unreadable):
        read(text)


@pytest.mark.parametrize("package", ['version = "1"', 'name = "a"', 'name = "a"\nversion = 1'])
def test_a_package_that_cannot_be_read_is_a_problem_and_the_rest_stands(package):
    seen = read(LOCK + f"[[package]]\n{package}\n")
    assert (len(seen.requirements), [problem.reason for problem in seen.problems]) == (6, ["unparseable"])


def test_too_many_packages_are_said():
    assert [problem.reason for problem in read(LOCK, Limits(requirements=2)).problems] == ["limit"]


@settings(
    max_examples=80, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=200) | st.integers(0, len(LOCK)).map(lambda cut: LOCK[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)
