import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import python_env
from mlgate.core.limits import DEFAULT

FILE = """\
python: 3.10.12
build_dependencies:
- pip==23.3
- setuptools
dependencies:
- -r requirements.txt
- numpy==1.26.4
"""


def read(text):
    return python_env.read(text if isinstance(text, bytes) else text.encode(), DEFAULT)


def test_reads_both_lists_with_their_lines():
    seen = read(FILE)
    assert [(each.name, each.version, each.line, each.condition) for each in seen.requirements] == [
        ("pip", "23.3", 3, "build"),
        ("numpy", "1.26.4", 7, None),
    ]
    assert [(each.path, each.line) for each in seen.includes] == [("requirements.txt", 6)]


@pytest.mark.parametrize("text", ["", "- a", "a", "{", "a: *b", b"\xff"])
def test_what_is_no_environment_is_refused(text):
    with pytest.raises(Unreadable):
        read(text)


@pytest.mark.parametrize("text", ["dependencies: numpy", "dependencies: [[a]]", "deps: [a]", "[a]: b"])
def test_what_cannot_be_read_is_a_problem(text):
    assert [problem.reason for problem in read(text).problems] == ["unparseable"]


@settings(
    max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=100) | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)
