"""The whole check: a policy and files in, figures or reasons out."""

import hashlib
import importlib.util

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from tests.checks.assessment import onnx_models

from mlgate import rules, target
from mlgate.checks import Scope
from mlgate.checks.assessment import collect, opening, run
from mlgate.checks.assessment.inputs import read
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox.walls import Wall
from mlgate.core.facts import Check, Location
from mlgate.core.judge import judge
from mlgate.listing import File
from mlgate.policy import load

POLICY = """\
version: 1
limits: {{file_seconds: {seconds}, worker_bytes: {memory}}}
assessment:
  - name: m
    model:
      path: {model}
      {digest}
    data:
      path: {data}
      features: {features}
      label: y
      {range}
    performance:
      accuracy:
        min: {accuracy}
    robustness:
      epsilon: {epsilon}
      min_accuracy: {robust}
      queries: {queries}
      budget_seconds: {budget}
      {more}
"""
DEFAULTS = {
    "seconds": 30, "memory": 16 << 30, "model": "m.onnx", "digest": "", "data": "d.npz", "features": "x",
    "range": "", "accuracy": 0.9, "epsilon": 0.01, "robust": 0.5, "queries": 100, "budget": 60, "more": "",
}  # fmt: skip
W = np.array([[1.0, -1.0], [-1.0, 1.0], [0.5, -0.5]], np.float32)
X = np.random.default_rng(0).uniform(-1, 1, (200, 3)).astype(np.float32)
Y = (X @ W).argmax(axis=1)


def line_of(text, start):
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


class Repository:
    """A folder with a model, data and a policy."""

    def __init__(self, folder):
        self.folder = folder
        self.write("m.onnx", onnx_models.linear(W))
        self.data(x=X, y=Y)
        self.policy()

    def write(self, name, content):
        (self.folder / name).write_bytes(content)

    def data(self, **arrays):
        np.savez(self.folder / "d.npz", **arrays)

    def policy(self, text=POLICY, **changes):
        self.text = text.format(**{**DEFAULTS, **changes})
        (self.folder / ".mlgate.yaml").write_text(self.text)

    def collect(self, *, cleared=None, path=".mlgate.yaml", **settings):
        seen = target.working_tree(self.folder)
        if cleared is None:
            cleared = {
                file.path: hashlib.sha256((self.folder / file.path).read_bytes()).hexdigest()
                for file in seen.files
            }
        policy = replace(load.from_disk(self.folder / ".mlgate.yaml", ".mlgate.yaml"), path=path)
        return collect(Scope(target=seen, policy=policy, cleared=cleared, **settings))


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def reasons(seen):
    return [gap.reason for gap in seen.not_checked]


def findings(seen):
    return [
        finding.rule
        for finding in judge(rules.load(), seen.facts, None)
        if finding.rule.startswith("MLG-ASM")
    ]


def test_a_good_model_passes(repository):
    seen = repository.collect()
    assert reasons(seen) == []
    assert findings(seen) == []
    accuracy, robust = seen.measurements
    assert (accuracy.name, accuracy.value, accuracy.n, accuracy.outcome) == ("accuracy", 1.0, 200, "pass")
    assert (robust.name, robust.outcome) == ("robust_accuracy", "pass")
    assert [fact.subject for fact in seen.facts] == ["m/accuracy", "m/robust_accuracy"]
    assert seen.facts[0].location == Location(".mlgate.yaml", line=line_of(repository.text, "min:"))
    assert seen.facts[1].location == Location(".mlgate.yaml", line=line_of(repository.text, "min_accuracy:"))


def test_what_a_second_run_needs_is_kept(repository):
    robust = repository.collect().measurements[1]
    assert (
        robust.detail["model_sha256"]
        == hashlib.sha256((repository.folder / "m.onnx").read_bytes()).hexdigest()
    )
    assert (
        robust.detail["data_sha256"] == hashlib.sha256((repository.folder / "d.npz").read_bytes()).hexdigest()
    )
    assert set(robust.detail["versions"]) == {"mlgate", "numpy", "onnxruntime"}
    assert robust.detail["input_shape"] == [3]
    assert robust.detail["scores"] == "scores"


def test_two_runs_give_the_same(repository):
    assert repository.collect() == repository.collect()


def test_the_sandbox_is_said_once(repository):
    (source,) = repository.collect().sources
    assert (source.check, source.name) == (Check.ASSESSMENT, "sandbox")
    assert set(source.detail) == {"resource limits", "no new privileges", "landlock", "seccomp"}


def test_a_poor_model_is_found(repository):
    repository.write("m.onnx", onnx_models.constant(3, [1, 0]))
    repository.policy(robust=0.2)
    seen = repository.collect()
    # What always says the same cannot be attacked, and shows nothing by it.
    assert findings(seen) == ["MLG-ASM-001", "MLG-ASM-004"]
    assert seen.measurements[0].value == pytest.approx((Y == 0).mean())


def test_a_fragile_model_is_found(repository):
    repository.policy(epsilon=0.5)
    seen = repository.collect()
    assert findings(seen) == ["MLG-ASM-002"]
    assert reasons(seen) == []


def test_a_threshold_too_close_to_call_is_inconclusive(repository):
    radius = np.abs(X @ (W[:, 0] - W[:, 1])) / np.abs(W[:, 0] - W[:, 1]).sum()
    repository.policy(epsilon=0.1, robust=round(float((radius > 0.1).mean()), 2), queries=300)
    seen = repository.collect()
    assert reasons(seen) == ["inconclusive"]
    assert findings(seen) == []
    assert seen.not_checked[0].location.line == line_of(repository.text, "min_accuracy:")
    assert seen.measurements[1].outcome == "inconclusive"


def withstands(model, x, y, epsilon):
    """Whether a linear classifier withstands every change within the ball and [0, 1]: exact."""
    low, high = np.clip(x - epsilon, 0, 1), np.clip(x + epsilon, 0, 1)
    holds = np.ones(len(x), bool)
    for other in range(len(model.coef_)):
        gap = model.coef_[y] - model.coef_[other]
        worst = np.where(gap > 0, gap * low, gap * high).sum(axis=1)
        holds &= (worst + model.intercept_[y] - model.intercept_[other] > 0) | (y == other)
    return holds


def test_trained_digits_are_measured(repository):
    digits = load_digits()
    x, y = digits.data / 16, digits.target
    fitted = LogisticRegression(max_iter=300).fit(x[:1200], y[:1200])
    x, y = x[1200:1500], y[1200:1500]
    repository.write("m.onnx", onnx_models.linear(fitted.coef_.T, fitted.intercept_, shape=[1, 8, 8]))
    repository.data(x=x, y=y)
    repository.policy(range="range: [0, 1]", epsilon=0.1, robust=0.95, queries=500)
    seen = repository.collect()
    accuracy, robust = seen.measurements
    assert accuracy.value == pytest.approx(fitted.score(x, y), abs=0.004)
    assert accuracy.detail["input_shape"] == [1, 8, 8]
    assert robust.detail["clipped_to"] == [0.0, 1.0]
    assert findings(seen) == ["MLG-ASM-002"]
    # The attack claims nothing that is impossible, and misses little of what is possible.
    order = np.random.default_rng(0).permutation(300)[: robust.n]
    exact = withstands(fitted, x, y, 0.1)[order].sum()
    assert exact <= robust.detail["successes"] <= exact + 0.15 * robust.n


def test_csv_and_maps_of_probabilities(repository):
    weights = np.c_[W, np.zeros(3)]
    repository.write("m.onnx", onnx_models.zipmap(weights))
    names = np.array([3, 5, 9])[(X @ weights).argmax(axis=1)]
    rows = [f"{','.join(map(repr, map(float, row)))},{name}" for row, name in zip(X, names, strict=True)]
    repository.write("d.csv", "\n".join(["a,b,c,y", *rows]).encode())
    repository.policy(data="d.csv", features="[a, b, c]")
    seen = repository.collect()
    assert reasons(seen) == []
    assert seen.measurements[0].value == 1.0


def prepared(repository, change):
    """Bring a repository into a state that cannot be judged."""
    policies = {
        "no model": {"model": "none.onnx"},
        "no data": {"data": "none.npz"},
        "no array": {"features": "z"},
        "outside the range": {"range": "range: [0, 1]"},
        "data of another kind": {"data": "m.onnx"},
        "too large a file": {"memory": "1000000, data_bytes: 100"},
        "a folder": {"model": "folder"},
    }
    models = {
        "wrong input": lambda: onnx_models.linear(np.zeros((7, 2))),
        "garbage": lambda: b"\x08\x0agarbage",
        "no model at all": lambda: b"PK\x03\x04",
        "an LFS pointer": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "empty": lambda: b"",
        "noise": lambda: onnx_models.noisy(3),
        "not numbers": lambda: onnx_models.single_operator("Log", 3),
    }
    arrays = {
        "NaN label": {"x": X, "y": np.where(Y == 1, np.nan, 0.0)},
        "NaN feature": {"x": X * np.nan, "y": Y},
        "too few": {"x": X[:5], "y": Y[:5]},
        "label of no class": {"x": X, "y": Y + 5},
        "one label too few": {"x": X, "y": Y[1:]},
    }
    (repository.folder / "folder").mkdir()
    if change in policies:
        repository.policy(**policies[change])
    elif change in models:
        repository.write("m.onnx", models[change]())
    else:
        repository.data(**arrays[change])


@pytest.mark.parametrize(
    ("change", "reason", "key", "words"),
    [
        ("no model", "missing-file", "path: none.onnx", "none.onnx"),
        ("no data", "missing-file", "path: none.npz", "none.npz"),
        ("no array", "missing-array", "features:", "'z'"),
        ("outside the range", "out-of-range", "range:", "d.npz"),
        ("data of another kind", "unknown-data", "path: m.onnx", "npz"),
        ("too large a file", "limit", "path: d.npz", "limits.data_bytes"),
        ("a folder", "missing-file", "path: folder", "folder"),
        ("wrong input", "model-input", "features:", "'batch', 7"),
        ("garbage", "model-load", "name", "onnxruntime"),
        ("no model at all", "unknown-model", "path: m.onnx", "onnx"),
        ("an LFS pointer", "lfs-pointer", "path: m.onnx", "git lfs pull"),
        ("empty", "empty", "path: m.onnx", "empty"),
        ("noise", "not-repeatable", "path: m.onnx", "dropout"),
        ("not numbers", "model-output", "name", "finite"),
        ("NaN label", "missing-label", "label:", "d.npz"),
        ("NaN feature", "not-finite", "features:", "d.npz"),
        ("too few", "too-few-samples", "path: d.npz", "5 samples"),
        ("label of no class", "wrong-label", "label:", "'5', '6'"),
        ("one label too few", "wrong-shape", "label:", "200 samples"),
    ],
)
def test_what_cannot_be_judged_is_said(repository, change, reason, key, words):
    prepared(repository, change)
    seen = repository.collect()
    (gap,) = seen.not_checked
    assert (gap.check, gap.reason, gap.subject) == (Check.ASSESSMENT, reason, "m")
    assert words in gap.message
    assert gap.location.path == ".mlgate.yaml"
    lines = repository.text.splitlines()
    assert lines[gap.location.line - 1].strip().removeprefix("- ").startswith(key)


def test_figures_from_before_a_failure_stand(repository):
    repository.policy(more="attacks: [square]", budget=0.0001)
    seen = repository.collect()
    assert reasons(seen) == ["inconclusive"]
    assert [figure.name for figure in seen.measurements] == ["accuracy", "robust_accuracy"]
    assert seen.measurements[1].value is None


def test_a_model_that_never_answers_is_stopped(repository):
    repository.write("m.onnx", onnx_models.endless(3))
    repository.policy(seconds=2)
    assert reasons(repository.collect()) == ["worker-timeout"]


def test_a_model_that_wants_too_much_memory_is_stopped(repository):
    repository.write("m.onnx", onnx_models.greedy(3))
    repository.policy(memory=4 << 30)
    assert reasons(repository.collect()) in (["worker-memory"], ["worker-died"])


def test_a_wrong_digest_blocks_and_nothing_is_loaded(repository):
    repository.policy(digest=f"sha256: {'a' * 64}")
    seen = repository.collect()
    assert findings(seen) == ["MLG-ASM-003"]
    assert reasons(seen) == ["digest-mismatch"]
    assert seen.measurements == ()
    assert seen.sources == ()
    assert seen.facts[0].location.line == line_of(repository.text, "sha256:")


def test_a_right_digest_is_no_finding(repository):
    digest = hashlib.sha256((repository.folder / "m.onnx").read_bytes()).hexdigest()
    repository.policy(digest=f"sha256: {digest}")
    assert findings(repository.collect()) == []


def test_a_wrong_digest_of_the_data_blocks(repository):
    repository.policy(range=f"sha256: {'a' * 64}")
    seen = repository.collect()
    assert findings(seen) == ["MLG-ASM-003"]
    assert "d.npz" in seen.not_checked[0].message


@pytest.mark.parametrize(
    ("cleared", "reason"),
    [({}, "model-not-cleared"), ({"m.onnx": "0" * 64}, "changed"), ({"d.npz": ""}, "model-not-cleared")],
)
def test_only_cleared_bytes_are_loaded(repository, cleared, reason):
    seen = repository.collect(cleared=cleared)
    assert reasons(seen) == [reason]
    assert seen.measurements == ()
    assert seen.sources == ()


def test_a_link_is_not_followed(repository, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "m.onnx"
    elsewhere.write_bytes(onnx_models.linear(W))
    (repository.folder / "m.onnx").unlink()
    (repository.folder / "m.onnx").symlink_to(elsewhere)
    assert reasons(repository.collect(cleared={"m.onnx": "0"})) == ["not-a-file"]


TWO = (
    POLICY
    + "  - {{name: second, model: {{path: m.onnx}}, data: {{path: d.npz, label: y}}, performance: {{accuracy: {{min: 0.5}}}}}}\n"
)


def test_the_others_go_on(repository):
    repository.policy(TWO, features="z")
    seen = repository.collect()
    assert reasons(seen) == ["missing-array"]
    assert [figure.assessment for figure in seen.measurements] == ["second"]


def test_names_choose(repository):
    repository.policy(TWO)
    seen = repository.collect(assessments=("second",))
    assert [figure.assessment for figure in seen.measurements] == ["second"]
    assert seen.measurements[0].outcome == "pass"


def test_an_unknown_name_is_said(repository):
    seen = repository.collect(assessments=("third",))
    assert reasons(seen) == ["unknown-assessment"]
    assert "it has m" in seen.not_checked[0].message


def test_accuracy_without_a_minimum_is_measured_to_know(repository):
    robust = POLICY[: POLICY.index("    performance")] + POLICY[POLICY.index("    robustness") :]
    repository.policy(robust)
    assert [figure.outcome for figure in repository.collect().measurements] == ["info", "pass"]


def test_an_assessment_that_asks_nothing_is_not_a_pass(repository):
    repository.policy(POLICY[: POLICY.index("    performance")])
    assert reasons(repository.collect()) == ["no-threshold"]


def test_without_assessments_there_is_nothing_to_say(repository):
    repository.policy("version: 1\n")
    seen = repository.collect()
    assert (seen.facts, seen.not_checked, seen.sources) == ((), (), ())


@pytest.mark.parametrize("package", ["numpy", "onnxruntime"])
def test_a_missing_extra_is_said(repository, monkeypatch, package):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else real(name, *rest)
    )
    seen = repository.collect()
    assert reasons(seen) == ["extra-missing"]
    assert "pip install 'mlgate[assess]'" in seen.not_checked[0].message
    assert package in seen.not_checked[0].message


def test_without_a_policy_file_the_model_is_the_place(repository):
    seen = repository.collect(path=None)
    assert {fact.location for fact in seen.facts} == {Location("m.onnx")}


def test_a_wall_that_is_missing_is_said():
    walls = (Wall(name="seccomp", stands=True, note="n"), Wall(name="landlock", stands=False, note="too old"))
    assert "not standing: landlock (too old)" in run.sandbox(walls).summary
    assert "no wall but" in run.sandbox(walls[1:]).summary


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "limit"), (ZeroDivisionError("x"), "assessment-failed")]
)
def test_a_defect_stays_within_its_assessment(repository, monkeypatch, error, reason):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(opening, "read", fail)
    repository.policy(TWO)
    assert reasons(repository.collect()) == [reason, reason]


def test_a_file_that_cannot_be_opened_is_said(repository, monkeypatch):
    def refuse():
        raise PermissionError(13, "Permission denied")

    file = File(path="m.onnx", size=1, kind="file", open=refuse)
    seen = target.working_tree(repository.folder)
    with pytest.raises(Unassessable, match="Permission denied") as caught:
        read(replace(seen, find=lambda _path: file), "m.onnx", 10, "the format", "model.path")
    assert caught.value.reason == "unreadable"


def test_progress_is_told(repository):
    told = []
    repository.collect(progress=told.append)
    assert any("attacking samples 1 to 8 of 200" in message for message in told)
