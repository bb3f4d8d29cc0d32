"""ONNX models get gradients from their twin in torch where it agrees; what came of it is said."""

import datetime as dt

import numpy as np
import pytest
from onnx import helper
from tests.checks.assessment import onnx_models
from tests.checks.assessment.onnx_models import model, tensor, value

from mlgate import gate
from mlgate.core.facts import Check

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

W = np.array([[1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]], np.float32)
X = np.random.default_rng(0).uniform(-1, 1, (60, 3)).astype(np.float32)
POLICY = """\
version: 1
limits: {file_seconds: 60}
assessment:
  - name: m
    model: {path: m.onnx}
    data: {path: d.npz, features: x, label: y}
    robustness: {epsilon: 0.01, min_accuracy: 0.5, queries: 20}
"""


def robust(folder, data):
    (folder / "m.onnx").write_bytes(data)
    np.savez(folder / "d.npz", x=X, y=(X @ W).argmax(axis=1))
    (folder / ".mlgate.yaml").write_text(POLICY)
    asked = gate.Request(root=folder, checks=(Check.ASSESSMENT,), today=dt.date(2026, 6, 15), offline=True)
    report = gate.run(asked)
    assert [gap.item.message for gap in report.not_checked] == []
    (figure,) = (each for each in report.measurements if each.name == "robust_accuracy")
    return figure


def test_a_twin_that_agrees_gives_gradients(tmp_path):
    figure = robust(tmp_path, onnx_models.linear(W))
    assert figure.detail["gradients"].startswith("by onnx_torch (numpy ")
    assert "agree to" in figure.detail["gradients"]
    assert "pgd" in figure.detail["attacks"]
    assert "black-box" not in figure.detail["bound"]


def test_an_operator_without_a_counterpart_is_said_and_the_attack_is_black_box(tmp_path):
    nodes = [
        helper.make_node("Det", ["square"], ["d"]),
        helper.make_node("Unsqueeze", ["d", "one"], ["column"]),
        helper.make_node("Gemm", ["x", "w", "b"], ["plain"]),
        helper.make_node("Mul", ["column", "zero"], ["nothing"]),
        helper.make_node("Add", ["plain", "nothing"], ["scores"]),
        helper.make_node("Gather", ["x", "first"], ["row"], axis=1),
        helper.make_node("Reshape", ["row", "shape"], ["square"]),
    ]
    nodes = [*nodes[5:], *nodes[:5]]
    constants = [
        tensor("w", W), tensor("b", np.zeros(2, np.float32)), tensor("one", np.array([1])),
        tensor("zero", np.float32(0)), tensor("first", np.array([0])), tensor("shape", np.array([-1, 1, 1])),
    ]  # fmt: skip
    figure = robust(tmp_path, model(nodes, [value("x", ["n", 3])], [value("scores", ["n", 2])], constants))
    assert figure.detail["gradients"] == "none: operator Det has no counterpart in torch here"
    assert "pgd" not in figure.detail["attacks"]
    assert "black-box" in figure.detail["bound"]
