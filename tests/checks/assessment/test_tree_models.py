"""Tree ensembles from file to figure, through the real sandbox: verified, or honestly attacked."""

import hashlib
import io
import pickle
import types

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.checks.assessment.ensembles import arrays, brute_force, forest
from tests.checks.assessment.loaders.test_onnx_trees import attributes
from tests.checks.assessment.loaders.test_onnx_trees import model as onnx_trees

from mlgate import rules, target
from mlgate.checks import Scope
from mlgate.checks.assessment import collect
from mlgate.checks.assessment.ball import around
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.data import Dataset, agree
from mlgate.checks.assessment.loaders.onnx import load as load_onnx
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sequential import Count, decide
from mlgate.checks.assessment.structure import read
from mlgate.checks.assessment.trees import agrees
from mlgate.core.judge import judge
from mlgate.policy import load

RNG = np.random.default_rng(0)
X = RNG.random((240, 3))
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0.75).astype(int)
POLICY = """\
version: 1
assessment:
  - name: m
    model: {{path: {model}{model_keys}}}
    data: {{path: d.npz, features: x, label: y{data_keys}}}
    robustness: {{epsilon: {epsilon}, min_accuracy: {least}, queries: 50{keys}}}
"""
CODE = ", accept_code: true"


@pytest.fixture
def assess(tmp_path):
    def run(name, content, *, x=X, y=Y, epsilon=0.02, least=0.5, model_keys=CODE, data_keys="", keys=""):
        (tmp_path / name).write_bytes(content)
        np.savez(tmp_path / "d.npz", x=x, y=y)
        (tmp_path / ".mlgate.yaml").write_text(
            POLICY.format(
                model=name,
                epsilon=epsilon,
                least=least,
                model_keys=model_keys,
                data_keys=data_keys,
                keys=keys,
            )
        )
        seen = target.working_tree(tmp_path)
        cleared = {
            file.path: hashlib.sha256((tmp_path / file.path).read_bytes()).hexdigest() for file in seen.files
        }
        policy = replace(load.from_disk(tmp_path / ".mlgate.yaml", ".mlgate.yaml"), path=".mlgate.yaml")
        return collect(Scope(target=seen, policy=policy, cleared=cleared))

    return run


def figures(seen):
    assert [gap.message for gap in seen.not_checked] == []
    named = {measured.name: measured for measured in seen.measurements if not measured.part}
    return named["robust_accuracy"], named.get("certified_accuracy")


def test_a_forest_is_verified_exactly(assess):
    model = RandomForestClassifier(10, max_depth=5, random_state=0).fit(X, Y)
    robust, certified = figures(assess("m.pkl", pickle.dumps(model)))
    assert robust.detail["bound"] == certified.detail["bound"] == "exact (verified)"
    assert (robust.value, robust.low, robust.high) == (certified.value, certified.low, certified.high)
    assert (certified.outcome, robust.outcome) == ("info", "pass")
    assert robust.detail["trees"].startswith("10 trees")
    assert robust.detail["attacks"]["verification"]["unconfirmed"] == 0
    assert robust.detail["attacks"]["square"]["attacked"] == 0


def test_the_figure_is_the_one_that_trying_every_point_gives(assess):
    from mlgate.checks.assessment.loaders._sklearn_trees import arrays as structure

    model = HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5, random_state=0).fit(X, Y)
    x, y = X[:40], Y[:40]
    robust, _ = figures(assess("m.pkl", pickle.dumps(model), x=x, y=y, epsilon=0.05, least=0.9999))
    trees = read({name: np.asarray(array) for name, array in structure(model).items()}, 3, 2, x.dtype)
    right = model.predict(x) == y
    broken = brute_force(trees, around(x[right], 0.05), y[right])
    order = np.random.default_rng(0).permutation(40)[: robust.n]
    standing = np.zeros(40, bool)
    standing[np.flatnonzero(right)[~broken]] = True
    assert robust.value == standing[order].mean()


def test_two_runs_give_the_same(assess):
    model = pickle.dumps(RandomForestClassifier(5, max_depth=4, random_state=0).fit(X, Y))
    assert assess("m.pkl", model) == assess("m.pkl", model)


def test_a_fragile_forest_fails(assess):
    model = RandomForestClassifier(10, random_state=0).fit(X, Y)
    seen = assess("m.pkl", pickle.dumps(model), epsilon=0.3)
    robust, _ = figures(seen)
    assert robust.outcome == "fail"
    assert "MLG-ASM-002" in [finding.rule for finding in judge(rules.load(), seen.facts, None)]


def test_missing_values_are_handed_to_the_model_and_stay_missing(assess):
    x = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(x, Y)
    robust, _ = figures(assess("m.pkl", pickle.dumps(model), x=x, data_keys=", missing: allow"))
    assert robust.detail["bound"] == "exact (verified)"
    assert robust.detail["attacks"]["verification"]["unconfirmed"] == 0


def test_trees_in_onnx_are_verified_too(assess):
    held = attributes(np.random.default_rng(0), trees=5, columns=2, transform="SOFTMAX")
    x = RNG.random((60, 6)).astype(np.float32)
    content = onnx_trees(held)
    y = np.asarray(load_onnx(content, Request()).predict(x).values).argmax(axis=1)
    robust, certified = figures(assess("m.onnx", content, x=x, y=y, model_keys=""))
    assert robust.detail["bound"] == certified.detail["bound"] == "exact (verified)"
    assert "gradients" not in robust.detail


def test_what_is_no_ensemble_is_attacked_and_called_an_upper_bound(assess):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    robust, certified = figures(assess("m.pkl", pickle.dumps(model)))
    assert robust.detail["bound"] == "upper bound (black-box)"
    assert certified is None
    assert "verification" not in robust.detail["attacks"]


def test_trees_that_a_proof_does_not_cover_are_attacked_and_the_report_says_why(assess):
    x = X.copy()
    x[:, 0] = np.floor(x[:, 0] * 6)
    y = np.isin(x[:, 0], [1, 3]).astype(int)
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]).fit(x, y)
    robust, certified = figures(assess("m.pkl", pickle.dumps(model), x=x, y=y))
    assert robust.detail["trees"] == "none: the trees are not verified: it has categorical splits"
    assert robust.detail["bound"] == "upper bound (black-box)"
    assert certified is None


def test_who_names_other_attacks_gets_an_upper_bound(assess):
    model = RandomForestClassifier(5, random_state=0).fit(X, Y)
    robust, certified = figures(assess("m.pkl", pickle.dumps(model), keys=", attacks: [square]"))
    assert robust.detail["bound"] == "upper bound (black-box)"
    assert certified is None


def test_verification_of_what_has_no_trees_is_no_attack_there_is(assess):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    (gap,) = assess("m.pkl", pickle.dumps(model), keys=", attacks: [verification]").not_checked
    assert gap.reason == "unknown-attack"
    assert "has no trees" in gap.message


def test_code_is_not_read_unless_the_policy_says_so(assess, tmp_path):
    marker = tmp_path / "ran"
    payload = b"\x80\x04cos\nmkdir\n(V" + str(marker).encode() + b"\ntR.sklearn"
    (gap,) = assess("m.pkl", payload, model_keys="").not_checked
    assert gap.reason == "code-not-accepted"
    assert not marker.exists()


def test_a_pickle_that_acts_meets_the_walls(assess, tmp_path):
    marker = tmp_path / "ran"
    payload = b"\x80\x04cos\nmkdir\n(V" + str(marker).encode() + b"\ntR.sklearn"
    (gap,) = assess("m.pkl", payload).not_checked
    assert gap.reason in ("model-load", "worker-died")
    assert not marker.exists()


@pytest.mark.trees
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost", "skops", "pickled catboost"])
def test_every_library_answers_in_the_sandbox(assess, library):
    keys = ""
    if library == "xgboost":
        import xgboost

        held = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, Y), 5)
        name, content = "m.ubj", bytes(held.save_raw("ubj"))
    elif library == "lightgbm":
        import lightgbm

        quiet = {"verbosity": -1, "num_threads": 1}
        held = lightgbm.train({"objective": "binary", **quiet}, lightgbm.Dataset(X, Y, params=quiet), 5)
        name, content = "m.txt", held.model_to_string().encode()
    elif library.endswith("catboost"):
        import catboost

        held = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(X, Y)
        name, content = "m.cbm", held._serialize_model()
        if library != "catboost":
            name, content, keys = "m.pkl", pickle.dumps(held), CODE
    else:
        import skops.io

        name, content = "m.skops", skops.io.dumps(RandomForestClassifier(5, n_jobs=-1).fit(X, Y))
        keys = ", trusted_types: [sklearn.tree._tree.Tree]"
    robust, _ = figures(assess(name, content, model_keys=keys))
    assert robust.detail["bound"] == "exact (verified)"
    assert robust.detail["attacks"]["verification"]["unconfirmed"] == 0


class Says:
    """A worker that answers by one ensemble and describes another."""

    def __init__(self, real, described, problem=None):
        self.signature = Signature((None, 3), "float32", ("trees",))
        self.passes = 0
        self._real, self._described, self._problem = real, described, problem

    def predict(self, x, _seconds=None, *, follow=False):
        self.passes += len(x)
        return Scores(self._real.answers(x))

    def trees(self):
        if self._problem is not None:
            raise self._problem
        return self._described


def told(seed, described, problem=None):
    real = forest(np.random.default_rng(seed), link="softmax")
    x = np.random.default_rng(9).random((50, 3)).astype(np.float32)
    return Classifier(Says(real, described, problem), x)


def test_a_structure_counts_where_it_does_what_the_model_does():
    model = told(0, arrays(np.random.default_rng(0)))
    assert model.open().startswith("4 trees")
    assert model.trees is not None


@pytest.mark.parametrize("described", [arrays(np.random.default_rng(1)), {}, {"roots": np.zeros(3)}])
def test_a_structure_that_lies_is_left_alone_and_said(described):
    model = told(0, described)
    assert model.open().startswith("none: the model's trees cannot be verified")
    assert model.trees is None


def test_a_structure_that_fits_the_data_alone_is_left_alone():
    """Thresholds between the same samples, but elsewhere: the data cannot tell them apart."""
    described = arrays(np.random.default_rng(0), link="softmax")
    model = told(0, described)
    seen = np.sort(model._clean, axis=0)
    for node in np.flatnonzero(described["feature"] >= 0):
        column = seen[:, described["feature"][node]].astype(np.float64)
        place = np.searchsorted(column, described["threshold"][node])
        if 0 < place < len(column):
            described["threshold"][node] = (column[place - 1] + column[place]) / 2
    assert agrees(read(described, 3, model.columns, np.dtype(np.float32)), model._clean, model.raw) < 1e-6
    assert "do not reproduce" in model.open()
    assert model.trees is None


def test_a_worker_that_dies_over_its_trees_is_no_small_matter():
    with pytest.raises(Unassessable, match="died"):
        told(0, {}, Unassessable("worker-died", "it died")).open()


def test_a_model_that_offers_no_trees_is_not_asked():
    model = told(0, {})
    model.worker.signature = Signature((None, 3), "float32")
    assert model.open() == "none"


def counts(proven, possible):
    return lambda _start, stop, _bounds: Count(sum(possible[:stop]), sum(proven[:stop]))


def test_only_what_is_proven_passes():
    answer = decide(400, 0.5, 0.95, counts([0] * 400, [1] * 400))
    assert answer.outcome == "inconclusive"
    assert (answer.looks[-1].low, answer.looks[-1].high) == (0.0, 1.0)
    assert decide(400, 0.5, 0.95, counts([1] * 400, [1] * 400)).outcome == "pass"


def test_only_what_is_impossible_fails():
    assert decide(400, 0.5, 0.95, counts([0] * 400, [0] * 400)).outcome == "fail"
    assert decide(400, 0.5, 0.95, counts([0] * 400, [0, 1] * 200)).outcome == "inconclusive"


def test_a_few_unknown_samples_do_not_hide_a_clear_answer():
    proven = ([1] * 9 + [0]) * 40
    assert decide(400, 0.6, 0.95, counts(proven, [1] * 400)).outcome == "pass"


@pytest.mark.parametrize(
    ("held", "wanted", "agrees"),
    [
        (("a", "b"), ("a", "b"), True),
        (("a", "b"), (), True),
        ((), ("a", "b"), True),
        (("age in years", "b"), ("age_in_years", "b"), True),
        (("a", "b"), ("b", "a"), False),
        (("a", "b"), ("a", "c"), False),
    ],
)
def test_features_that_both_name_must_stand_in_one_order(held, wanted, agrees):
    dataset = Dataset(np.zeros((1, 2)), np.zeros(1), np.zeros(1, np.int64), "d.csv", names=held)
    signature = Signature((None, 2), "float32", names=wanted)
    if agrees:
        agree(dataset, signature)
        return
    with pytest.raises(Unassessable, match=r"is 'a' in d.csv and|is 'b' in d.csv and") as caught:
        agree(dataset, signature)
    assert (caught.value.reason, caught.value.key) == ("model-input", "data.features")


def test_a_model_trained_on_other_columns_is_not_measured(tmp_path, assess):
    model = RandomForestClassifier(3, random_state=0).fit(X, Y)
    model.feature_names_in_ = np.array(["a", "c", "b"], dtype=object)
    out = io.StringIO()
    out.write("a,b,c,y\n")
    for row, label in zip(X, Y, strict=True):
        out.write(",".join(map(repr, map(float, row))) + f",{label}\n")
    (tmp_path / "d.csv").write_text(out.getvalue())
    data = types.SimpleNamespace(keys=", limit: 200")
    seen = assess("m.pkl", pickle.dumps(model), data_keys=data.keys)
    assert [gap.reason for gap in seen.not_checked] == []
    text = (tmp_path / ".mlgate.yaml").read_text().replace("path: d.npz, features: x", "path: d.csv")
    (tmp_path / ".mlgate.yaml").write_text(text)
    cleared = {"m.pkl": hashlib.sha256((tmp_path / "m.pkl").read_bytes()).hexdigest()}
    policy = replace(load.from_disk(tmp_path / ".mlgate.yaml", ".mlgate.yaml"), path=".mlgate.yaml")
    (gap,) = collect(Scope(target=target.working_tree(tmp_path), policy=policy, cleared=cleared)).not_checked
    assert "feature 1 is 'b' in d.csv and 'c' in the model" in gap.message
