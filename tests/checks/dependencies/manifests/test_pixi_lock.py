import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import pixi_lock
from mlgate.core.limits import DEFAULT, Limits

FILE = """\
version: 6
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/pytorch-cpu-2.1.0-py312_0.conda
      - pypi: https://files.pythonhosted.org/packages/x/transformers-4.36.0-py3-none-any.whl
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/pytorch-cpu-2.1.0-py312_0.conda
  sha256: a
- conda: https://conda.anaconda.org/conda-forge/osx-arm64/pytorch-cpu-2.1.0-py312_1.conda
- conda: https://conda.anaconda.org/conda-forge/linux-64/libgcc-13.2.0-h77fa898_0.conda
- pypi: https://files.pythonhosted.org/packages/x/transformers-4.36.0-py3-none-any.whl
  name: transformers
  version: 4.36.0
  sha256: b
- pypi: ./
  name: own
  version: 0.1.0
  editable: true
"""
OLD = """\
version: 5
packages:
- kind: conda
  name: numpy
  version: 1.26.4
  build: py312_0
  url: https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py312_0.conda
- kind: pypi
  name: requests
  version: 2.31.0
  url: https://files.pythonhosted.org/packages/x/requests-2.31.0-py3-none-any.whl
"""


def read(text, limits=DEFAULT):
    return pixi_lock.read(text if isinstance(text, bytes) else text.encode(), limits)


def package(**fields):
    lines = "\n".join(f"  {key}: {value}" for key, value in fields.items())
    return read(f"version: 6\npackages:\n-\n{lines}\n")


def test_reads_each_version_once_with_its_line():
    seen = read(FILE)
    assert [(each.name, each.version, each.line) for each in seen.requirements] == [
        ("torch", "2.1.0", 11),
        ("transformers", "4.36.0", 15),
    ]
    assert seen.aside == ("libgcc",)
    assert seen.problems == ()


def test_reads_the_older_form():
    seen = read(OLD)
    assert [(each.name, each.version, each.line) for each in seen.requirements] == [
        ("numpy", "1.26.4", 3),
        ("requests", "2.31.0", 8),
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"pypi": "git+https://x.org/a@1", "name": "a", "version": "1"}, "vcs-requirement"),
        ({"pypi": "../a", "name": "a", "version": "1"}, "local-requirement"),
        ({"pypi": "./a-1-py3-none-any.whl", "name": "a", "version": "1"}, "local-requirement"),
    ],
)
def test_what_is_no_release_has_no_version(fields, kind):
    seen = package(**fields)
    assert [(each.name, each.kind, each.version) for each in seen.requirements] == [("a", kind, None)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pypi": "https://x.org/a-1.whl", "name": "a", "version": "1"}, "url-requirement"),
        ({"pypi": "https://files.pythonhosted.org/a-1.whl", "name": "a"}, "unparseable"),
        ({"pypi": "https://files.pythonhosted.org/a-1.whl"}, "unparseable"),
        ({"conda": "https://conda.anaconda.org/a.conda"}, "unparseable"),
        ({"conda": "./a"}, "unparseable"),
        ({"npm": "a"}, "unparseable"),
    ],
)
def test_what_cannot_be_told_is_said(fields, reason):
    assert [each.reason for each in package(**fields).problems] == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unparseable"),
        ("version: 7\npackages: []", "future-lock-version"),
        ("version: 1\npackages: []", "future-lock-version"),
        ("packages: []", "future-lock-version"),
        ("version: 6", "unparseable"),
        ("version: 6\npackages: a", "unparseable"),
        (b"\xff", "unparseable"),
        ("#" * (5 << 20), "limit"),
    ],
)
def test_what_is_no_lock_file_is_refused(text, reason):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == reason


def test_a_limit_ends_the_reading():
    packages = "".join(f"- conda: https://x/a{n}-1-0.conda\n" for n in range(20))
    seen = read(f"version: 6\npackages:\n{packages}", Limits(requirements=5))
    assert len(seen.requirements) == 5
    assert [each.reason for each in seen.problems] == ["limit"]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(FILE)), st.text(max_size=8), st.integers(0, 40))
def test_whatever_stands_there_is_read_or_refused(at, text, cut):
    with contextlib.suppress(Unreadable):
        assert isinstance(read((FILE[:at] + text + FILE[at + cut :]).encode("utf-8", "replace")), Reading)
