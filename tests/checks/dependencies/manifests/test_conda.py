import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import conda
from mlgate.core.limits import DEFAULT, Limits

FILE = """\
name: train
channels: [conda-forge]
dependencies:
  - python=3.11
  - pytorch::pytorch=2.1.0=py3.11_cuda12.1_0
  - numpy=1.26.4  # pinned
  - pip
  - scipy
  - pip:
      - transformers==4.36.0
      - -r requirements.txt
      - --extra-index-url https://download.pytorch.org/whl/cu121
      - git+https://github.com/x/tool
"""


def read(text, limits=DEFAULT):
    return conda.read(text if isinstance(text, bytes) else text.encode(), limits)


def one(spec):
    found = read(f"dependencies: [{json.dumps(spec)}]")
    return [(each.name, each.version) for each in found.requirements], found.aside, found.problems


def test_reads_conda_and_pip_with_their_lines():
    seen = read(FILE)
    assert [(each.name, each.kind, each.version, each.line) for each in seen.requirements] == [
        ("torch", "pinned", "2.1.0", 5),
        ("numpy", "pinned", "1.26.4", 6),
        ("scipy", "unpinned", None, 8),
        ("transformers", "pinned", "4.36.0", 10),
        ("", "vcs-requirement", None, 13),
    ]
    assert [(each.path, each.line) for each in seen.includes] == [("requirements.txt", 11)]
    assert [each.line for each in seen.indexes] == [12]
    assert seen.aside == ("python",)
    assert seen.problems == ()


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ("numpy==1.26.4", "1.26.4"),
        ("numpy=1.26.4", "1.26.4"),
        ("numpy 1.26.4", "1.26.4"),
        ("numpy 1.26.4 py311_0", "1.26.4"),
        ("numpy=1.26=py311_0", "1.26"),
        ("numpy = 1.26.4", "1.26.4"),
        ("numpy=2024.1", "2024.1"),
        ("conda-forge::numpy=1.26.4", "1.26.4"),
        ("conda-forge/linux-64::numpy=1.26.4", "1.26.4"),
        ("numpy[version='1.26.4']", "1.26.4"),
        ("numpy[version='==1.26.4', build=x]", "1.26.4"),
        ("NumPy=1.26.4", "1.26.4"),
        ("numpy", None),
        ("numpy=1.26", None),
        ("numpy=1.26.*", None),
        ("numpy==1.26.*", None),
        ("numpy=1.26=*", None),
        ("numpy>=1.26.4", None),
        ("numpy >=1.26,<2", None),
        ("numpy!=1.26.4", None),
        ("numpy=1.26.4|1.26.3", None),
        ("numpy==1.26.4,!=1.26.5", None),
        ("numpy 1.26.*", None),
        ("numpy[version='>=1.26']", None),
        ("numpy=", None),
        ("numpy==", None),
    ],
)
def test_only_one_exact_version_is_a_pin(spec, version):
    assert one(spec) == ([("numpy", version)], (), ())


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("pytorch==2.1.0", "torch"),
        ("pytorch-gpu==2.1.0", "torch"),
        ("opencv==2.1.0", "opencv-python"),
        ("py-xgboost==2.1.0", "xgboost"),
        ("msgpack-python==2.1.0", "msgpack"),
        ("huggingface_hub==2.1.0", "huggingface-hub"),
        ("some-thing==2.1.0", "some-thing"),
    ],
)
def test_a_package_is_audited_by_its_name_on_pypi(spec, name):
    assert one(spec)[0] == [(name, "2.1.0")]


@pytest.mark.parametrize(
    "spec",
    ["python=3.10.12", "cudatoolkit=11.8", "cuda-nvcc", "libgcc-ng=12", "_libgcc_mutex=0.1=main", "ffmpeg>4"],
)
def test_what_is_no_python_package_is_set_aside_and_named(spec):
    names, aside, problems = one(spec)
    assert (names, len(aside), problems) == ([], 1, ())


@pytest.mark.parametrize("spec", ["https://x.org/a.conda", "=1.2", "::", "a" * 3000])
def test_what_is_no_specification_is_a_problem(spec):
    assert [problem.reason for problem in one(spec)[2]] == ["unparseable"]


def test_the_tools_that_install_count_only_where_pinned():
    seen = read("dependencies: [pip, setuptools, pip=23.0.1, {pip: [wheel]}]")
    assert [(each.name, each.version) for each in seen.requirements] == [("pip", "23.0.1")]


def test_a_key_that_stands_twice_hides_nothing():
    seen = read("dependencies: [numpy==1.0]\ndependencies: [scipy==1.0]\n")
    assert [each.name for each in seen.requirements] == ["numpy", "scipy"]


@pytest.mark.parametrize(
    "text",
    [
        "dependencies: {a: b}",
        "- dependencies",
        "dependencies: [",
        "a: &x [1]\ndependencies: *x",
        "dependencies: []\n---\ndependencies: []",
        "dependencies: " + "[" * 5000,
        "dependencies: " + "[" * 60 + "]" * 60,
        b"\xffdependencies",
        b"dependencies: [\x00]",
        "dependencies:" + "#" * (3 << 20),
    ],
)
def test_what_is_no_environment_file_is_refused(text):
    with pytest.raises(Unreadable):
        read(text)


def test_aliases_do_not_explode():
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(9)) + "dependencies: []\n"
    with pytest.raises(Unreadable) as caught:
        read(bomb)
    assert caught.value.line == 2


@pytest.mark.parametrize("item", ["[a]", "{npm: [a]}", "{pip: [[a]]}", "{pip: {a: b}}"])
def test_what_is_no_dependency_is_a_problem(item):
    seen = read(f"dependencies: [{item}, numpy==1.0]")
    assert [each.name for each in seen.requirements] == ["numpy"]
    assert [problem.reason for problem in seen.problems] == ["unparseable"]


def test_too_many_are_said():
    assert [problem.reason for problem in read(FILE, Limits(requirements=2)).problems] == ["limit"]


def test_the_table_of_names_is_sane():
    tables = json.loads((Path(conda.__file__).parent.parent / "data" / "conda_names.json").read_bytes())
    assert not [name for name in tables["pypi_names"] if conda._is_system(name)]
    assert len(set(tables["no_python_packages"])) == len(tables["no_python_packages"])
    assert not [each for each in ("numpy", "scipy", "pytz", "torch", "pip", "rich") if conda._is_system(each)]


@settings(
    max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.binary(max_size=100)
    | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut].encode())
    | st.text(max_size=40).map(lambda spec: f"dependencies: [{json.dumps(spec)}]".encode())
)
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)


def test_what_is_set_aside_is_said_in_the_report(collect):
    (source, *_) = collect(
        {"environment.yml": "dependencies: [cudatoolkit=11, python=3.11, numpy=2.1.2]"}
    ).sources
    assert source.detail["aside"] == ["cudatoolkit", "python"]
    assert "cudatoolkit, python" in source.summary


@pytest.mark.parametrize("text", ["", "a: b", "- a", "[" * 5000, "root: {{ cookiecutter.x }}", b"\xff"])
def test_what_never_speaks_of_dependencies_is_another_tools_file(text):
    assert read(text) == Reading()


@pytest.mark.parametrize(
    "data",
    [
        FILE.encode("utf-16"),
        b'"depend\\x65ncies":\n  - torch=2.1.0\n',
        b'? "depend\\\n  encies"\n: - torch=2.1.0\n',
    ],
)
def test_the_word_cannot_be_hidden_from_discovery(data):
    assert re.search(conda.MARK, data)
    assert ("torch", "2.1.0") in [(each.name, each.version) for each in read(data).requirements]


def test_both_sides_of_a_selector_are_read():
    seen = read(
        "dependencies:\n  - sel(linux): a=1.0.0\n  - sel(win): [b=1.0.0, {pip: [c==1]}]\n  - sel(x y z\n"
    )
    assert [(each.name, each.line) for each in seen.requirements] == [
        ("a", 2),
        ("b", 3),
        ("c", 3),
        ("sel", 4),
    ]


def test_dependencies_in_one_text_are_no_list():
    with pytest.raises(Unreadable, match="is not a list"):
        read("dependencies: torch=2.1.0")
    assert read("dependencies:\n") == Reading()
