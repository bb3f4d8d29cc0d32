import contextlib
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import notebook
from mlgate.core.limits import DEFAULT, Limits


def document(*cells, kind="code"):
    return {
        "cells": [{"cell_type": kind, "source": cell, "outputs": [], "metadata": {}} for cell in cells],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def read(*cells, kind="code", indent=1, limits=DEFAULT):
    cells = [cell.splitlines(keepends=True) if isinstance(cell, str) else cell for cell in cells]
    return notebook.read(json.dumps(document(*cells, kind=kind), indent=indent).encode(), limits)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%pip install a==1", [("a", "1")]),
        ("!pip install a==1", [("a", "1")]),
        ("!!pip install a==1", [("a", "1")]),
        ("! pip3 install -q a==1 b", [("a", "1"), ("b", None)]),
        ("    !pip install a==1", [("a", "1")]),
        ("pip install a==1", [("a", "1")]),
        ("out = !pip install a==1", [("a", "1")]),
        ("!{sys.executable} -m pip install a==1", [("a", "1")]),
        ("!python -m pip install a==1 && pip install b==2", [("a", "1"), ("b", "2")]),
        ("%uv pip install a==1", [("a", "1")]),
        ("!uv add a==1", [("a", "1")]),
        ("%conda install -y -c conda-forge pytorch==1.0", [("torch", "1.0")]),
        ("!mamba install a==1", [("a", "1")]),
        ("!pip install a==1 \\\n  b==2\nimport a", [("a", "1"), ("b", "2")]),
        ("%%bash\ncd /tmp\npip install a==1", [("a", "1")]),
        ("%%sh\npip install a==1", [("a", "1")]),
        ("%%script bash\npip install a==1", [("a", "1")]),
        ("%%!\npip install a==1", [("a", "1")]),
        ("%%capture\n!pip install a==1", [("a", "1")]),
        ("%%time\n%pip install a==1", [("a", "1")]),
        ("get_ipython().system('pip install a==1')", [("a", "1")]),
        ("get_ipython().run_line_magic('pip', 'install a==1')", [("a", "1")]),
        ("os.system('pip install a==1')", [("a", "1")]),
        ("!pip install 'a[b]==1; python_version > \"3\"'", [("a", "1")]),
        ("!pip install --upgrade pip", []),
        ("# !pip install a==1", []),
        ("%%writefile x.sh\npip install a==1", []),
        ("%%javascript\n!pip install a==1", []),
        ("print('!pip install a==1')", []),
        ("pip = 1", []),
        ("!echo pip install a==1", []),
        ("!pip list", []),
        ("x = {'pip install': 1}", []),
    ],
)
def test_reads_what_cells_install(cell, expected):
    seen = read(cell)
    assert [(each.name, each.version) for each in seen.requirements] == expected
    assert seen.problems == ()


def test_only_code_is_read():
    assert read("!pip install a==1", kind="markdown") == Reading()


def test_lines_are_those_of_the_file():
    cells = ["!pip install a==1\n!pip install b==1", "!pip install a==1", "!pip install \\\n  é-c 'd==1'"]
    text = json.dumps(document(*(cell.splitlines(keepends=True) for cell in cells)), indent=1)
    seen = notebook.read(text.encode(), DEFAULT)
    numbers = [number for number, line in enumerate(text.split("\n"), 1) if "==1" in line]
    assert [each.line for each in seen.requirements] == numbers


def test_a_cell_written_as_one_string_has_its_line():
    text = json.dumps(document("import a\n!pip install a==1"), indent=1)
    (found,) = notebook.read(text.encode(), DEFAULT).requirements
    assert "pip install" in text.split("\n")[found.line - 1]


def test_a_notebook_on_one_line_has_that_line():
    assert [each.line for each in read("!pip install a==1", indent=None).requirements] == [1]


def test_a_notebook_of_format_3_is_read():
    text = json.dumps(
        {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "!pip install a==1"}]}]}
    )
    assert [each.name for each in notebook.read(text.encode(), DEFAULT).requirements] == ["a"]


@pytest.mark.parametrize("cell", ["!pip install {name}", "!pip install a=={version}", "!pip install $name"])
def test_what_only_a_run_could_tell_is_said(cell):
    assert [problem.reason for problem in read(cell).problems] == ["computed-requirement"]


def test_a_notebook_is_found_by_what_it_installs(collect, pins, gaps):
    install = json.dumps(
        document(["!pip install -r requirements.txt\n", "!pip install torch==1.0 numpy\n"]), indent=1
    )
    plain = json.dumps(document(["from sklearn.pipeline import Pipeline  # pip is not used\n"]), indent=1)
    seen = collect(
        {
            "nb/a.ipynb": install,
            "nb/b.ipynb": plain,
            "c.ipynb": "no json",
            "requirements.txt": "numpy==2.1.2\n",
        }
    )
    assert [(name, path) for name, _, path, _ in pins(seen)] == [
        ("torch", "nb/a.ipynb"),
        ("numpy", "requirements.txt"),
    ]
    assert gaps(seen) == []
    assert seen.sources[0].detail["read"] == ["nb/a.ipynb", "requirements.txt"]


def test_a_broken_notebook_that_installs_is_not_checked(collect, gaps):
    assert [gap[:2] for gap in gaps(collect({"a.ipynb": '{"cells": ["!pip install torch"'}))] == [
        ("unparseable", "a.ipynb")
    ]


def test_the_policy_can_leave_notebooks_out(collect, gaps):
    seen = collect(
        {"nb/a.ipynb": json.dumps(document("!pip install torch")), "requirements.txt": "numpy==2.1.2"},
        "dependencies: {exclude: ['**/*.ipynb']}",
    )
    assert gaps(seen) == []


@pytest.mark.parametrize(
    "text",
    [
        '"pip"',
        '{"pip": 1}',
        '["pip"]',
        '{"cells": 3, "pip": 1}',
        '{"cells": [3], "pip": 1}',
        "pip" + "[" * 100_000,
        b"pip \xff",
    ],
)
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(Unreadable):
        notebook.read(text if isinstance(text, bytes) else text.encode(), DEFAULT)


@pytest.mark.parametrize("source", [3, [3], {"a": "b"}])
def test_a_cell_that_is_not_text_is_a_problem_and_the_rest_stands(source):
    seen = read(source, "!pip install a==1")
    assert ([each.name for each in seen.requirements], len(seen.problems)) == (["a"], 1)


def test_too_many_are_said():
    seen = read("!pip install a b c d", limits=Limits(requirements=2))
    assert [problem.reason for problem in seen.problems] == ["limit"]


FILE = json.dumps(document(["!pip install a==1 \\\n", " {b}\n"], "%%bash\npip install c"), indent=1)


@settings(
    max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.binary(max_size=60)
    | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut].encode())
    | st.lists(
        st.sampled_from(
            [
                "!pip install ",
                "%pip ",
                "a==1 ",
                "{",
                "}",
                "\\\n",
                "\n",
                "'",
                '"',
                "$",
                "(",
                "%%bash\n",
                "os.system(",
                "get_ipython()",
            ]
        ),
        max_size=20,
    ).map(lambda parts: json.dumps(document("".join(parts))).encode())
)
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(notebook.read(data, DEFAULT), Reading)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": 3}', "[" * 100_000, b"\xff"])
def test_a_broken_notebook_that_names_no_tool_installs_nothing(text):
    assert notebook.read(text if isinstance(text, bytes) else text.encode(), DEFAULT) == Reading()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('subprocess.run(["pip", "install", "a==1"])', [("a", "1")]),
        ('subprocess.check_call([\n  sys.executable, "-m", "pip",\n  "install", "a==1"])', [("a", "1")]),
        ('subprocess.run(f"{sys.executable} -m pip install a==1".split())', [("a", "1")]),
        ('subprocess.run("pip install " + "a==1", shell=True)', [("a", "1")]),
        ('subprocess.run(shlex.split("pip install a==1"))', [("a", "1")]),
        ('subprocess.run(check=True, args=("pip", "install", "a==1"))', [("a", "1")]),
        ('c = ["pip", "install", "a==1"]\nsubprocess.run(c)', [("a", "1")]),
        ('await asyncio.create_subprocess_exec("pip", "install", "a==1")', [("a", "1")]),
        ('os.system("""\npip install a==1\n""")', [("a", "1")]),
        ("pip.main(['install', 'a==1'])", [("a", "1")]),
        ("from pip._internal import main\nmain(['install', 'a==1'])", [("a", "1")]),
        ('get_ipython().run_cell_magic("bash", "", "pip install a==1\\n")', [("a", "1")]),
        ('get_ipython().run_line_magic("uv", "pip install a==1")', [("a", "1")]),
        ('get_ipython().run_line_magic("sx", "pip install a==1")', [("a", "1")]),
        ('get_ipython().magic("pip install a==1")', [("a", "1")]),
        ('await micropip.install(["a==1", "b"])', [("a", "1"), ("b", None)]),
        ("%%python\nimport os\nos.system('pip install a==1')", [("a", "1")]),
        ("a, b = !pip install a==1", [("a", "1")]),
        ("x.y[0] = !pip install a==1", [("a", "1")]),
        ("%time !pip install a==1", [("a", "1")]),
        ("%timeit -n1 %pip install a==1", [("a", "1")]),
        ("%sh pip install a==1", [("a", "1")]),
        ("%%shell\npip install a==1", [("a", "1")]),
        ("%%script --bg bash\ncd x; pip install a==1", [("a", "1")]),
        ("%%capture\n%%bash\ncd x; pip install a==1", [("a", "1")]),
        ("%%px\n!pip install a==1", [("a", "1")]),
        ("uv pip install a==1", [("a", "1")]),
        ("!python3 -mpip install a==1", [("a", "1")]),
        ("!p''ip install a==1", [("a", "1")]),
        ("!pixi add --pypi a==1", [("a", "1")]),
        ("!python -c \"import pip; pip.main(['install', 'a==1'])\"", [("a", "1")]),
        ("!echo pip install a==1 | bash", [("a", "1")]),
        ("print(\"subprocess.run(['pip', 'install', 'a==1'])\")", []),
        ("help = 'pip install a==1'", []),
        ("# subprocess.run(['pip', 'install', 'a==1'])", []),
        ("tools = ['pip', 'conda']\nrun(tools)", []),
        ("subprocess.run(['pip', 'list'])", []),
    ],
)
def test_finds_installs_however_the_cell_starts_them(cell, expected):
    data = json.dumps(document(cell.splitlines(keepends=True)), indent=1).encode()
    assert re.search(notebook.MARK, data)
    seen = notebook.read(data, DEFAULT)
    assert [(each.name, each.version) for each in seen.requirements] == expected
    assert seen.problems == ()


@pytest.mark.parametrize(
    "cell",
    [
        'subprocess.run([sys.executable, "-m", "pip", "install", package])',
        'subprocess.run(["pip", "install"] + packages)',
        'subprocess.run(["pip", "install", *packages])',
        'c = ["pip", "install"] + packages\nsubprocess.run(c)',
        'os.system("pip install %s" % package)',
        'os.system("pip install {}".format(package))',
        'os.system(f"pip install {package}")',
        "!{pip} install $package",
        "!$(which pip) install $package",
        "!pip install -r <(echo a==1)",
    ],
)
def test_a_command_that_is_put_together_is_said(cell):
    assert [each.reason for each in read(cell).problems] == ["computed-requirement"]


def test_a_tool_spelled_in_json_escapes_is_found():
    data = json.dumps(document(["!pip install a==1"])).replace("!pip", "\\u0021p\\u0069p").encode()
    assert re.search(notebook.MARK, data)
    assert [each.name for each in notebook.read(data, DEFAULT).requirements] == ["a"]


def test_an_index_in_the_environment_is_an_index():
    seen = read(
        "%env PIP_EXTRA_INDEX_URL=https://x.org", "!PIP_EXTRA_INDEX_URL=https://y.org pip install a==1"
    )
    assert [each.url for each in seen.indexes] == ["https://x.org", "https://y.org"]


@pytest.mark.parametrize(
    ("cells", "cloned"),
    [
        (["!git clone https://x.org/y.git && cd y && pip install -e ."], True),
        (["!git clone https://x.org/y", "%cd y", "!pip install -r requirements.txt"], True),
        (["!git clone https://x.org/y z", "!pip install ./z"], True),
        (["!git clone https://x.org/y", "%cd y", "%cd ..", "!pip install -r requirements.txt"], False),
        (["!pip install -e ."], False),
    ],
)
def test_what_is_cloned_is_no_file_of_the_repository(cells, cloned):
    seen = read(*cells)
    assert [each.reason for each in seen.problems] == (["vcs-requirement"] if cloned else [])
    assert bool(seen.includes) != cloned
