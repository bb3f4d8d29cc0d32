"""The examples of the policy's page work together: one assessment of a model on a table, by all of them."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import yaml
from tests.checks.assessment import onnx_models

from mlgate import cli

PAGE = (Path(__file__).parents[2] / "docs/policy.md").read_text(encoding="utf-8")
BLOCKS = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
MEASURES = ("performance", "subgroups", "fairness", "corruptions", "baseline", "labels", "drift", "poisoning")


def shown(key, position=0):
    return [block[key] for block in BLOCKS if isinstance(block, dict) and set(block) == {key}][position]


def table(path, seed):
    rng = np.random.default_rng(seed)
    rows = 150
    sex = rng.choice(["f", "m"], rows)
    age, region = rng.integers(18, 100, rows), rng.integers(0, 3, rows)
    income = rng.normal(60, 25, rows).round(1)
    approved = (income + (age - 59) / 4 + rng.normal(0, 8, rows) > 60).astype(int)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["age", "income", "region", "sex", "approved"])
        writer.writerows(zip(age, income, region, sex, approved, strict=True))


def test_every_measure_of_the_page_gives_figures(tmp_path, monkeypatch):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    table(tmp_path / "data/holdout.csv", 0)
    table(tmp_path / "data/train.csv", 1)
    weights = np.array([[-0.03, 0.03], [-0.12, 0.12], [0, 0]], np.float32)
    model = onnx_models.linear(weights, np.array([8.9, -8.9], np.float32), softmax=True)
    for name in ("credit", "last-release"):
        (tmp_path / f"models/{name}.onnx").write_bytes(model)
    entry = {"name": "credit", "model": {"path": "models/credit.onnx"}, "data": shown("data")}
    entry |= {name: shown(name) for name in MEASURES} | {
        "robustness": shown("robustness", 1) | {"queries": 50}
    }
    (tmp_path / ".mlgate.yaml").write_text(yaml.safe_dump({"version": 1, "assessment": [entry]}))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["assess", "--report", "json=report.json"]) in {0, 1}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["not_checked"] == []
    families = {figure["family"] for figure in report["measurements"]}
    assert families == {*MEASURES, "robustness"}
