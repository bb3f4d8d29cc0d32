import contextlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import setup_cfg
from mlgate.core.limits import DEFAULT

FILE = """\
[metadata]
name = x
[options]
packages = find:
install_requires =
    torch==2.1.0
    # a comment
    numpy>=1.20; python_version > "3"  # why
setup-requires = cython
  setuptools_scm==8.0
tests_require: pytest; hypothesis==6.0
[options.extras_require]
gpu = cupy==12.0
docs = file: docs/requirements.txt
[flake8]
install_requires = nothing
"""


def read(text):
    return setup_cfg.read(text if isinstance(text, bytes) else text.encode(), DEFAULT)


def test_reads_every_list_with_its_lines():
    seen = read(FILE)
    assert [(each.name, each.version, each.line, each.condition) for each in seen.requirements] == [
        ("torch", "2.1.0", 6, None),
        ("numpy", None, 8, 'python_version > "3"'),
        ("setuptools-scm", "8.0", 10, "build"),
        ("pytest", None, 11, "extra tests"),
        ("hypothesis", "6.0", 11, "extra tests"),
        ("cupy", "12.0", 13, "extra gpu"),
    ]
    assert [(each.path, each.line) for each in seen.includes] == [("docs/requirements.txt", 14)]
    assert seen.problems == ()


def test_code_is_not_run():
    assert [each.reason for each in read("[options]\ninstall_requires = attr: x.y\n").problems] == [
        "dynamic-dependencies"
    ]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (FILE, True),
        ("[options.extras_require]\na = b\n", True),
        ("[flake8]\nmax-line-length = 100\n", False),
    ],
)
def test_settings_of_other_tools_are_no_manifest(text, marked):
    assert bool(re.search(setup_cfg.MARK, text.encode())) == marked


def test_what_is_no_text_is_refused():
    with pytest.raises(Unreadable):
        read(b"\xff")


@pytest.mark.parametrize("line", ["torch=>1", "torch 1", "[x"])
def test_a_line_that_is_no_requirement_is_said(line):
    assert [each.reason for each in read(f"[options]\ninstall_requires =\n  {line}\n").problems] == [
        "unparseable"
    ]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(FILE)), st.text(max_size=8), st.integers(0, 40))
def test_whatever_stands_there_is_read_or_refused(at, text, cut):
    with contextlib.suppress(Unreadable):
        assert isinstance(read((FILE[:at] + text + FILE[at + cut :]).encode("utf-8", "replace")), Reading)
