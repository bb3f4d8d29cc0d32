"""Every estimator of scikit-learn, fitted, as pickle and joblib write it."""

import io
import pickle
import warnings
from collections.abc import Iterator

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators
from tests.corpus.sample import Sample

# Slow to fit, or of no use without more than a table.
_SKIP = {"GaussianProcessClassifier", "MLPClassifier", "MLPRegressor", "SparseCoder", "DictionaryLearning", "MiniBatchDictionaryLearning"}  # fmt: skip
# Estimators that need another: those that can be made from one argument.
_NEED = {"AdaBoostClassifier", "BaggingClassifier"}


def fitted() -> Iterator[tuple[str, object]]:
    """Yield every estimator that fits a small table without more arguments."""
    rng = np.random.RandomState(3)
    table = np.abs(rng.rand(24, 4))
    labels = np.arange(24) % 2
    for name, cls in all_estimators():
        if name in _SKIP:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = cls()
                if "n_estimators" in model.get_params():
                    model.set_params(n_estimators=2)
                model.fit(table, labels)
            except Exception:  # noqa: BLE001, S112 - whatever cannot be fitted like this is not here
                continue
        yield name, model


def composed() -> dict[str, object]:
    """Pipelines, searches and text models."""
    rng = np.random.RandomState(3)
    table, labels = rng.rand(24, 4), np.arange(24) % 2
    texts = ["the cat exec eval", "os system trojan", "import pickle", "a dog"] * 6
    return {
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(table, labels),
        "union": make_union(StandardScaler(), StandardScaler()).fit(table),
        "grid search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2).fit(table, labels),
        "columns": ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder="passthrough").fit(table),
        "function transformer": make_pipeline(FunctionTransformer(np.log1p), StandardScaler()).fit(table),
        "text pipeline": make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(
            texts, labels
        ),
        "vectorizer": CountVectorizer().fit(texts),
        "a dictionary of models": {
            "model": LogisticRegression().fit(table, labels),
            "scaler": StandardScaler().fit(table),
            "columns": ["a", "b"],
            "version": "1.2",
        },
        "a list of models": [LogisticRegression().fit(table, labels) for _ in range(3)],
        "a tuple with a class": (LogisticRegression, {"C": 0.1}),
    }


def samples() -> Iterator[Sample]:
    family = "scikit-learn"
    made = [*fitted(), *composed().items()]
    for index, (name, model) in enumerate(made):
        for protocol in range(6) if index % 6 == 0 else (index % 6,):
            try:
                data = pickle.dumps(model, protocol)
            except (TypeError, AttributeError, pickle.PicklingError):
                continue
            yield Sample(family, f"{name}, protocol {protocol}", "", {"model.pkl": data}, "quiet")
        compress = (0, 3, ("gzip", 3), ("xz", 1), ("bz2", 1))[index % 5]
        out = io.BytesIO()
        joblib.dump(model, out, compress=compress)
        yield Sample(family, f"{name}, joblib {compress}", "", {"model.joblib": out.getvalue()}, "quiet")
