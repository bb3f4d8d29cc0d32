"""LightGBM's models, as the text that ``Booster.save_model`` writes, with one thread.

Trees with categorical splits, with linear leaves, or that treat zero as missing are
scored, and not opened.

Source: LightGBM's ``src/io/tree.cpp`` (the text, and how a node decides) and
``src/io/gbdt_model_text.cpp``.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._ensemble import Ensemble, opened
from mlgate.checks.assessment.loaders._forest import Forest, Tree, Uncovered
from mlgate.checks.assessment.loaders._links import logistic, sigmoid, softmax
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

FORMAT = "lightgbm"
REQUIRES = ("numpy", "scipy", "lightgbm")
EXTRA = "trees"
MAX_BYTES = 1 << 30
CODE = False
TWIN = None

_TWO_CLASSES = ("binary", "cross_entropy", "xentropy")
# Any other objective predicts values or ranks.
_CLASSES = (*_TWO_CLASSES, "multiclass", "softmax", "multiclassova", "multiclass_ova", "ova", "ovr", "custom")
_CATEGORICAL, _DEFAULT_LEFT, _MISSING = 1, 2, 2
_ZERO, _NAN = 1, 2


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like a model's text."""
    return data[:64].lstrip().startswith((b"tree\n", b"tree\r\n")) and b"version=" in data[:256]


def prepare(_request: Request) -> None:
    """Import lightgbm."""
    import lightgbm  # noqa: F401, PLC0415 - only the worker pays for it


def load(data: bytes, request: Request) -> "LightgbmModel":
    """Load a booster from its text.

    Raises:
        Unassessable: lightgbm refuses it, or it does not do what the policy says.
    """
    import lightgbm  # noqa: PLC0415 - only the worker pays for it

    try:
        text = data.decode("utf-8")
        booster = lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
        raise Unassessable("model-load", f"lightgbm cannot load the model: {error}") from error
    # Its own words: of the file, lightgbm may have skipped lines that somebody else would read.
    return LightgbmModel(booster, booster.model_to_string(num_iteration=-1), request.task)


class LightgbmModel(Ensemble):
    """A booster whose objective is known.

    Args:
        booster: A ``lightgbm.Booster``.
        text: What it says of itself.
        task: What the policy says it does.

    Raises:
        Unassessable: It does something else.
    """

    def __init__(self, booster: Any, text: str, task: str) -> None:
        self._booster, self._task = booster, task
        head, *parts = text.partition("\nend of trees")[0].split("\nTree=")
        self._head = _fields(head)
        words = self._head.get("objective", "custom").split()
        self._objective = words[0] if words else "custom"
        self._rate = next((float(word[8:]) for word in words if word.startswith("sigmoid:")), 1.0)
        if self._objective != "custom" and (self._objective in _CLASSES) != (task == "classification"):
            raise Unassessable(
                "model-output",
                f"the model was trained for {self._objective}, which is no {task}; correct the policy's task",
            )
        self._columns = int(booster.num_model_per_iteration())
        # Of a random forest, lightgbm sums raw scores and averages only what it makes of them.
        averaged = "average_output" in self._head
        self._share = self._columns / max(1, len(parts), self._columns) if averaged else 1.0
        self.forest = opened(lambda: self._open(parts)) if task == "classification" else None
        names = tuple(booster.feature_name())
        plain = tuple(f"Column_{number}" for number in range(len(names)))
        self.signature = Signature(
            (None, booster.num_feature()), "float64", self.offers, names=() if names == plain else names
        )

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        import lightgbm  # noqa: PLC0415 - only the worker pays for it

        raw_score = self._task == "classification"
        try:
            raw = self._booster.predict(x, raw_score=raw_score, num_iteration=-1, num_threads=1)
        except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
            raise Unassessable("model-run", f"the model fails on the data: {error}") from error
        raw = np.asarray(raw, np.float64).reshape(len(x), -1)
        if not raw_score:
            return Scores(raw)
        raw *= self._share
        if self._link == "sigmoid":
            return Scores(sigmoid(raw * self._rate))
        if raw.shape[1] > 1:
            return Scores(softmax(raw) if self._link == "softmax" else raw)
        if self._link == "softmax":
            return Scores(logistic(raw * self._rate))
        return Scores(np.concatenate([np.zeros_like(raw), raw], axis=1))

    @property
    def _link(self) -> str:
        if self._objective in (*_TWO_CLASSES, "multiclass", "softmax"):
            return "softmax"
        return "identity" if self._objective == "custom" else "sigmoid"

    def _open(self, parts: list[str]) -> "Mapping[str, NDArray[Any]]":
        several = self._columns > 1
        # The logistic link takes a multiple of the raw score.
        factor = self._rate if self._link == "sigmoid" or (not several and self._link == "softmax") else 1.0
        forest = Forest(self._link, inclusive=True, single=False)
        for number, part in enumerate(parts):
            forest.add(_tree(_fields(part), factor * self._share, number % self._columns if several else 1))
        return forest.arrays(np.zeros(max(2, self._columns)))


def _fields(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in text.splitlines())}


def _tree(fields: dict[str, str], factor: float, column: int) -> Tree:
    """Return a tree: inner nodes first, then its leaves, whose children's numbers are their complements."""
    leaves = int(fields["num_leaves"])
    inner = leaves - 1
    if int(fields.get("num_cat", "0")) or int(fields.get("is_linear", "0")):
        raise Uncovered("it has categorical splits or linear leaves")
    value = np.array(fields["leaf_value"].split(), np.float64) * factor
    if not inner:
        return Tree(
            feature=[-1], threshold=[0.0], left=[-1], right=[-1], missing=[False],
            value=value[:, None], column=column,
        )  # fmt: skip
    kinds = np.array(fields["decision_type"].split(), np.int64)
    threshold = np.array(fields["threshold"].split(), np.float64)
    missing = (kinds >> _MISSING) & 3
    if (kinds & _CATEGORICAL).any() or (missing == _ZERO).any():
        raise Uncovered("it has categorical splits, or takes zero for missing")
    # Where training saw nothing missing, what is missing counts as 0.
    goes_left = np.where(missing == _NAN, kinds & _DEFAULT_LEFT != 0, threshold >= 0)
    children = [np.array(fields[side].split(), np.int64) for side in ("left_child", "right_child")]
    children = [np.where(side < 0, inner + ~side, side) for side in children]
    at_leaf = np.full(leaves, -1)
    return Tree(
        feature=np.concatenate([np.array(fields["split_feature"].split(), np.int64), at_leaf]),
        threshold=np.concatenate([threshold, np.zeros(leaves)]),
        left=np.concatenate([children[0], at_leaf]),
        right=np.concatenate([children[1], at_leaf]),
        missing=np.concatenate([goes_left, np.zeros(leaves, np.bool_)]),
        value=np.concatenate([np.zeros(inner), value])[:, None],
        column=column,
    )
