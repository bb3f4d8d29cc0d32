"""The trees inside scikit-learn's ensembles.

Trees of ``sklearn.tree`` compare features in float32 with float64 thresholds, and
histogram boosting compares in float64; both send equal numbers to the left.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders import catboost_model, lightgbm_model, xgboost_model
from mlgate.checks.assessment.loaders._ensemble import Ensemble
from mlgate.checks.assessment.loaders._forest import Forest, NoTrees, Tree, Uncovered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Those that look at features in float32.
_SINGLE = frozenset(("RandomForest", "ExtraTrees", "GradientBoosting", "DecisionTree", "ExtraTree"))
# One tree.
_ONE = ("DecisionTreeClassifier", "ExtraTreeClassifier")


def single(estimator: Any) -> bool:
    """Say whether an estimator turns features to float32 before it looks at them."""
    if _library(estimator) in ("xgboost", "catboost"):
        return True
    name = _known(estimator)
    return name.removesuffix("Classifier").removesuffix("Regressor") in _SINGLE


def arrays(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    """Return the structure of a classifier: see :mod:`mlgate.checks.assessment.structure`.

    Raises:
        NoTrees: It is no ensemble of trees.
        Uncovered: It is one with parts that a proof does not cover.
    """
    library = _library(estimator)
    if library in _COMPANIONS:
        return _COMPANIONS[library](estimator)
    match _known(estimator):
        case "RandomForestClassifier" | "ExtraTreesClassifier":
            return _averaged(estimator.estimators_)
        case name if name in _ONE:
            return _averaged([estimator])
        case "GradientBoostingClassifier":
            return _boosted(estimator)
        case "HistGradientBoostingClassifier":
            return _histograms(estimator)
    raise NoTrees("it is no known ensemble of trees")


def _known(estimator: Any) -> str:
    """Return the name of a class of scikit-learn's own: what derives from one may do anything."""
    return type(estimator).__name__ if _library(estimator) == "sklearn" else ""


def _library(estimator: Any) -> str:
    return type(estimator).__module__.partition(".")[0]


def _xgboost(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    if not np.isnan(estimator.missing):
        raise Uncovered(f"it takes {estimator.missing} for missing")
    return _with_trees(xgboost_model.wrap(estimator.get_booster(), "classification"))


def _lightgbm(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    booster = estimator.booster_
    text = booster.model_to_string(num_iteration=-1)
    return _with_trees(lightgbm_model.LightgbmModel(booster, text, "classification"))


def _catboost(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    return _with_trees(catboost_model.CatboostModel(estimator, "classification"))


def _with_trees(model: Ensemble) -> "Mapping[str, NDArray[Any]]":
    if isinstance(model.forest, str):
        raise Uncovered(model.forest)
    if model.forest is None:
        raise NoTrees
    return model.forest


# Estimators of other libraries hold their own models.
_COMPANIONS = {"xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost}


def _averaged(trees: list[Any]) -> "Mapping[str, NDArray[Any]]":
    forest = Forest("identity", inclusive=True, single=False)
    for each in trees:
        if _known(each) not in _ONE:
            raise Uncovered(f"it holds a {type(each).__name__}")
        value = each.tree_.value
        if value.shape[1] != 1:
            raise Uncovered("it has several outputs")
        shares = value[:, 0]
        # Before 1.3 a leaf held counts.
        shares = shares / shares.sum(axis=1, keepdims=True)
        forest.add(_plain(each.tree_, shares / len(trees), -1))
    return forest.arrays(np.zeros(trees[0].tree_.value.shape[2]))


def _boosted(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    if estimator.loss != "log_loss":
        raise Uncovered(f"its loss is {estimator.loss}")
    several = estimator.estimators_.shape[1] > 1
    forest = Forest("softmax", inclusive=True, single=False)
    for stage in estimator.estimators_:
        for column, each in enumerate(stage):
            value = each.tree_.value[:, 0] * estimator.learning_rate
            forest.add(_plain(each.tree_, value, column if several else 1))
    # Where the boosting starts depends on no feature, unless a model of its own says so.
    name = type(estimator.init_).__name__
    if estimator.init_ != "zero" and name != "DummyClassifier":
        raise Uncovered(f"it starts from a {name}")
    start = np.asarray(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32)))  # noqa: SLF001
    return forest.arrays(start[0] if several else np.array([0.0, start[0, 0]]))


def _histograms(estimator: Any) -> "Mapping[str, NDArray[Any]]":
    stages = estimator._predictors  # noqa: SLF001 - the structure has no public name
    several = len(stages[0]) > 1
    forest = Forest("softmax", inclusive=True, single=False)
    for stage in stages:
        for column, each in enumerate(stage):
            nodes = each.nodes
            if nodes["is_categorical"].any():
                raise Uncovered("it has categorical splits")
            leaf = nodes["is_leaf"].astype(np.bool_)
            forest.add(
                Tree(
                    feature=np.where(leaf, -1, nodes["feature_idx"]),
                    threshold=np.where(leaf, 0.0, nodes["num_threshold"]),
                    left=nodes["left"],
                    right=nodes["right"],
                    missing=nodes["missing_go_to_left"],
                    value=nodes["value"][:, None],
                    column=column if several else 1,
                )
            )
    if getattr(estimator, "_preprocessor", None) is not None:
        raise Uncovered("it changes its features before its trees see them")
    start = np.asarray(estimator._baseline_prediction, np.float64).reshape(-1)  # noqa: SLF001
    return forest.arrays(start if several else np.array([0.0, start[0]]))


def _plain(held: Any, value: "NDArray[np.float64]", column: int) -> Tree:
    missing = getattr(held, "missing_go_to_left", None)
    leaf = held.children_left < 0
    return Tree(
        feature=np.where(leaf, -1, held.feature),
        threshold=held.threshold,
        left=held.children_left,
        right=held.children_right,
        missing=np.zeros(len(leaf), np.bool_) if missing is None else missing,
        value=value,
        column=column,
    )
