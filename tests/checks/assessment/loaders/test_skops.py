"""Skops: only what somebody trusts is made, and the rest is named, ready to be pasted."""

import numpy as np
import pytest
from sklearn import ensemble, linear_model, pipeline, preprocessing
from tests.checks.assessment.loaders import fidelity
from tests.checks.assessment.loaders.fidelity import MISSING, TWO, X

from mlgate.checks.assessment.loaders import skops as loader
from mlgate.checks.assessment.problems import Unassessable

TREE = "sklearn.tree._tree.Tree"


@pytest.fixture(scope="module")
def sio():
    import skops.io

    return skops.io


@pytest.mark.trees
def test_a_forest_with_its_types_trusted(sio):
    estimator = ensemble.RandomForestClassifier(5, random_state=0).fit(X, TWO)
    model = fidelity.loaded(loader, sio.dumps(estimator), trusted_types=(TREE,))
    np.testing.assert_allclose(fidelity.answers(model, X), estimator.predict_proba(X))
    fidelity.opened(model, X, 2)


@pytest.mark.trees
def test_histograms(sio):
    estimator = ensemble.HistGradientBoostingClassifier(max_iter=5).fit(MISSING, TWO)
    types = tuple(sio.get_untrusted_types(data=sio.dumps(estimator)))
    model = fidelity.loaded(loader, sio.dumps(estimator), trusted_types=types)
    fidelity.opened(model, MISSING, 2)


@pytest.mark.trees
def test_a_pipeline_needs_no_trust(sio):
    estimator = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    model = fidelity.loaded(loader, sio.dumps(estimator.fit(X, TWO)))
    np.testing.assert_allclose(fidelity.answers(model, X), estimator.predict_proba(X))


@pytest.mark.trees
@pytest.mark.parametrize("trusted", [(), ("acme.Other",)])
def test_types_that_nobody_trusts_are_listed_to_be_pasted(sio, trusted):
    data = sio.dumps(ensemble.RandomForestClassifier(2).fit(X, TWO))
    with pytest.raises(Unassessable) as caught:
        fidelity.loaded(loader, data, trusted_types=trusted)
    assert caught.value.reason == "model-load"
    assert f"trusted_types: [{TREE}]" in caught.value.message


@pytest.mark.trees
@pytest.mark.parametrize("data", [b"PK\x03\x04schema.json", b"PK\x03\x04" + bytes(100) + b"schema.json"])
def test_what_skops_does_not_load_is_said(data):
    with pytest.raises(Unassessable, match="skops cannot load the model"):
        fidelity.loaded(loader, data)


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (b"PK\x03\x04 schema.json", True),
        (b"PK\x03\x04 archive/data.pkl", False),
        (b"PK\x03\x04schema.json" + bytes(1 << 17), False),
        (b"schema.json", False),
        (b"", False),
    ],
)
def test_a_file_is_claimed_by_what_it_lists(data, claimed):
    assert loader.claims(data) is claimed
