"""ONNX models that hide their gradients, from the file to the verdict."""

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.report import Verdict

EXAMPLES = Path(__file__).parents[4] / "examples"
POLICY = """\
version: 1
assessment:
  - name: digits
    model: {path: models/digits.onnx}
    data: {path: data/holdout.npz, features: image, label: digit, range: [0, 1], limit: 100}
    robustness: {epsilon: 0.1, min_accuracy: MINIMUM, queries: 100, budget_seconds: 100000, MORE}
"""


def scaled(model):
    """Scores times 1,000: the softmax of an attack's loss saturates."""
    model.graph.node[-1].output[0] = "raw"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1000), "factor"))
    model.graph.node.append(helper.make_node("Mul", ["raw", "factor"], ["scores"]))


def rounded(model):
    """Pixels rounded to 15 levels: a step without a slope."""
    model.graph.node[0].input[0] = "rounded"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(14), "levels"))
    steps = [
        ("Mul", ["image", "levels"], "wide"),
        ("Round", ["wide"], "whole"),
        ("Div", ["whole", "levels"], "rounded"),
    ]
    for operator, inputs, output in reversed(steps):
        model.graph.node.insert(0, helper.make_node(operator, inputs, [output]))


def plain(_model):
    """As it is shipped."""


def run(folder, example, change, minimum=0.5, more="seed: 0"):
    shutil.copytree(EXAMPLES / example / "data", folder / "data")
    (folder / "models").mkdir()
    model = onnx.load(EXAMPLES / example / "models" / "digits.onnx")
    change(model)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "models" / "digits.onnx")
    (folder / ".mlgate.yaml").write_text(POLICY.replace("MINIMUM", str(minimum)).replace("MORE", more))
    report = gate.run(
        gate.Request(root=folder, checks=(Check.ASSESSMENT,), today=dt.date(2026, 6, 15), offline=True)
    )
    (figure,) = (each for each in report.measurements if each.family == "robustness")
    return report, figure


def rules(report):
    return {finding.rule for finding in report.findings}


@pytest.mark.torch
@pytest.mark.parametrize(
    ("example", "change", "outcome", "rule"),
    [
        ("blocked", plain, "fail", "MLG-ASM-002"),
        ("passing", plain, "pass", None),
        ("passing", scaled, "masked", "MLG-ASM-004"),
        ("passing", rounded, "masked", "MLG-ASM-004"),
    ],
)
def test_the_known_answers_from_file_to_verdict(tmp_path, example, change, outcome, rule):
    report, figure = run(tmp_path, example, change, 0.6 if example == "blocked" else 0.5)
    assert figure.outcome == outcome
    assert figure.detail["gradients"].startswith("by onnx_torch")
    assert rules(report) == ({rule} if rule else set())
    assert report.verdict is (Verdict.FAIL if rule else Verdict.PASS)


@pytest.mark.torch
def test_masked_may_be_undecided(tmp_path):
    report, figure = run(tmp_path, "passing", scaled, more="masked: undecided")
    assert figure.outcome == "masked"
    assert report.verdict is Verdict.UNDECIDED
    assert "masked" in {entry.item.reason for entry in report.not_checked}


def test_without_gradients_the_bound_is_a_black_boxes(tmp_path):
    _, figure = run(tmp_path, "passing", plain, 0.3, "attacks: [square, rays]")
    assert figure.outcome == "pass"
    assert figure.detail["bound"] == "upper bound (black-box)"
    assert figure.detail["masking"] == []
    assert list(figure.detail["attacks"]) == ["square", "rays"]
