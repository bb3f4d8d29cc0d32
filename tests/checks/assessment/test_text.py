"""A classifier of texts from its policy to its figures: data, model and corruptions."""

import csv
import datetime as dt

import pytest
from tests.checks.assessment.loaders.test_onnx_text import bag_of_words

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.report import Verdict

POLICY = """\
version: 1
limits: {file_seconds: 60}
assessment:
  - name: reviews
    model: {path: m.onnx}
    data: {path: d.csv, kind: text, label: liked, features: [text]}
    performance: {accuracy: {min: 0.9}}
    corruptions: {letter_case: {severity: 5, max_drop: 0.05}}
"""


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "m.onnx").write_bytes(bag_of_words(("n", 1)))
    rows = [
        (f"{word} film, number {n}", liked) for n in range(40) for word, liked in (("bad", 0), ("good", 1))
    ]
    with (tmp_path / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "liked"), *rows])
    (tmp_path / ".mlgate.yaml").write_text(POLICY)
    return tmp_path


def assess(root):
    return gate.run(
        gate.Request(root=root, checks=(Check.ASSESSMENT,), today=dt.date(2026, 6, 15), offline=True)
    )


def test_texts_are_scored_and_corrupted(repository):
    report = assess(repository)
    assert [gap.item.message for gap in report.not_checked] == []
    assert report.verdict is Verdict.PASS
    assert {figure.family: figure.outcome for figure in report.measurements if figure.threshold} == {
        "performance": "pass",
        "corruptions": "pass",
    }


def test_numbers_are_no_texts(repository):
    rows = [(n, n % 2) for n in range(40)]
    with (repository / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "liked"), *rows])
    (repository / ".mlgate.yaml").write_text(POLICY.replace("kind: text, ", ""))
    report = assess(repository)
    assert report.verdict is Verdict.UNDECIDED
    assert "the model wants texts" in report.not_checked[0].item.message


def test_an_attack_on_texts_is_not_checked(repository):
    more = "    robustness: {epsilon: 0.1, min_accuracy: 0.5}\n"
    (repository / ".mlgate.yaml").write_text(POLICY + more)
    report = assess(repository)
    assert [gap.item.reason for gap in report.not_checked] == ["wrong-input"]
