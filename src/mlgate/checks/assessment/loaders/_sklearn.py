"""A fitted scikit-learn estimator, from wherever it was loaded."""

import importlib
import pkgutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._ensemble import Ensemble, opened
from mlgate.checks.assessment.loaders._sklearn_trees import arrays, single
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats

_NOT_NEEDED = frozenset(("tests", "conftest", "datasets", "experimental", "externals"))
# Other libraries whose estimators a file may hold, where they are installed.
_COMPANIONS = ("xgboost.sklearn", "lightgbm.sklearn", "catboost")


def prepare() -> None:
    """Import all of scikit-learn, and the libraries whose estimators go with it.

    Which of them a file needs is known only when it is read, and then no file opens.
    """
    import sklearn  # noqa: PLC0415 - only the worker pays for it

    for found in pkgutil.iter_modules(sklearn.__path__):
        if not found.name.startswith("_") and found.name not in _NOT_NEEDED:
            importlib.import_module(f"sklearn.{found.name}")
    for name in _COMPANIONS:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    # What a newer release says of an older file would go to standard error, and be lost.
    warnings.simplefilter("ignore")


class SklearnModel(Ensemble):
    """An estimator that predicts.

    Args:
        estimator: It.
        request: What the policy says it does, and the shape of the data.

    Raises:
        Unassessable: It is no fitted classifier, or no fitted regressor.
    """

    def __init__(self, estimator: Any, request: Request) -> None:
        self._estimator = _alone(estimator)
        asked = ("predict_proba", "decision_function") if request.task == "classification" else ("predict",)
        self._method = next((name for name in asked if hasattr(estimator, name)), "")
        classifies = hasattr(estimator, "classes_")
        if not self._method or classifies != (request.task == "classification"):
            raise Unassessable(
                "model-output",
                f"the file holds a {type(estimator).__name__}, which is no fitted model for {request.task}",
            )
        classes = list(estimator.classes_) if classifies else None
        if classes is not None and any(np.ndim(each) for each in classes):
            raise Unassessable("model-output", "the model has several outputs; an assessment judges one")
        self._classes = None if classes is None else tuple(map(_name, classes))
        self.forest = opened(lambda: arrays(estimator)) if classifies else None
        # CatBoost says 0 of a model that it loaded.
        features = int(getattr(estimator, "n_features_in_", 0))
        shape = (features,) if features else request.shape
        self.signature = Signature(
            (None, *shape),
            "float32" if single(estimator) else "float64",
            self.offers,
            names=tuple(map(str, getattr(estimator, "feature_names_in_", ()))),
        )

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        try:
            raw = np.asarray(getattr(self._estimator, self._method)(x))
        except Exception as error:  # the wall around a hostile file
            raise Unassessable(
                "model-run", f"the model fails on the data: {type(error).__name__}: {error}"
            ) from error
        if raw.dtype.kind not in "fiu" or len(raw) != len(x) or raw.ndim > 2:
            raise Unassessable(
                "model-output", f"the model answers with {raw.dtype} of shape {list(raw.shape)}"
            )
        raw = raw.astype(np.float64).reshape(len(x), -1)
        if self._classes is None:
            return Scores(raw)
        if raw.shape[1] == 1 and len(self._classes) == 2:
            # Log odds of the second class.
            raw = np.concatenate([np.zeros_like(raw), raw], axis=1)
        return Scores(raw, self._classes if raw.shape[1] == len(self._classes) else None)


def _alone(estimator: Any) -> Any:
    """Let an estimator and its parts work with one thread: no other process or thread helps a sandbox."""
    try:
        jobs = [name for name in estimator.get_params(deep=True) if name.rpartition("__")[2] == "n_jobs"]
        return estimator.set_params(**dict.fromkeys(jobs, 1)) if jobs else estimator
    except (AttributeError, TypeError, ValueError):
        return estimator


def _name(label: Any) -> int | str:
    """Return a class's name as labels of the data are matched with it."""
    label = label.item() if hasattr(label, "item") else label
    if isinstance(label, bool) or (isinstance(label, float) and label.is_integer()):
        return int(label)
    return label if isinstance(label, int) else str(label)
