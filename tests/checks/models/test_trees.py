"""Real estimators of tree libraries are left in peace, in every way in which people store them."""

import pickle
import warnings

import pytest

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.severity import Severity

pytestmark = pytest.mark.trees

np = pytest.importorskip("numpy")
X = np.arange(80, dtype=np.float64).reshape(40, 2) % 7
Y = (X[:, 0] > 3).astype(int)


def xgboost():
    library = pytest.importorskip("xgboost")
    return library.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1).fit(X, Y)


def lightgbm():
    library = pytest.importorskip("lightgbm")
    return library.LGBMClassifier(n_estimators=3, min_child_samples=2, n_jobs=1, verbose=-1).fit(X, Y)


def findings(root):
    return gate.run(gate.Request(root=root, checks=(Check.MODELS,))).findings


@pytest.mark.parametrize("make", [xgboost, lightgbm])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickled_estimator_is_no_alarm(tmp_path, make, protocol):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(make(), protocol=protocol))
    assert not [finding.message for finding in findings(tmp_path) if finding.severity >= Severity.MEDIUM]


@pytest.mark.parametrize("make", [xgboost, lightgbm])
@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 3)])
def test_an_estimator_stored_by_joblib_is_no_alarm(tmp_path, make, compress):
    joblib = pytest.importorskip("joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        joblib.dump(make(), tmp_path / "model.joblib", compress=compress)
    assert not [finding.message for finding in findings(tmp_path) if finding.severity >= Severity.MEDIUM]
