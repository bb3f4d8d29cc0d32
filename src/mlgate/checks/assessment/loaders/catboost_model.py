"""CatBoost's models in its own binary form (``.cbm``), with one thread.

CatBoost reads its other forms from files only, and no file opens where models run.
Models with categorical, text or embedding features are refused: an assessment feeds
numbers.

Source: CatBoost's ``catboost/libs/model/flatbuffers/model.fbs``; a sample goes right
where its feature is larger than the border, and the i-th split of a symmetric tree is
the i-th bit of the leaf's number.
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

FORMAT = "catboost"
REQUIRES = ("numpy", "scipy", "pandas", "catboost")
EXTRA = "catboost"
MAX_BYTES = 1 << 30
CODE = False
TWIN = None

_MAGIC = b"CBM1"
_TWO_CLASSES = ("Logloss", "CrossEntropy")
_DEEPEST = 16


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like a model in the binary form, or in JSON."""
    return data.startswith(_MAGIC) or (data.lstrip()[:1] == b"{" and b'"oblivious_trees"' in data)


def prepare(_request: Request) -> None:
    """Import catboost."""
    import catboost  # noqa: F401, PLC0415 - only the worker pays for it


def load(data: bytes, request: Request) -> "CatboostModel":
    """Load a model from its bytes.

    Raises:
        Unassessable: catboost refuses it, or it does not do what the policy says.
    """
    import catboost  # noqa: PLC0415 - only the worker pays for it

    if not data.startswith(_MAGIC):
        raise Unassessable(
            "model-load",
            "CatBoost reads its JSON from files only, and no file opens where models run; save the model "
            "in its binary form: model.save_model('model.cbm')",
        )
    model = catboost.CatBoost()
    try:
        model.load_model(blob=data)
        return CatboostModel(model, request.task)
    except (catboost.CatBoostError, ValueError, TypeError) as error:
        raise Unassessable("model-load", f"catboost cannot load the model: {error}") from error


class CatboostModel(Ensemble):
    """A model whose loss is known.

    Args:
        model: A ``catboost.CatBoost``.
        task: What the policy says it does.

    Raises:
        Unassessable: It does something else.
    """

    def __init__(self, model: Any, task: str) -> None:
        self._model, self._task = model, task
        loss = str(model._object._get_loss_function_name() or "")  # noqa: SLF001 - nothing public names it
        labels = [label.item() if hasattr(label, "item") else label for label in model.classes_]
        # Whole numbers come back as floats where the labels were floats.
        whole = [int(label) if isinstance(label, float) and label.is_integer() else label for label in labels]
        self._classes = tuple(label if isinstance(label, int) else str(label) for label in whole) or None
        if (task == "classification") != (self._classes is not None):
            raise Unassessable(
                "model-output",
                f"the model was trained for {loss}, which is no {task}; correct the policy's task",
            )
        others = (model.get_cat_feature_indices(), model.get_text_feature_indices())
        if any(others) or model.get_embedding_feature_indices():
            raise Unassessable("model-input", "the model has categorical, text or embedding features")
        self._columns = len(model.get_scale_and_bias()[1]) if _is_list(model) else 1
        self._link = "sigmoid" if loss == "MultiClassOneVsAll" else "softmax"
        self.forest = opened(self._open) if task == "classification" else None
        names = tuple(model.feature_names_)
        plain = tuple(str(number) for number in range(len(names)))
        self.signature = Signature(
            (None, len(names)), "float32", self.offers, names=() if names == plain else names
        )

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        import catboost  # noqa: PLC0415 - only the worker pays for it

        kind = "RawFormulaVal" if self._task == "classification" else None
        try:
            raw = (
                self._model.predict(x, prediction_type=kind, thread_count=1)
                if kind
                else self._model.predict(x, thread_count=1)
            )
        except (catboost.CatBoostError, ValueError, TypeError) as error:
            raise Unassessable("model-run", f"the model fails on the data: {error}") from error
        raw = np.asarray(raw, np.float64).reshape(len(x), -1)
        if self._task != "classification":
            return Scores(raw)
        if raw.shape[1] == 1:
            return Scores(logistic(raw), self._classes)
        return Scores(sigmoid(raw) if self._link == "sigmoid" else softmax(raw), self._classes)

    def _open(self) -> "Mapping[str, NDArray[Any]]":
        core = self._model._object  # noqa: SLF001 - the structure has no public name that keeps all digits
        scale, bias = self._model.get_scale_and_bias()
        bias = np.atleast_1d(np.asarray(bias, np.float64))
        several = self._columns > 1
        forest = Forest(self._link, inclusive=True, single=False)
        borders = _Borders(core)
        values = np.asarray(self._model.get_leaf_values(), np.float64).reshape(-1, self._columns) * scale
        at = 0
        for number, leaves in enumerate(core._get_tree_leaf_counts()):  # noqa: SLF001
            own = values[at : at + leaves]
            at += leaves
            if not several:
                # One column of raw scores is the second class's.
                own = np.concatenate([np.zeros_like(own), own], axis=1)
            texts = core._get_tree_splits(number, None)  # noqa: SLF001
            if core._is_oblivious():  # noqa: SLF001
                forest.add(_symmetric([borders.split(text) for text in texts], own, borders.missing_left))
                continue
            steps, ends = core._get_tree_step_nodes(number), core._get_tree_node_to_leaf(number)  # noqa: SLF001
            splits = [
                borders.split(text) if any(step) else (-1, 0.0)
                for text, step in zip(texts, steps, strict=True)
            ]
            forest.add(_free(splits, (np.array(steps), np.array(ends)), own, borders.missing_left))
        return forest.arrays(bias if several else np.array([0.0, bias[0]]))


class _Borders:
    """Each feature's borders, of which a split's text names one with six digits."""

    def __init__(self, core: Any) -> None:
        self._borders = {
            feature: np.array(held, np.float64)
            for feature, held in core._get_borders().items()  # noqa: SLF001
        }
        treatment = core._get_nan_treatments()  # noqa: SLF001
        self.missing_left = {feature: treatment.get(feature) != "AsTrue" for feature in self._borders}

    def split(self, text: str) -> tuple[int, float]:
        """Return the feature and the border of a split.

        Raises:
            Uncovered: It is no border of a number, or two borders share its digits.
        """
        place, found, digits = text.partition(", bin=")
        if not found or not place.isdecimal():
            raise Uncovered("it has splits that are no borders of numbers")
        feature = int(place)
        same = [border for border in self._borders[feature] if float(f"{border:.6g}") == float(digits)]
        if len(same) != 1:
            raise Uncovered("two borders share six digits")
        return feature, float(same[0])


def _symmetric(
    splits: list[tuple[int, float]], value: "NDArray[np.float64]", missing_left: dict[int, bool]
) -> Tree:
    """Return a tree with the same split at every node of a level, the last split at the root."""
    depth = len(splits)
    if depth > _DEEPEST or len(value) != 1 << depth:
        raise Uncovered("a tree has not as many leaves as its splits make")
    inner = (1 << depth) - 1
    level = np.floor(np.log2(np.arange(inner) + 1)).astype(np.int64)
    feature = np.array([split[0] for split in splits], np.int64)[::-1]
    border = np.array([split[1] for split in splits], np.float64)[::-1]
    left = np.array([missing_left[number] for number, _ in splits], np.bool_)[::-1]
    leaf = np.full(inner + 1, -1)
    nodes = np.arange(inner)
    return Tree(
        feature=np.concatenate([feature[level], leaf]),
        threshold=np.concatenate([border[level], np.zeros(inner + 1)]),
        left=np.concatenate([2 * nodes + 1, leaf]),
        right=np.concatenate([2 * nodes + 2, leaf]),
        missing=np.concatenate([left[level], np.zeros(inner + 1, np.bool_)]),
        # A node's place in its level spells the splits above it, from the root: the leaf's bits.
        value=np.concatenate([np.zeros((inner, value.shape[1])), value]),
        column=-1,
    )


def _free(
    splits: list[tuple[int, float]],
    ways: "tuple[NDArray[np.int64], NDArray[np.int64]]",
    value: "NDArray[np.float64]",
    missing_left: dict[int, bool],
) -> Tree:
    """Return a tree of any shape.

    Args:
        splits: Each node's feature, -1 at a leaf, and border.
        ways: How far behind each node its children stand [N, 2], and its leaf [N]; where a
            child stands no way behind, the sample stays, and takes that leaf.
        value: [leaves, v]
        missing_left: By feature.
    """
    steps, ends = ways
    inner = steps.any(axis=1)
    stays = [np.flatnonzero(inner & (steps[:, side] == 0)) for side in (0, 1)]
    children = [np.arange(len(splits)) + steps[:, side] for side in (0, 1)]
    # A sample that stays gets a node of its own to stay at.
    extra = np.concatenate(stays)
    added = len(splits) + np.arange(len(extra))
    children[0][stays[0]], children[1][stays[1]] = added[: len(stays[0])], added[len(stays[0]) :]
    has_value = np.concatenate([~inner, np.ones(len(extra), np.bool_)])
    leaf = np.where(has_value, np.concatenate([ends, ends[extra]]), 0)
    return Tree(
        feature=np.concatenate([[feature for feature, _ in splits], np.full(len(extra), -1)]),
        threshold=np.concatenate([[border for _, border in splits], np.zeros(len(extra))]),
        left=np.concatenate([children[0], added]),
        right=np.concatenate([children[1], added]),
        missing=np.concatenate(
            [[missing_left.get(feature, False) for feature, _ in splits], np.zeros(len(extra), np.bool_)]
        ),
        value=value[leaf],
        column=-1,
    )


def _is_list(model: Any) -> bool:
    return not isinstance(model.get_scale_and_bias()[1], int | float)
