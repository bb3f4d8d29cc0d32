"""What the page on extending mlgate shows is complete: its files work just as they stand there."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

import mlgate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
FILES = re.findall(r'^```python title="src/(mlgate/[\w/]+\.py)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
POLICY = """\
version: 1
assessment:
  - name: m
    model: {path: m.onnx}
    data: {path: d.npz, features: x, label: y}
    performance: {error_rate: {max: 0.05}}
    robustness: {epsilon: 0.001, min_accuracy: 0.5, attacks: [corners]}
"""
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from mlgate.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of mlgate with the page's files in it."""
    home = tmp_path_factory.mktemp("extended")
    shutil.copytree(
        Path(mlgate.__file__).parent, home / "mlgate", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, text in FILES:
        assert not (home / name).exists()
        (home / name).write_text(text)
    return home


def run(home, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-I", "-c", RUN, str(home), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_shows_one_of_each():
    assert [Path(name).parts[1:-1] for name, _ in FILES] == [
        ("checks", "models", "formats"),
        ("rules",),
        ("checks", "assessment", "metrics"),
        ("checks", "assessment", "attacks"),
        ("reports",),
    ]


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"TOY1\x09os.system" + bytes(8), 1, "MLG-TOY-001"),
        (b"TOY1\x08toy.load" + bytes(8), 0, "PASS"),
        (b"TOY1\x20os.system", 2, "ends within its function's name"),
    ],
)
def test_the_format_and_its_rule(extended, tmp_path, content, code, word):
    (tmp_path / "m.toy").write_bytes(content)
    result = run(extended, tmp_path, "scan", "m.toy")
    assert (result.returncode, result.stderr) == (code, "")
    assert word in result.stdout


def test_the_metric_the_attack_and_the_report(extended, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    weights = rng.normal(size=(4, 3)).astype(np.float32)
    stream = io.BytesIO()
    np.savez(stream, x=x, y=(x @ weights).argmax(axis=1))
    (tmp_path / "d.npz").write_bytes(stream.getvalue())
    (tmp_path / "m.onnx").write_bytes(onnx_models.linear(weights))
    (tmp_path / ".mlgate.yaml").write_text(POLICY)
    result = run(extended, tmp_path, "assess", "--report", "oneline", "--report", "json=r.json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("mlgate: pass: no finding blocks")
    figures = {
        figure["name"]: figure for figure in json.loads((tmp_path / "r.json").read_text())["measurements"]
    }
    assert figures["error_rate"]["value"] == 0
    assert figures["robust_accuracy"]["detail"]["attacks"]["corners"]["queries"] > 0


def test_what_is_not_there_is_not_accepted(tmp_path):
    (tmp_path / ".mlgate.yaml").write_text(POLICY)
    result = run(ROOT / "src", tmp_path, "policy", "check")
    assert result.returncode == 2
    assert "error_rate" in result.stderr
