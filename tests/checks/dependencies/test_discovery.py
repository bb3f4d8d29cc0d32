from pathlib import Path

import pytest

from mlgate.checks.dependencies import discovery
from mlgate.checks.dependencies.discovery import readers, unread_kinds
from mlgate.checks.dependencies.manifest import trait

CLEAN = "numpy==2.1.2\n"
PROJECT = '[project]\nname = "a"\ndependencies = ["numpy>=1"]\n'
SCRIPT = "# /// script\n# dependencies = []\n# ///\n"
CONDA = "dependencies: [numpy=2.1.2]\n"
LOCK = 'version = 1\n[[package]]\nname = "numpy"\nversion = "2.1.2"\nsource = { registry = "https://pypi.org/simple" }\n'


def roots(scope):
    return [root.path for root in discovery.find(scope).roots]


def test_every_reader_keeps_the_protocol():
    assert [reader.FORMAT for reader in readers()]
    for reader in readers():
        assert isinstance(reader.LOCK, bool)
        assert not reader.claims("src/main.c")


def test_no_reader_claims_what_is_listed_as_not_read():
    for kind in unread_kinds():
        for name in kind.names:
            reader = discovery.reader_for(name.replace("*", "x"))
            assert reader is None or trait(reader, "MARK")
        assert kind.instead
        assert kind.kind in ("lock", "declaration")


@pytest.mark.parametrize(
    "path",
    [
        ".venv/lib/python3.12/site-packages/a/requirements.txt",
        "node_modules/a/requirements.txt",
        ".tox/py/requirements.txt",
        "myenv/share/requirements.txt",
        "myenv/lib/python3.12/requirements.txt",
    ],
)
def test_installed_packages_are_not_the_repositorys_manifests(scope_of, path):
    scope = scope_of({path: CLEAN, "requirements.txt": CLEAN, "myenv/pyvenv.cfg": ""})
    found = discovery.find(scope)
    assert [root.path for root in found.roots] == ["requirements.txt"]
    assert found.skipped == 1


@pytest.mark.parametrize("path", ["myenv/requirements.txt", "myenv/deep/requirements.txt"])
def test_a_folder_is_no_environment_because_a_file_says_so(scope_of, path):
    assert roots(scope_of({path: CLEAN, "myenv/pyvenv.cfg": ""})) == [path]


def test_tests_are_the_repositorys_own(scope_of):
    assert roots(scope_of({"tests/requirements.txt": CLEAN})) == ["tests/requirements.txt"]


def test_the_policy_excludes_by_glob_and_is_counted(scope_of):
    scope = scope_of(
        {"requirements.txt": CLEAN, "tests/fixtures/requirements.txt": CLEAN},
        "dependencies: {exclude: ['tests/fixtures/**']}",
    )
    assert roots(scope) == ["requirements.txt"]
    assert discovery.find(scope).excluded == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": PROJECT, "uv.lock": LOCK}, ["pyproject.toml", "uv.lock"]),
        ({"pyproject.toml": PROJECT, "pylock.dev.toml": ""}, ["pylock.dev.toml", "pyproject.toml"]),
        ({"pyproject.toml": PROJECT, "poetry.lock": ""}, ["poetry.lock", "pyproject.toml"]),
        ({"pyproject.toml": PROJECT, "pixi.lock": ""}, ["pixi.lock", "pyproject.toml"]),
        ({"pyproject.toml": PROJECT, "requirements.txt": CLEAN}, ["pyproject.toml", "requirements.txt"]),
        ({"a/pyproject.toml": PROJECT, "uv.lock": LOCK}, ["a/pyproject.toml", "uv.lock"]),
        ({"requirements.in": "numpy", "requirements.txt": CLEAN}, ["requirements.txt"]),
        ({"requirements.in": "numpy"}, ["requirements.in"]),
        ({"Pipfile": "", "Pipfile.lock": "{}"}, ["Pipfile.lock"]),
        ({"m/MLmodel": "", "m/conda.yaml": CONDA, "m/requirements.txt": CLEAN}, ["m/requirements.txt"]),
        ({"m/MLmodel": "", "m/conda.yaml": CONDA}, ["m/conda.yaml"]),
        ({"run.py": SCRIPT, "run.py.lock": LOCK}, ["run.py.lock"]),
        ({"m/conda.yaml": CONDA, "m/requirements.txt": CLEAN}, ["m/conda.yaml", "m/requirements.txt"]),
    ],
)
def test_a_declaration_beside_its_lock_is_covered_by_it(scope_of, files, expected):
    assert roots(scope_of(files)) == expected


@pytest.mark.parametrize("folder", ["", "packages/a/"])
def test_a_changed_declaration_is_held_against_an_unchanged_lock(scope_of, folder):
    path = f"{folder}pyproject.toml"
    scope = scope_of({path: PROJECT, "uv.lock": LOCK}, changed={path})
    assert roots(scope) == [path, "uv.lock"]


@pytest.mark.parametrize("beside", ["requirements.txt", "pyproject.toml", "uv.lock"])
def test_a_setup_file_beside_a_manifest_with_requirements_is_covered(collect, gaps, beside):
    content = {
        "requirements.txt": CLEAN,
        "pyproject.toml": PROJECT.replace(">=1", "==2.1.2"),
        "uv.lock": LOCK,
    }
    seen = collect({"setup.py": "install_requires", beside: content[beside]})
    assert gaps(seen) == []
    manifests = next(source for source in seen.sources if source.name == "manifests")
    assert manifests.detail["passed_over"] == ["setup.py"]
    assert "setup.py" in manifests.summary


def test_a_setup_file_that_requires_nothing_is_not_worth_a_word(collect):
    seen = collect({"setup.py": "setup()", "requirements.txt": CLEAN})
    assert next(source for source in seen.sources if source.name == "manifests").detail["passed_over"] == []


def test_a_setup_file_beside_a_manifest_that_says_nothing_is_not(collect, gaps):
    seen = collect({"setup.py": "install_requires", "pyproject.toml": "[tool.ruff]\n"})
    assert gaps(seen) == [("unsupported-manifest", "setup.py", None)]


def test_every_format_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    table = page.partition("### What is read")[2].partition("## assessment")[0]
    assert [reader.FORMAT for reader in readers() if reader.FORMAT not in table] == []
    names = {name for kind in unread_kinds() for name in kind.names}
    assert [name for name in names if f"`{name}`" not in table] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("requirements.txt", "torch\n"),
        ("Dockerfile", "FROM x\nRUN pip install torch\n"),
        ("a.ipynb", '{"cells": [{"cell_type": "code", "source": "!pip install torch"}]}'),
        ("a.py", '# /// script\n# dependencies = ["torch"]\n# ///\n'),
        ("environment.yml", "dependencies: [torch]"),
        ("poetry.lock", ""),
        ("pdm.lock", ""),
        ("Pipfile.lock", ""),
        ("MLmodel", "flavors: {a: {env: e.yaml}}"),
        ("python_env.yaml", "dependencies: [torch]"),
        ("setup.py", "install_requires"),
        ("a.dist-info/METADATA", ""),
    ],
)
def test_the_policy_silences_every_kind(collect, gaps, name, content):
    files = {"requirements/all.txt": CLEAN, f"old/{name}": content}
    assert gaps(collect(files)) or name.endswith("METADATA")
    assert gaps(collect(files, "dependencies: {exclude: ['old/**']}")) == []


def test_a_file_that_is_found_by_content_and_is_a_link_is_searched_where_it_leads(scope_of, tmp_path):
    (tmp_path / "Dockerfile").symlink_to("docker/base")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "Dockerfile.out").symlink_to("/etc/hostname")
    assert roots(scope_of({"docker/base": "FROM x\nRUN pip install numpy==2.1.2\n"})) == ["Dockerfile"]


def test_content_beyond_what_is_searched_counts_as_a_manifest(scope_of, gaps, collect):
    policy = "limits: {search_bytes: 1048577, manifest_bytes: 1048577}"
    seen = collect({"a.ipynb": " " * (3 << 20)}, policy)
    assert gaps(seen) == [("limit", "a.ipynb", None)]
