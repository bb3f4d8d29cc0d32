import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import pyproject
from mlgate.core.limits import DEFAULT, Limits

PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]

[project]
name = "demo"
dependencies = [
  "torch==2.1.0",
  "numpy>=1.20; python_version < '3.13'",
]

[project.optional-dependencies]
dev = ["pytest==8.0", "demo[all]"]

[dependency-groups]
docs = ["sphinx", { include-group = "more" }]
more = ["tool @ git+https://x.org/tool", "blob @ https://x.org/blob.whl", "own @ file:///own"]
"""


def read(text, limits=DEFAULT):
    return pyproject.read(text if isinstance(text, bytes) else text.encode(), limits)


def test_reads_dependencies_extras_and_groups_with_their_lines():
    found = [
        (each.name, each.kind, each.version, each.line, each.condition) for each in read(PROJECT).requirements
    ]
    assert found == [
        ("torch", "pinned", "2.1.0", 7, None),
        ("numpy", "unpinned", None, 8, 'python_version < "3.13"'),
        ("pytest", "pinned", "8.0", 12, "extra dev"),
        ("sphinx", "unpinned", None, 15, "group docs"),
        ("tool", "vcs-requirement", None, 16, "group more"),
        ("blob", "url-requirement", None, 16, "group more"),
        ("own", "local-requirement", None, 16, "group more"),
    ]


def test_settings_of_tools_declare_nothing():
    assert read("[tool.ruff]\nline-length = 100\n") == Reading()


def test_follows_files_that_setuptools_reads():
    text = (
        '[project]\nname = "a"\ndynamic = ["dependencies", "optional-dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = { file = ["requirements.txt"] }\n'
        'optional-dependencies.dev = { file = "dev.txt" }\n'
    )
    assert [each.path for each in read(text).includes] == ["requirements.txt", "dev.txt"]
    assert read(text).problems == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[project]\nname = "a"\ndynamic = ["dependencies"]\n', "dynamic-dependencies"),
        ('[tool.poetry.dependencies]\ntorch = "^2"\n', "unsupported-manifest"),
        ('[project]\ndependencies = ["a b c"]\n', "unparseable"),
        ("[project]\ndependencies = [3]\n", "unparseable"),
    ],
)
def test_says_what_it_cannot_tell(text, reason):
    assert [problem.reason for problem in read(text).problems] == [reason]


@pytest.mark.parametrize(
    "text",
    [
        "project = 3\n",
        "[project]\ndependencies = 3\n",
        "[project]\noptional-dependencies = [1]\n",
        "dependency-groups = 1\n",
        "[project]\nname = 3\ndynamic = 3\n",
        "tool = 3\n",
    ],
)
def test_wrong_shapes_are_no_crash(text):
    assert read(text) == Reading()


def test_refuses_what_is_no_toml():
    with pytest.raises(Unreadable):
        read("[project\n")


def test_stops_at_the_limit_and_says_so():
    assert [problem.reason for problem in read(PROJECT, Limits(requirements=1)).problems] == ["limit"]


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.integers(0, len(PROJECT)), st.integers(0, 30), st.binary(max_size=6))
def test_is_total_on_damaged_files(at, cut, inserted):
    data = PROJECT.encode()
    with contextlib.suppress(Unreadable):
        assert isinstance(pyproject.read(data[:at] + inserted + data[at + cut :], DEFAULT), Reading)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("{ git = 'https://x.org/torch' }", "vcs-requirement"),
        ("{ url = 'https://x.org/torch.whl' }", "url-requirement"),
        ("{ path = '../torch.whl' }", "local-requirement"),
        ("[{ index = 'own' }, { git = 'https://x.org/torch', marker = 'x' }]", "vcs-requirement"),
        ("{ index = 'own' }", "pinned"),
        ("{ workspace = true }", "pinned"),
        ("7", "pinned"),
    ],
)
def test_uv_takes_a_package_from_elsewhere(source, kind):
    text = f"[project]\ndependencies = ['torch==2.6.0']\n[tool.uv.sources]\nTorch = {source}\n"
    assert [(each.name, each.kind, each.line) for each in read(text).requirements] == [("torch", kind, 2)]


@pytest.mark.parametrize(
    "table",
    [
        "[build-system]\nrequires = ['hatchling>=1', 'evil==1.0']",
        "[tool.uv]\noverride-dependencies = ['torch>=2', 'evil==1.0']",
        "[tool.uv]\nconstraint-dependencies = ['evil==1.0']",
        "[tool.hatch.envs.test]\ndependencies = ['pytest', 'evil==1.0']",
        "[tool.uv]\ndev-dependencies = ['evil==1.0']",
        "[tool.pdm.dev-dependencies]\ntest = ['evil==1.0']",
    ],
)
def test_what_tools_install_on_their_own_account_counts_where_it_is_exact(table):
    assert [(each.name, each.version) for each in read(table).requirements] == [("evil", "1.0")]


def test_what_a_build_takes_from_a_url_counts():
    reading = read("[build-system]\nrequires = ['evil @ git+https://x.org/evil']\n")
    assert [each.kind for each in reading.requirements] == ["vcs-requirement"]


@pytest.mark.parametrize(
    "table",
    [
        "[tool.poetry.dependencies]\nevil = '*'",
        "[tool.poetry.group.dev.dependencies]\nevil = '*'",
        "[tool.poetry.dev-dependencies]\nevil = '*'",
    ],
)
def test_poetrys_tables_beside_the_projects_are_said_not_to_be_read(table):
    reading = read(f"[project]\ndependencies = ['torch==2.6.0']\n{table}\n")
    assert [problem.reason for problem in reading.problems] == ["unsupported-manifest"]


def test_poetrys_python_alone_is_no_dependency():
    assert not read("[project]\nname = 'a'\n[tool.poetry.dependencies]\npython = '^3.11'\n").problems


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000 + "c = 1",
        "[" + "a . " * 100_000 + "c]",
        "'a'." * 100_000 + "c = 1",
        "x = {" + "a." * 9999,
    ],
)
def test_a_key_without_end_does_not_fill_the_memory(text):
    with pytest.raises(Unreadable, match="50 parts"):
        read(text)
