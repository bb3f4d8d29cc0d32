import contextlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import script
from mlgate.core.limits import DEFAULT

HEAD = """\
#!/usr/bin/env -S uv run
#@ /// script
# requires-python = ">=3.11"
# dependencies = [
#   "torch==2.1.0",
#   "numpy>=1; python_version < '3.13'",
# ]
# ///
import torch
""".replace("@", "")  # or this file would be such a script itself


def read(text):
    return script.read(text if isinstance(text, bytes) else text.encode(), DEFAULT)


def test_reads_the_block_with_its_lines():
    assert [(each.name, each.version, each.line) for each in read(HEAD).requirements] == [
        ("torch", "2.1.0", 5),
        ("numpy", None, 6),
    ]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_every_kind_are_one(end):
    assert len(read(HEAD.replace("\n", end).encode()).requirements) == 2


def test_a_block_of_another_kind_is_not_meant():
    assert read("# /// other\n# dependencies = ['a']\n# ///\n") == Reading()


@pytest.mark.parametrize("text", ["", "import torch\n", "#/// script\n# a\n# ///\n", "x = '# /// script'\n"])
def test_a_file_without_a_block_is_no_manifest(collect, gaps, text):
    seen = collect({"a.py": text, "requirements.txt": "numpy==2.1.2\n"})
    assert gaps(seen) == []
    assert seen.sources[0].detail["read"] == ["requirements.txt"]


@pytest.mark.parametrize(
    "text",
    [
        HEAD[: HEAD.index("# ///\n")],
        HEAD + HEAD,
        HEAD.replace("# dependencies = [", "# dependencies = {"),
        "# /// script\n# dependencies = 'torch'\n# ///\n",
        "# /// script\n# dependencies = [1]\n# ///\n",
        "# /// script\n# a = " + "[" * 5000 + "\n# ///\n",
    ],
)
def test_a_block_that_cannot_be_read_is_said(text):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert caught.value.reason == "unparseable"
    assert caught.value.line


def test_a_script_is_found_by_its_content_wherever_the_block_stands(collect, pins):
    filler = "x = 1\n" * 400_000
    seen = collect({"a.py": filler + HEAD.replace("numpy>=1", "numpy==2.1.2"), "b.py": "import os\n"})
    assert [name for name, _, _, _ in pins(seen)] == ["torch", "numpy"]


def test_the_policy_can_leave_scripts_out(collect):
    seen = collect({"a/b.py": HEAD, "requirements.txt": "numpy==2.1.2"}, "dependencies: {exclude: ['a/**']}")
    assert seen.sources[0].detail["excluded"] == 1
    assert [each.name for each in seen.packages] == ["numpy"]


@settings(
    max_examples=80, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=100) | st.integers(0, len(HEAD)).map(lambda cut: HEAD[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)


# The expression of the standard (PEP 723), which the reader writes out.
STANDARD = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["# /// script", "# /// a", "# ///", "#", "# a", "#a", "", "x", " # ///", "# /// "]),
        max_size=12,
    )
)
def test_blocks_are_those_of_the_standards_expression(lines):
    text = "\n".join(lines)
    expected = [
        (found["type"], text.count("\n", 0, found.start()), text.count("\n", 0, found.end()))
        for found in re.finditer(STANDARD, text)
    ]
    assert list(script._blocks(lines)) == expected
