"""Policies and files in, figures out: every quality measure through the real sandbox."""

import hashlib
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from tests.checks.assessment import onnx_models
from tests.checks.assessment.loaders.test_onnx_text import bag_of_words

from mlgate import rules, target
from mlgate.checks import Scope
from mlgate.checks.assessment import collect
from mlgate.core.judge import judge
from mlgate.policy import load

RNG = np.random.default_rng(0)
W = np.array([[1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]], np.float32)
N = 300
X = RNG.uniform(-1, 1, (N, 3)).astype(np.float32)
Y = (X @ W).argmax(axis=1)
SEX = np.where(np.arange(N) % 3 == 0, "m", "f")
HEAD = """\
version: 1
assessment:
  - name: m
    model: {path: m.onnx}
    data: {path: d.csv, features: [a, b, c], label: y}
"""


def table(x=X, y=Y, sex=SEX, names=("a", "b", "c")):
    out = io.StringIO()
    out.write(",".join((*names, "y", "sex")) + "\n")
    for row, label, group in zip(x, y, sex, strict=True):
        out.write(",".join(repr(float(cell)) for cell in row) + f",{label},{group}\n")
    return out.getvalue().encode()


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.write("m.onnx", onnx_models.linear(W))
        self.write("d.csv", table())

    def write(self, name, content):
        (self.folder / name).write_bytes(content)

    def run(self, sections, head=HEAD):
        (self.folder / ".mlgate.yaml").write_text(
            head + "".join(f"    {line}\n" for line in sections.splitlines())
        )
        seen = target.working_tree(self.folder)
        cleared = {
            file.path: hashlib.sha256((self.folder / file.path).read_bytes()).hexdigest()
            for file in seen.files
        }
        policy = replace(load.from_disk(self.folder / ".mlgate.yaml", ".mlgate.yaml"), path=".mlgate.yaml")
        observed = collect(Scope(target=seen, policy=policy, cleared=cleared))
        self.findings = judge(rules.load(), observed.facts, policy.policy)
        return observed


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


ALL = """\
performance: {accuracy: {min: 0.9}, f1: {min: 0.9}, roc_auc: {min: 0.9}, latency_ms: {max: 10000}}
subgroups: {by: [sex], accuracy: {min: 0.9}}
fairness: {group: sex, equalized_odds_difference: {max: 0.2}, accuracy_difference: {max: 0.2}}
corruptions:
  gaussian_noise: {severity: 1, max_drop: 0.2, min: 0.5}
  unit_error: {severity: 1, min: 0.3}
baseline: {model: {path: old.onnx}}
labels: {max_share: 0.1}
drift: {reference: {path: train.csv}, psi: {max: 0.3}, ks: {max: 0.3}}
poisoning: {reference: {path: train.csv}}
"""


def full(repository):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (N, 3))
    repository.write("train.csv", table(x, (x @ W).argmax(axis=1)))
    repository.write("old.onnx", onnx_models.linear(W * [1, 0.9], softmax=True))
    return repository.run(ALL)


def test_every_measure_gives_its_figures_and_passes(repository):
    observed = full(repository)
    assert not observed.not_checked
    assert not [one for one in observed.measurements if one.outcome not in ("pass", "info")]
    assert {one.family for one in observed.measurements} == {
        "performance", "subgroups", "fairness", "corruptions", "baseline", "labels", "drift", "poisoning",
    }  # fmt: skip
    assert not [finding for finding in repository.findings if finding.severity.name != "INFO"]
    for one in observed.measurements:
        assert {"confidence", "seed", "model_sha256", "data_sha256", "interval"} <= one.detail.keys()
    (lost,) = [one for one in observed.measurements if one.family == "baseline" and one.threshold is not None]
    assert (
        lost.detail["baseline_sha256"]
        == hashlib.sha256((repository.folder / "old.onnx").read_bytes()).hexdigest()
    )


def test_two_runs_give_the_same_figures(repository):
    first, second = full(repository), full(repository)
    timed = [one for one in first.measurements if one.name == "latency_ms"]
    assert len(timed) == 1
    assert [one for one in first.measurements if one.name != "latency_ms"] == [
        one for one in second.measurements if one.name != "latency_ms"
    ]


def test_a_biased_predictor_with_wrong_labels_and_drift_fails_everywhere(repository):
    labels = np.where((SEX == "m") & (np.arange(N) % 2 == 0), 1 - Y, Y)
    repository.write("d.csv", table(X, labels))
    repository.write("train.csv", table(X + [0, 0, 3]))
    rights = W * np.array([[1, 1], [1, 1], [0, 0]], np.float32)
    repository.write("old.onnx", onnx_models.linear(W))
    repository.write("m.onnx", onnx_models.linear(rights))
    repository.run(
        "subgroups: {by: sex, accuracy: {min: 0.8}}\n"
        "fairness: {group: sex, accuracy_difference: {max: 0.1}}\n"
        "corruptions: {out_of_range: {severity: 5, max_drop: 0.0}}\n"
        "baseline: {model: {path: old.onnx}}\n"
        "drift: {reference: {path: train.csv}, ks: {max: 0.3}}\n"
    )
    assert {f"MLG-ASM-{number:03}" for number in (5, 6, 8, 10)} <= {one.rule for one in repository.findings}
    assert all(one.location.path == ".mlgate.yaml" and one.location.line for one in repository.findings)


def test_accuracy_is_shown_where_nobody_asks_for_it(repository):
    observed = repository.run("subgroups: {by: sex, accuracy: {min: 0.8}}\n")
    assert [(one.name, one.outcome) for one in observed.measurements if one.family == "performance"] == [
        ("accuracy", "info")
    ]


def test_an_assessment_that_asks_for_nothing_is_not_checked(repository):
    assert [gap.reason for gap in repository.run("").not_checked] == ["no-threshold"]


@pytest.mark.parametrize(
    ("sections", "reason", "words"),
    [
        ("subgroups: {by: age, accuracy: {min: 0.5}}", "missing-column", "no column 'age'"),
        ("fairness: {group: race, accuracy_difference: {max: 0.5}}", "missing-column", "no column 'race'"),
        ("drift: {reference: {path: gone.csv}, psi: {max: 0.3}}", "missing-file", "gone.csv"),
        (
            "drift: {reference: {path: bad.csv}, psi: {max: 0.3}}",
            "missing-column",
            "bad.csv has no column 'a'",
        ),
        ("baseline: {model: {path: gone.onnx}}", "missing-file", "gone.onnx"),
        ("baseline: {model: {path: wide.onnx}}", "model-input", "the model wants samples of shape"),
        ("corruptions: {gaussian_blur: {min: 0.5}}", "wrong-corruption", "image: [28, 28]"),
        ("performance: {rmse: {max: 0.5}}", "wrong-task", "rmse is no metric of a classification"),
        ("performance: {log_loss: {max: 0.5}}", "no-probabilities", "softmax"),
        ("performance: {accuracy: {max: 0.5}}", "wrong-bound", "bound it by `min`"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_or_key(repository, sections, reason, words):
    repository.write("bad.csv", table(names=("p", "q", "r")))
    repository.write("wide.onnx", onnx_models.linear(np.ones((5, 2), np.float32)))
    observed = repository.run(sections)
    assert reason in {gap.reason for gap in observed.not_checked}
    assert any(words in gap.message for gap in observed.not_checked)


@pytest.mark.parametrize("broken", ["baseline: {model: {path: gone.onnx}}", "drift: {reference: {path: gone.csv}, psi: {max: 1}}",
                                    "subgroups: {by: sex, accuracy: {max: 1}}"])  # fmt: skip
def test_the_other_measures_go_on(repository, broken):
    observed = repository.run(
        f"performance: {{accuracy: {{min: 0.9}}}}\nfairness: {{group: sex, accuracy_difference: {{max: 1}}}}\n{broken}"
    )
    assert [one.outcome for one in observed.measurements if one.family in ("performance", "fairness")] == [
        "pass"
    ] * 2
    assert observed.not_checked


def test_a_model_that_cannot_do_without_values_is_not_checked(repository):
    observed = repository.run(
        "corruptions: {missing: {severity: 5, min: 0.1}, unit_error: {severity: 1, min: 0.1}}"
    )
    assert [gap.reason for gap in observed.not_checked] == ["model-output"]
    assert "missing/5" in observed.not_checked[0].message
    assert any(one.part == "unit_error/1" and one.outcome == "pass" for one in observed.measurements)


def test_a_regression_is_assessed(repository):
    repository.write("m.onnx", onnx_models.linear(W[:, :1]))
    repository.write("d.csv", table(X, (X @ W)[:, 0] + 0.01))
    observed = repository.run(
        "task: regression\nperformance: {r2: {min: 0.9}, mae: {max: 0.1}}\nsubgroups: {by: sex, rmse: {max: 0.1}}\n"
        "corruptions: {type_change: {severity: 3, max_drop: 0.1}}\n"
    )
    assert not observed.not_checked
    outcomes = {(one.name, one.part): one.outcome for one in observed.measurements}
    assert outcomes["r2", ""] == outcomes["mae", ""] == outcomes["rmse", "sex=m"] == "pass"
    assert outcomes["rmse", ""] == "info"


def test_the_digest_of_reference_data_is_held_to(repository):
    repository.write("train.csv", table())
    observed = repository.run(
        f"drift: {{reference: {{path: train.csv, sha256: {'ab' * 32}}}, psi: {{max: 1}}}}"
    )
    assert [gap.reason for gap in observed.not_checked] == ["digest-mismatch"]
    assert [one.rule for one in repository.findings] == ["MLG-ASM-003"]


TEXT = """\
version: 1
assessment:
  - name: reviews
    model: {path: m.onnx}
    data: {path: d.csv, features: [review], label: y, kind: text}
"""


def test_a_model_that_reads_texts_is_assessed(repository):
    repository.write("m.onnx", bag_of_words(("n", 1)))
    rows = [
        f'"{"A good, great film" if at % 2 else "Bad and poor, that"}",{at % 2},{"uk" if at % 3 else "us"}'
        for at in range(90)
    ]
    repository.write("d.csv", "\n".join(["review,y,site", *rows]).encode())
    observed = repository.run(
        "performance: {accuracy: {min: 0.9}}\nsubgroups: {by: site, accuracy: {min: 0.9}}\n"
        "corruptions:\n  homoglyphs: {severity: 5, max_drop: 0.1}\n  letter_case: {severity: 5, max_drop: 0.0}\n"
        "robustness: {epsilon: 0.1, min_accuracy: 0.5}\n",
        TEXT,
    )
    outcomes = {(one.name, one.part): one.outcome for one in observed.measurements}
    assert outcomes["accuracy", "site=us"] == outcomes["accuracy_drop", "letter_case/5"] == "pass"
    assert outcomes["accuracy_drop", "homoglyphs/5"] == "fail"
    assert [(gap.reason, gap.location.line) for gap in observed.not_checked] == [("wrong-input", 11)]
    assert "MLG-ASM-007" in {one.rule for one in repository.findings}


@pytest.mark.parametrize("name", ["d.parquet", "d.npy", "d.npz"])
def test_every_format_gives_the_same_figures(repository, name):
    def figures(observed):
        assert not observed.not_checked
        return [(one.name, one.part, one.value, one.low, one.high) for one in observed.measurements]

    sections = (
        "subgroups: {by: sex, accuracy: {min: 0.5}}\nfairness: {group: sex, accuracy_difference: {max: 1}}\n"
    )
    expected = figures(repository.run(sections))
    table_ = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y, "sex": SEX}
    if name == "d.parquet":
        pq.write_table(pa.table(table_), repository.folder / name)
    elif name == "d.npy":
        fields = [("a", "f4"), ("b", "f4"), ("c", "f4"), ("y", "i8"), ("sex", "U1")]
        np.save(repository.folder / name, np.array(list(zip(*table_.values(), strict=True)), dtype=fields))
    else:
        np.savez(repository.folder / name, x=X, y=Y, sex=SEX)
    head = HEAD.replace("d.csv", name)
    head = head.replace("[a, b, c]", "x") if name == "d.npz" else head
    assert figures(repository.run(sections, head)) == expected


def test_a_group_that_the_model_reads_is_named_in_the_message(repository):
    repository.write("d.csv", table(sex=(SEX == "m") * 1))
    repository.write("m.onnx", onnx_models.linear(np.vstack([W, W[:1]])))
    observed = repository.run(
        "fairness: {group: sex, accuracy_difference: {max: 1}}\n", HEAD.replace("features: [a, b, c], ", "")
    )
    assert [gap.reason for gap in observed.not_checked] == ["model-input"]
    assert "'sex' name groups: if the model reads them" in observed.not_checked[0].message
