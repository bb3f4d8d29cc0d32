import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import mlmodel
from mlgate.core.limits import DEFAULT

MODEL = """\
artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
  sklearn:
    code: null
mlflow_version: 2.9.2
"""
ENV = "dependencies:\n- -r requirements.txt\n"


def includes(text):
    return [(each.path, each.line, each.role) for each in mlmodel.read(text.encode(), DEFAULT).includes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MODEL, [("python_env.yaml", 6, "manifest")]),
        (MODEL.replace("      virtualenv: python_env.yaml\n", ""), [("conda.yaml", 5, "manifest")]),
        ("flavors:\n  python_function:\n    env: conda.yaml\n", [("conda.yaml", 3, "manifest")]),
        ("flavors: {a: {env: e.yaml}, b: {env: e.yaml}}", [("e.yaml", 1, "manifest")]),
        ("flavors: {sklearn: {code: null}}", []),
        ("run_id: a", []),
    ],
)
def test_names_the_file_that_describes_the_environment(text, expected):
    assert includes(text) == expected


@pytest.mark.parametrize("env", ["[a]", "{docker: a}", "''"])
def test_an_environment_that_cannot_be_told_is_a_problem(env):
    seen = mlmodel.read(f"flavors: {{a: {{env: {env}}}}}".encode(), DEFAULT)
    assert [problem.reason for problem in seen.problems] == ["unparseable"]


def test_what_a_model_requires_is_found_by_way_of_it(collect, pins, gaps):
    files = {
        "m/MLmodel": MODEL.replace("python_env.yaml", "their env.yaml"),
        "m/their env.yaml": "numpy==2.1.2\n",
        "n/MLmodel": MODEL,
        "n/python_env.yaml": ENV,
        "n/requirements.txt": "numpy==2.1.2\n",
        "n/conda.yaml": "dependencies: [{pip: [numpy==2.1.2]}]",
    }
    seen = collect(files)
    assert pins(seen) == [
        ("numpy", "2.1.2", "m/their env.yaml", 1),
        ("numpy", "2.1.2", "n/requirements.txt", 1),
    ]
    assert gaps(seen) == []
    assert seen.sources[0].detail["formats"]["MLflow model"] == ["m/MLmodel", "n/MLmodel"]
    assert seen.sources[0].detail["included"] == {
        "m/MLmodel": ["m/their env.yaml"],
        "n/MLmodel": ["n/python_env.yaml", "n/requirements.txt"],
    }


def test_a_model_whose_environment_is_missing_is_not_checked(collect, gaps):
    assert gaps(collect({"m/MLmodel": MODEL})) == [("missing-include", "m/MLmodel", 6)]


@settings(
    max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=100) | st.integers(0, len(MODEL)).map(lambda cut: MODEL[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(mlmodel.read(data, DEFAULT), Reading)
