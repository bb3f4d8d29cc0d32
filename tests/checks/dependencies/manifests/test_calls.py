import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifests import _calls

SOURCE = """\
import subprocess, sys
command = [sys.executable, "-m", "pip", "install"] + packages
subprocess.run(command, check=True)
os.system(f"{sys.executable} -m pip install {name}".strip())
get_ipython().run_cell_magic("bash", "", '''
pip install a==1
''')
"""
TOKENS = st.sampled_from(
    [
        "run(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "+",
        "=",
        '"',
        "'",
        '"""',
        "f'{x}'",
        "\\",
        "\n",
        "#",
        ".split()",
        "pip",
    ]
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('run(["a b", "c"])', ["'a b' c"]),
        ('run("a " "b")', ["a b"]),
        ('run(("a"))', ["a"]),
        (r'run("a\"b\n")', ['a"b\n']),
        (r'run(r"a\n")', [r"a\n"]),
        ('run(f"a {b}")', ["a ${b}"]),
        ('run(["a", f"b=={c}"])', ['a "b==${c}"']),
        ("run(x)", ["${_}"]),
        ("run()", []),
        ("run(shell=True)", []),
        ('print("a")', []),
        ('def main(x="a"): pass', []),
        ('main(["x"])', []),
        ('run_line_magic("time", "a")', ["time a"]),
        ('run_cell_magic("html", "", "a")', []),
    ],
)
def test_a_call_becomes_the_shell_text_that_it_runs(source, expected):
    assert [script for script, _ in _calls.scripts(source)] == expected


def test_each_script_stands_on_the_line_of_its_call():
    assert [line for _, line in _calls.scripts(SOURCE)] == [1, 2, 3, 4]


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.lists(TOKENS | st.text(max_size=3), max_size=40).map("".join))
def test_any_text_is_read(source):
    lines = source.count("\n") + 1
    assert all(0 <= line <= lines for _, line in _calls.scripts(source))


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.integers(0, len(SOURCE)), st.integers(0, 30), st.text(max_size=6))
def test_any_damage_is_read(at, cut, text):
    list(_calls.scripts(SOURCE[:at] + text + SOURCE[at + cut :]))
