import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, look, reasons, scope, zipped

from mlgate.checks.models import collect
from mlgate.policy.schema import Models

SKLEARN = """flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: {loader}
    model_path: {path}
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: {path}
    serialization_format: skops
    skops_trusted_types: {trusted}
mlflow_version: 3.17.2
signature:
  inputs: '[{{"type": "tensor", "tensor-spec": {{"dtype": "float64", "shape": [-1, 4]}}}}]'
"""
PYFUNC = """flavors:
  python_function:
    artifacts:
      a:
        path: {path}
        uri: /home/me/a.bin
    cloudpickle_version: 3.1.3
    code: {code}
    env: {{conda: conda.yaml, virtualenv: python_env.yaml}}
    loader_module: mlflow.pyfunc.model
    python_model: python_model.pkl
    streamable: false
"""
FROM_CODE = """flavors:
  python_function:
    loader_module: mlflow.pyfunc.loaders.code_model
    model_code_path: /home/me/model.py
"""


def sklearn(loader="mlflow.sklearn", path="model.skops", trusted="null"):
    return SKLEARN.format(loader=loader, path=path, trusted=trusted).encode()


def pyfunc(path="artifacts/a.bin", code="code"):
    return PYFUNC.format(path=path, code=code).encode()


def verdicts(data, name="m/MLmodel"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


@pytest.mark.parametrize(
    "data",
    [
        sklearn(), sklearn(loader="mlflow.xgboost"), pyfunc(), pyfunc(code="null"), FROM_CODE.encode(),
        sklearn(trusted="[sklearn.linear_model._logistic.LogisticRegression, acme.Scaler]"),
    ],
)  # fmt: skip
def test_what_mlflow_writes(data):
    seen = look(data, "m/MLmodel")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "mlflow")


@pytest.mark.parametrize(
    "path",
    ["../other/model.pkl", "/etc/passwd", "a/../../b", "C:\\x.pkl", "..\\x", '"\\x2e./x"', "!!str ../x"],
)
def test_paths_that_leave_the_folder(path):
    assert ("MLG-MLF-001", "high") in verdicts(sklearn(path=path))
    assert ("MLG-MLF-001", "high") in verdicts(pyfunc(path=path))
    assert ("MLG-MLF-001", "high") in verdicts(pyfunc(code=path))


@pytest.mark.parametrize(
    ("loader", "severity"),
    [
        ("os", "high"),
        ("pickle", "high"),
        ("pty", "high"),
        ("pip", "high"),
        ("acme.loader", "medium"),
        ("mlflowx", "medium"),
    ],
)
def test_loaders_that_are_none_of_mlflow(loader, severity):
    assert verdicts(sklearn(loader=loader)) == [("MLG-MLF-001", severity)]
    seen = look(sklearn(loader=loader), "MLmodel")
    assert not judged(seen, Models(allow_globals=(loader,)))


def test_what_skops_is_told_to_trust():
    assert verdicts(sklearn(trusted="[acme.Scaler, os.system]")) == [("MLG-MLF-001", "critical")]


@pytest.mark.parametrize("name", ["MLmodel", "a/b/MLmodel"])
def test_it_is_found_wherever_it_lies(name):
    assert verdicts(sklearn(loader="os"), name)
    assert "MLG-MLF-001" in {
        each.rule for each in judged(look(zipped(Entry(name, sklearn(loader="os"))), "m.zip"))
    }


def test_aliases_and_second_values_count():
    text = b"x: &x os\nflavors:\n  python_function:\n    loader_module: *x\n"
    assert verdicts(text) == [("MLG-MLF-001", "high")]
    text = b"flavors: {python_function: {loader_module: os, loader_module: mlflow.sklearn}}"
    assert verdicts(text) == [("MLG-MLF-001", "high")]


@pytest.mark.parametrize(
    "text",
    [
        "x: &x {loader_module: os}\nflavors: {python_function: *x}\n",
        "x: &x {loader_module: os}\nflavors: {python_function: {<<: *x}}\n",
        "x: &x {python_function: {loader_module: os}}\nflavors: *x\n",
        "x: &x {python_function: {data: ../../x}}\nflavors: *x\n",
    ],
)
def test_mappings_that_come_from_elsewhere_count(text):
    assert [each.severity.value for each in judged(look(text.encode(), "MLmodel"))] == ["high"]


def test_code_of_the_model_is_imported():
    acts = b"import os\nos.system('true')\n"
    files = {"m/MLmodel": pyfunc(), "m/code/lib/h.py": acts, "other/h.py": acts}
    found = [(each.location.path, each.severity.value) for each in judged(collect(scope(files)))]
    assert found == [("m/code/lib/h.py", "high")]
    files = {"m/MLmodel": FROM_CODE.encode(), "m/model.py": acts}
    assert [each.severity.value for each in judged(collect(scope(files)))] == ["high"]


BENTO = "name: m\nversion: abc\nmodule: {}\napi_version: v1\noptions: {{}}\n"


def test_bentoml():
    assert verdicts(BENTO.format("bentoml.sklearn").encode(), "model.yaml") == []
    assert verdicts(BENTO.format("os").encode(), "model.yaml") == [("MLG-MLF-001", "high")]
    assert verdicts(BENTO.format("acme.x").encode(), "model.yaml") == [("MLG-MLF-001", "medium")]
    assert verdicts(b"module: os\n", "model.yaml") == []


@pytest.mark.parametrize("data", [b"", b"flavors: [", b"flavors: {}", b"text", b"\0", b"- a", sklearn()[:40]])
def test_what_mlflow_cannot_load_either(data):
    seen = look(data, "MLmodel")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_many_facts_are_bounded():
    many = "flavors:\n" + "".join(f"  f{number}:\n    data: d{number}\n" for number in range(100))
    assert reasons(look(many.encode(), "MLmodel", facts=20)) == {"limit"}


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(data.draw(st.sampled_from([sklearn(), pyfunc(), BENTO.encode()])))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 5))] = data.draw(
            st.sampled_from([b"[", b"{", b"&x ", b"*x", b"\n", b"\xff", b"- ", b"? "])
        )
    assert "reader-failed" not in reasons(
        look(bytes(seed), data.draw(st.sampled_from(["MLmodel", "model.yaml"])))
    )


def test_the_service_of_a_bento_is_imported():
    source = b"import os\nos.system('true')\n"
    description = b"service: service:svc\nname: a\nversion: b\n"
    data = zipped(Entry("bento.yaml", description), Entry("src/service.py", source))
    assert "high" in {each.severity.value for each in judged(look(data, "a.zip"))}
    alone = zipped(Entry("src/service.py", source))
    assert judged(look(alone, "a.zip")) == ()


MLMODEL = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    data: model.pkl\n"


@pytest.mark.parametrize(
    ("name", "text", "severity"),
    [
        ("requirements.txt", "evil @ http://x/evil.zip", "high"),
        ("requirements.txt", "-e git+http://x/r.git#egg=evil", "high"),
        ("requirements.txt", "--extra-index-url=http://x/simple", "high"),
        ("requirements.txt", "--index-url https://nexus.acme.example/simple", "medium"),
        ("requirements.txt", "acme @ https://acme.example/a.whl", "medium"),
        ("requirements.txt", "--extra-index-url https://download.pytorch.org/whl/cpu", None),
        ("requirements.txt", "scikit-learn==1.5.0\nmlflow", None),
        ("conda.yaml", "channels: [http://x/ch]", "high"),
        ("conda.yaml", "channels:\n- conda-forge\n- https://acme.example/ch", "medium"),
        ("conda.yaml", "channels:\n- conda-forge\n- https://repo.anaconda.com/pkgs/main", None),
        ("conda.yaml", "dependencies:\n- pip:\n  - 'evil @ http://x/evil.zip'", "high"),
        ("python_env.yaml", "dependencies:\n- https://acme.example/a.whl", "medium"),
        ("notes.txt", "evil @ http://x/evil.zip", None),
    ],
)
def test_requirements_beside_a_model(name, text, severity):
    data = text.encode() + b"\n"
    found = judged(collect(scope({"m/MLmodel": MLMODEL, f"m/{name}": data, f"other/{name}": data})))
    expected = [("MLG-MLF-001", severity, f"m/{name}")] if severity else []
    assert [(each.rule, each.severity.value, each.location.path) for each in found] == expected


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("numpy && id #", True),
        ("pip==23.2.1; id", True),
        ("a`id`", True),
        ("a$(id)", True),
        ("numpy | sh", True),
        ("$(id)", True),
        ("numpy & id", True),
        ("numpy" + " " * 150 + "; id", True),
        ("numpy==2.0; python_version < '3.12'", False),
        ("bar; 'linux' in sys_platform", False),
        ("bar; (os_name == 'nt')", False),
        ("numpy>=1,<2", False),
        ("torch[opt]", False),
    ],
)
@pytest.mark.parametrize("form", ["dependencies:\n- {}\n", "build_dependencies: ['{}']\n"])
def test_a_requirement_that_goes_on_as_a_command(requirement, found, form):
    written = form.replace("{}", requirement.replace("'", '"'))
    files = {"m/MLmodel": sklearn(), "m/python_env.yaml": f"python: 3.11.7\n{written}".encode()}
    rules = {(each.location.path, each.severity.value) for each in judged(collect(scope(files)))}
    assert (("m/python_env.yaml", "high") in rules) == found


def test_the_version_of_python_goes_into_a_command_line_too():
    files = {"m/MLmodel": sklearn(), "m/python_env.yaml": b"python: 3.11.7; id\n"}
    assert "high" in {each.severity.value for each in judged(collect(scope(files)))}
