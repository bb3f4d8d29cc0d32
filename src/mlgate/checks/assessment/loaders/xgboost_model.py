"""XGBoost's models, as JSON or UBJSON, with one thread.

All trees are used, as ``Booster.predict`` does: where training stopped early, save the
model sliced to its best iteration. Trees with categorical splits and linear boosters are
scored, and not opened.

Source: XGBoost's "Introduction to Model IO" and its JSON schema (doc/model.schema).
"""

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._ensemble import Ensemble, opened
from mlgate.checks.assessment.loaders._forest import Forest, NoTrees, Tree, Uncovered
from mlgate.checks.assessment.loaders._links import logistic, softmax
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

FORMAT = "xgboost"
REQUIRES = ("numpy", "scipy", "xgboost")
EXTRA = "trees"
MAX_BYTES = 1 << 30
CODE = False
TWIN = None

_HEAD = 4096
_BINARY = (b"binf", b"bs64", b"CONFIG-offset:")
_TWO_CLASSES = ("binary:logistic", "binary:logitraw", "binary:hinge", "reg:logistic")
_MORE_CLASSES = ("multi:softprob", "multi:softmax")


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like a model in JSON or UBJSON, or in the old binary form."""
    if data.startswith(_BINARY):
        return True
    return data.lstrip()[:1] == b"{" and b"learner" in data[:_HEAD] and b"gradient_booster" in data


def prepare(_request: Request) -> None:
    """Import xgboost."""
    import xgboost  # noqa: F401, PLC0415 - only the worker pays for it


def load(data: bytes, request: Request) -> "XgboostModel":
    """Load a booster from its bytes.

    Raises:
        Unassessable: xgboost refuses it, or it does not do what the policy says.
    """
    import xgboost  # noqa: PLC0415 - only the worker pays for it

    if data.startswith(_BINARY):
        raise Unassessable(
            "model-load",
            "the model is in XGBoost's old binary form, which its newer releases do not load; "
            "load it with the release that wrote it and save it as JSON: booster.save_model('model.json')",
        )
    booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
    try:
        booster.load_model(bytearray(data))
        return wrap(booster, request.task)
    except (xgboost.core.XGBoostError, ValueError, RecursionError) as error:
        raise Unassessable("model-load", f"xgboost cannot load the model: {_said(error)}") from error


def wrap(booster: Any, task: str) -> "XgboostModel":
    """Return a booster as a model.

    Args:
        booster: An ``xgboost.Booster``.
        task: What the policy says it does.

    Raises:
        Unassessable: It does something else.
    """
    return XgboostModel(booster, json.loads(bytes(booster.save_raw("json")))["learner"], task)


def _said(error: Exception) -> str:
    """Return what xgboost says, without the time, the place in its source and the stack."""
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", str(error).partition("\nStack trace")[0])


class XgboostModel(Ensemble):
    """A booster whose objective is known.

    Args:
        booster: An ``xgboost.Booster``.
        learner: Its own description of itself.
        task: What the policy says it does.

    Raises:
        Unassessable: It does something else.
    """

    def __init__(self, booster: Any, learner: dict[str, Any], task: str) -> None:
        self._booster, self._learner, self._task = booster, learner, task
        self._objective: str = learner["objective"]["name"]
        classifies = self._objective in (*_TWO_CLASSES, *_MORE_CLASSES)
        if classifies != (task == "classification") and self._objective != "reg:logistic":
            raise Unassessable(
                "model-output",
                f"the model was trained for {self._objective}, which is no {task}; correct the policy's task",
            )
        if int(learner["learner_model_param"].get("num_target", "1")) > 1:
            raise Unassessable("model-output", "the model has several targets; an assessment judges one")
        self.forest = opened(self._open) if task == "classification" else None
        self.signature = Signature(
            (None, booster.num_features()), "float32", self.offers, names=tuple(booster.feature_names or ())
        )

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        import xgboost  # noqa: PLC0415 - only the worker pays for it

        try:
            raw = self._booster.predict(
                xgboost.DMatrix(x, nthread=1),
                output_margin=self._task == "classification",
                validate_features=False,
                strict_shape=True,
            )
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise Unassessable("model-run", f"the model fails on the data: {_said(error)}") from error
        raw = raw.reshape(len(x), -1)
        if self._task != "classification":
            return Scores(raw)
        if self._objective in _MORE_CLASSES:
            return Scores(softmax(raw))
        if self._objective == "binary:hinge":
            return Scores(np.concatenate([np.zeros_like(raw), raw], axis=1))
        return Scores(logistic(raw))

    def _open(self) -> "Mapping[str, NDArray[Any]]":
        booster = self._learner["gradient_booster"]
        weights = None
        if booster["name"] == "dart":
            weights, booster = booster["weight_drop"], booster["gbtree"]
        if booster["name"] == "gblinear":
            raise NoTrees("it is linear")
        model = booster["model"]
        several = self._objective in _MORE_CLASSES
        link = "identity" if self._objective == "binary:hinge" else "softmax"
        forest = Forest(link, inclusive=False, single=True)
        for number, tree in enumerate(model["trees"]):
            if any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1:
                raise Uncovered("it has categorical splits, or leaves with several values")
            left = np.array(tree["left_children"])
            leaf = left < 0
            # Thresholds and leaves are float32; its JSON writes them as short as can be.
            numbers = np.array(tree["split_conditions"], dtype=np.float32)
            weight = 1.0 if weights is None else weights[number]
            forest.add(
                Tree(
                    feature=np.where(leaf, -1, tree["split_indices"]),
                    threshold=numbers,
                    left=left,
                    right=tree["right_children"],
                    missing=tree["default_left"],
                    value=numbers.astype(np.float64)[:, None] * weight,
                    column=model["tree_info"][number] if several else 1,
                )
            )
        return forest.arrays(self._base(several=several))

    def _base(self, *, several: bool) -> "NDArray[np.float64]":
        """Return the raw scores before any tree: since 3.1, a list with one for every class."""
        parameters = self._learner["learner_model_param"]
        score = np.atleast_1d(np.array(json.loads(str(parameters["base_score"])), dtype=np.float64))
        if several:
            return np.broadcast_to(score, (int(parameters["num_class"]),)).copy()
        if self._objective not in ("binary:hinge", "binary:logitraw"):
            score = np.log(score / (1 - score))
        return np.array([0.0, score[0]])
