"""The two examples: small, as their policies name them, and judged as the demo says."""

import hashlib
import importlib.util
import pickletools
import re
import shutil
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = sorted(path for path in EXAMPLES.glob("*/models/*") if path.is_file())
DATA = sorted(EXAMPLES.glob("*/data/*.npz"))


def load(name):
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("files", "limit"), [(MODELS, 100_000), (DATA, 200_000)], ids=["models", "data"])
def test_they_are_small_enough_for_git(files, limit):
    assert files
    assert all(file.stat().st_size < limit for file in files)


@pytest.mark.parametrize("name", ["passing", "blocked"])
def test_the_policy_names_the_digests_of_its_files(name):
    text = (EXAMPLES / name / ".mlgate.yaml").read_text(encoding="utf-8")
    named = re.findall(r"path: (\S+)\n\s+sha256: ([0-9a-f]{64})", text)
    assert len(named) == 2
    for path, digest in named:
        assert hashlib.sha256((EXAMPLES / name / path).read_bytes()).hexdigest() == digest


def test_the_evil_pickle_only_echoes():
    program = list(pickletools.genops((EXAMPLES / "blocked/models/classifier.pkl").read_bytes()))
    calls = [argument for opcode, argument, _ in program if opcode.name == "GLOBAL"]
    texts = [argument for opcode, argument, _ in program if opcode.name == "BINUNICODE"]
    assert calls == ["os system"]
    assert texts[0].startswith("echo ")
    assert not set(texts[0]) & set(";&|`$><")


def test_the_script_makes_the_pickle_that_is_here(tmp_path):
    script = load("make_examples")
    script.write_evil_pickle(script.Network(*([script.np.zeros((1, 1))] * 4)), tmp_path / "evil.pkl")
    made = (tmp_path / "evil.pkl").read_bytes()
    start = made.index(b"w1")
    assert (EXAMPLES / "blocked/models/classifier.pkl").read_bytes()[:start] == made[:start]


def test_the_attack_of_the_script_stays_within_its_ball():
    script = load("make_examples")
    rng = script.np.random.default_rng(0)
    network = script.Network(
        rng.normal(size=(64, 8)), rng.normal(size=8), rng.normal(size=(8, 10)), rng.normal(size=10)
    )
    x, y = rng.uniform(size=(5, 64)), rng.integers(0, 10, 5)
    moved = script.attack(network, x, y, rng, 5)
    assert abs(moved - x).max() <= script.EPSILON + 1e-12
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_the_gradients_of_the_script_are_right():
    script = load("make_examples")
    np = script.np
    rng = np.random.default_rng(1)
    network = script.Network(
        rng.normal(size=(64, 8)), rng.normal(size=8), rng.normal(size=(8, 10)), rng.normal(size=10)
    )
    x, y = rng.uniform(size=(1, 64)), np.array([3])

    def loss(image):
        scores = network.scores(image)
        return np.log(np.exp(scores).sum()) - scores[0, 3]

    _, gradient = network.gradients(x, y)
    step = np.zeros_like(x)
    step[0, 7] = 1e-6
    assert (loss(x + step) - loss(x - step)) / 2e-6 == pytest.approx(gradient[0, 7], rel=1e-4)


@pytest.fixture
def demo(monkeypatch, tmp_path):
    module = load("demo")
    monkeypatch.setattr(module, "REPORTS", tmp_path / "demo-report")
    return module


def test_the_demo_comes_out_as_expected(demo, capfd):
    assert demo.main() == 0
    shown = capfd.readouterr().out
    assert "exit code 0" in shown.lower()
    assert "exit code 1" in shown.lower()
    assert "demo-report/blocked.html" in shown
    assert {file.name for file in demo.REPORTS.iterdir()} == {
        f"{name}.{ending}" for name in ("passing", "blocked") for ending in ("html", "json", "sarif")
    }


def test_mending_the_blocked_example_makes_it_pass(demo, tmp_path, monkeypatch):
    """The three things that examples/README.md proposes to try, one after the other."""
    shutil.copytree(EXAMPLES / "blocked", tmp_path / "blocked")
    monkeypatch.setattr(demo, "HERE", tmp_path)
    demo.REPORTS.mkdir()
    blocked = tmp_path / "blocked"

    def reasons():
        _, report = demo.gate(demo.EXAMPLES[1])
        return {each["check"] for each in report["findings"] if each["blocks"]}, report

    (blocked / "models/classifier.pkl").unlink()
    left, report = reasons()
    assert left == {"dependencies", "assessment"}
    fix = next(each["fix"] for each in report["findings"] if each["check"] == "dependencies")
    version = re.search(r"torch==([\d.]+)", fix)[1]
    requirements = blocked / "requirements.txt"
    requirements.write_text(requirements.read_text().replace("torch==1.13.0", f"torch=={version}"))
    assert reasons()[0] == {"assessment"}
    shutil.copy(EXAMPLES / "passing/models/digits.onnx", blocked / "models/digits.onnx")
    policy = blocked / ".mlgate.yaml"
    policy.write_text(re.sub(r"(path: models/digits.onnx)\n\s+sha256: \w+", r"\1", policy.read_text()))
    left, report = reasons()
    assert left == set()
    assert report["verdict"] == "pass"


def finding(check, path, *, blocks=True):
    return {"check": check, "path": path, "blocks": blocks}


THREE = [
    finding("models", "models/classifier.pkl"),
    finding("dependencies", "requirements.txt"),
    finding("assessment", ".mlgate.yaml"),
]


@pytest.mark.parametrize(
    ("code", "verdict", "findings", "surprises"),
    [
        (1, "fail", THREE, 0),
        (0, "pass", [], 5),
        (2, "undecided", THREE, 2),
        (1, "fail", THREE[:2], 1),
        (1, "fail", [*THREE[1:], finding("models", "models/classifier.pkl", blocks=False)], 1),
        (1, "fail", [*THREE[1:], finding("models", "models/digits.onnx")], 1),
    ],
)
def test_the_demo_notices_any_other_outcome(demo, code, verdict, findings, surprises):
    blocked = demo.EXAMPLES[1]
    assert len(demo.surprises(blocked, code, {"verdict": verdict, "findings": findings})) == surprises


def test_the_demo_needs_only_the_standard_library():
    text = (EXAMPLES / "demo.py").read_text(encoding="utf-8")
    modules = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert modules <= sys.stdlib_module_names
