import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import conda_lock
from mlgate.core.limits import DEFAULT, Limits

FILE = """\
version: 1
metadata:
  platforms: [linux-64, osx-arm64]
package:
- name: pytorch
  version: 2.1.0
  manager: conda
  platform: linux-64
  dependencies: {python: '>=3.11'}
  url: https://conda.anaconda.org/pytorch/linux-64/pytorch-2.1.0-py3.11_0.tar.bz2
  hash: {md5: a}
- name: pytorch
  version: 2.1.0
  manager: conda
  platform: osx-arm64
- name: cudatoolkit
  version: '11.8'
  manager: conda
  platform: linux-64
- name: transformers
  version: 4.36.0
  manager: pip
  platform: linux-64
  url: https://files.pythonhosted.org/packages/x/transformers-4.36.0-py3-none-any.whl
  hash: {sha256: b}
- name: transformers
  version: 4.35.0
  manager: pip
  platform: osx-arm64
  url: https://files.pythonhosted.org/packages/x/transformers-4.35.0-py3-none-any.whl
"""


def read(text, limits=DEFAULT):
    return conda_lock.read(text if isinstance(text, bytes) else text.encode(), limits)


def package(**fields):
    lines = "\n".join(f"  {key}: {value}" for key, value in fields.items())
    return read(f"version: 1\npackage:\n-\n{lines}\n")


def test_reads_each_version_once_with_its_line():
    seen = read(FILE)
    assert [(each.name, each.version, each.line, each.forked, each.hashed) for each in seen.requirements] == [
        ("torch", "2.1.0", 6, False, False),
        ("transformers", "4.36.0", 21, True, True),
        ("transformers", "4.35.0", 27, True, False),
    ]
    assert seen.aside == ("cudatoolkit",)
    assert seen.problems == ()


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("conda-lock.yml", True),
        ("a/conda-lock.yaml", True),
        ("gpu.conda-lock.yml", True),
        ("conda.lock", False),
    ],
)
def test_a_lock_file_has_one_of_its_names(path, claimed):
    assert conda_lock.claims(path) == claimed


def test_what_comes_from_version_control_is_no_release():
    seen = package(name="a", version="1", manager="pip", url="git+https://x.org/a")
    assert [(each.name, each.kind, each.version) for each in seen.requirements] == [
        ("a", "vcs-requirement", None)
    ]


def test_a_file_from_elsewhere_is_said():
    seen = package(name="a", version="1", manager="pip", url="https://x.org/a-1.whl")
    assert [(each.reason, each.subject) for each in seen.problems] == [("url-requirement", "a")]


@pytest.mark.parametrize(
    "fields",
    [{"name": "a", "manager": "pip"}, {"version": "1", "manager": "conda"}, {"name": "a", "version": "1"}],
)
def test_a_package_that_lacks_something_is_said(fields):
    seen = package(**fields)
    assert [each.reason for each in seen.problems] == ["unparseable"]
    assert seen.requirements == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unparseable"),
        ("version: 2\npackage: []", "future-lock-version"),
        ("package: []", "future-lock-version"),
        ("- a", "future-lock-version"),
        ("version: 1", "unparseable"),
        ("version: 1\npackage: {a: b}", "unparseable"),
        ("version: 1\npackage: [*a]", "unparseable"),
        (b"\xff", "unparseable"),
        ("#" * (5 << 20), "limit"),
        ("- a\n" * 300_000, "limit"),
    ],
)
def test_what_is_no_lock_file_is_refused(text, reason):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == reason


def test_a_limit_ends_the_reading():
    packages = "".join(f"- {{name: a{n}, version: '1', manager: conda}}\n" for n in range(20))
    seen = read(f"version: 1\npackage:\n{packages}", Limits(requirements=5))
    assert len(seen.requirements) == 5
    assert [each.reason for each in seen.problems] == ["limit"]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(FILE)), st.text(max_size=8), st.integers(0, 40))
def test_whatever_stands_there_is_read_or_refused(at, text, cut):
    with contextlib.suppress(Unreadable):
        assert isinstance(read((FILE[:at] + text + FILE[at + cut :]).encode("utf-8", "replace")), Reading)
