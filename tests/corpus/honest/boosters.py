"""xgboost and LightGBM, where they are installed: wrappers and every format of their own."""

import importlib.util
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tests.corpus.sample import Sample


def samples() -> Iterator[Sample]:
    if importlib.util.find_spec("xgboost"):
        yield from _xgboost()
    if importlib.util.find_spec("lightgbm"):
        yield from _lightgbm()


def _table() -> tuple:
    rng = np.random.RandomState(3)
    return rng.rand(60, 4), np.arange(60) % 2


def _xgboost() -> Iterator[Sample]:
    import xgboost

    table, labels = _table()
    for cls in (xgboost.XGBClassifier, xgboost.XGBRegressor):
        model = cls(n_estimators=3, n_jobs=1).fit(table, labels)
        for protocol in (2, 4, 5):
            yield Sample(
                "xgboost",
                f"{cls.__name__}, protocol {protocol}",
                "",
                {"model.pkl": pickle.dumps(model, protocol)},
                "quiet",
            )
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("json", "ubj"):
                path = Path(folder, f"model.{ending}")
                model.save_model(path)
                for name in (f"model.{ending}", "xgb.model"):
                    yield Sample(
                        "xgboost", f"{cls.__name__}, {name} {ending}", "", {name: path.read_bytes()}, "quiet"
                    )
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(table, labels), 2)
    yield Sample("xgboost", "booster", "", {"model.pkl": pickle.dumps(booster)}, "quiet")
    for form in ("ubj", "json", "deprecated"):
        if form != "deprecated":
            yield Sample("xgboost", f"raw {form}", "", {"model.bin": bytes(booster.save_raw(form))}, "quiet")


def _lightgbm() -> Iterator[Sample]:
    import lightgbm

    table, labels = _table()
    for cls in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor, lightgbm.LGBMRanker):
        more = {"group": [60]} if cls is lightgbm.LGBMRanker else {}
        model = cls(n_estimators=3, n_jobs=1, verbose=-1, min_child_samples=2).fit(table, labels, **more)
        for protocol in (2, 4, 5):
            yield Sample(
                "lightgbm",
                f"{cls.__name__}, protocol {protocol}",
                "",
                {"model.pkl": pickle.dumps(model, protocol)},
                "quiet",
            )
        text = model.booster_.model_to_string().encode()
        for name in ("model.txt", "lgbm.model", "model.lgb"):
            yield Sample("lightgbm", f"{cls.__name__}, {name}", "", {name: text}, "quiet")
    yield Sample("lightgbm", "booster", "", {"model.pkl": pickle.dumps(model.booster_)}, "quiet")
