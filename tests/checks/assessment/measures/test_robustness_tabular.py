"""A table from its file to the verdict: what columns allow, and the unit of epsilon."""

import datetime as dt

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

from mlgate import gate
from mlgate.core.facts import Check

NAMES = ("age", "income", "region", "score")
WEIGHTS = np.array([0.5, 0.02, 3.0, -1.0])
POLICY = """\
version: 1
assessment:
  - name: loans
    model: {path: model.onnx}
    data:
      path: data.csv
      label: y
      columns:
        - {name: age, mutable: false}
        - {name: income, range: [0, 200]}
        - {name: region, categorical: true}
        - {name: score, integer: true, monotone: increasing}
    robustness: {epsilon: 0.5, scale: std, min_accuracy: 0.8, queries: 300, attacks: [ATTACK], MORE}
"""


def table(n=120):
    rng = np.random.default_rng(3)
    x = np.column_stack(
        [rng.normal(0, 4, n), rng.uniform(0, 200, n).round(2), rng.integers(0, 3, n), rng.integers(-9, 10, n)]
    ).astype(np.float32)
    x[:, 1] -= x[:, 1] % np.float32(0.25)
    shift = float(np.median(x @ WEIGHTS))
    return x, (x @ WEIGHTS - shift > 0).astype(int), shift


def run(folder, attack="square", more="seed: 0"):
    x, y, shift = table()
    rows = [",".join((*NAMES, "y"))] + [
        ",".join(map(str, (*row, label))) for row, label in zip(x, y, strict=True)
    ]
    (folder / "data.csv").write_text("\n".join(rows) + "\n")
    weights = np.stack([-WEIGHTS, WEIGHTS], axis=1)
    (folder / "model.onnx").write_bytes(onnx_models.linear(weights, [shift, -shift]))
    (folder / ".mlgate.yaml").write_text(POLICY.replace("ATTACK", attack).replace("MORE", more))
    report = gate.run(
        gate.Request(root=folder, checks=(Check.ASSESSMENT,), today=dt.date(2026, 6, 15), offline=True)
    )
    return report, [each for each in report.measurements if each.family == "robustness"]


def withstand(x, y, shift):
    """Which samples no allowed change turns: [n], worked out by hand."""
    reach = 0.5 * x.std(axis=0, dtype=np.float64)
    side = np.where(y == 1, -1.0, 1.0)  # the way in which an attacker pushes the score
    income = np.clip(x[:, 1] + side * reach[1], 0, 200) - x[:, 1]
    score = np.where(side < 0, np.floor(reach[3]), 0.0)  # it only rises, and its weight is negative
    moved = x @ WEIGHTS - shift + 0.02 * income - score
    return (moved > 0) == (y == 1)


@pytest.mark.parametrize("attack", ["square", "rays"])
def test_the_figure_is_the_one_worked_out_by_hand(tmp_path, attack):
    report, figures = run(tmp_path, attack)
    assert {entry.item.reason for entry in report.not_checked} == {"inconclusive"}
    (figure,) = figures
    x, y, shift = table()
    order = np.random.default_rng(0).permutation(len(x))[: figure.n]
    assert figure.n >= 72
    assert figure.detail["successes"] == withstand(x, y, shift)[order].sum()
    assert figure.value < 1
    assert figure.detail["constraints"] == {"fixed": 2, "rising": 1, "integer": 1, "ranged": 1}
    assert figure.detail["scale"] == "std"


def test_a_curve_stands_beside_it(tmp_path):
    _, figures = run(tmp_path, more="curve: [0.1, 0.9]")
    parts = {figure.part: figure for figure in figures}
    assert set(parts) == {"", "epsilon=0.1", "epsilon=0.9"}
    assert parts["epsilon=0.1"].value >= parts[""].value >= parts["epsilon=0.9"].value


def test_an_attacker_who_can_change_nothing_is_said(tmp_path):
    x, y, _ = table()
    run(tmp_path)
    policy = (tmp_path / ".mlgate.yaml").read_text()
    for column in ("income, range: [0, 200]", "score, integer: true, monotone: increasing"):
        policy = policy.replace(column, column.partition(",")[0] + ", mutable: false")
    (tmp_path / ".mlgate.yaml").write_text(policy)
    report = gate.run(
        gate.Request(root=tmp_path, checks=(Check.ASSESSMENT,), today=dt.date(2026, 6, 15), offline=True)
    )
    assert {entry.item.reason for entry in report.not_checked} == {"no-mutable-feature"}
