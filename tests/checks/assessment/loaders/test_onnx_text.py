"""ONNX models that read texts, in the sandbox, where no locale can be opened any more."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.checks.assessment.onnx_models import model, tensor, value

from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.sandbox.worker import Worker

WORDS = ["bad", "good", "great", "poor"]
WEIGHTS = np.array([[1, 0], [0, 1], [0, 2], [2, 0]], np.float32)
TEXTS = np.array(
    [["Good film"], ["bad, poor thing"], ["GREAT"], ["nichts \u00e4hnliches \U0001f600"], [""]], object
)
SCORES = [[0, 1], [3, 0], [0, 2], [0, 0], [0, 0]]


def bag_of_words(shape):
    """Lower case, tokens, counts, weights: what converters of scikit-learn write."""
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["texts"]),
        helper.make_node("StringNormalizer", ["texts"], ["low"], case_change_action="LOWER", locale="C.UTF-8"),
        helper.make_node("Reshape", ["low", "column"], ["rows"]),
        helper.make_node(
            "Tokenizer", ["rows"], ["tokens"], domain="com.microsoft",
            mark=0, pad_value="#", mincharnum=1, tokenexp="[a-z]+",
        ),
        helper.make_node("Squeeze", ["tokens", "one"], ["words"]),
        helper.make_node(
            "TfIdfVectorizer", ["words"], ["counts"], mode="TF", min_gram_length=1, max_gram_length=1,
            max_skip_count=0, ngram_counts=[0], ngram_indexes=list(range(4)), pool_strings=WORDS,
        ),
        helper.make_node("MatMul", ["counts", "w"], ["scores"]),
    ]  # fmt: skip
    constants = [
        tensor("flat", np.array([-1])),
        tensor("column", np.array([-1, 1])),
        tensor("one", np.array([1])),
        tensor("w", WEIGHTS),
    ]
    return model(
        nodes,
        [value("x", list(shape), TensorProto.STRING)],
        [value("scores", ["n", 2])],
        constants,
        opsets=(("", 21), ("com.microsoft", 1)),
    )


@pytest.mark.parametrize(("shape", "texts"), [(("n", 1), TEXTS), (("n",), TEXTS[:, 0])])
def test_texts_are_scored_behind_the_walls(shape, texts):
    with Worker(loader, Request(), memory=16 << 30, seconds=30.0, cpu_seconds=60) as running:
        signature = running.load(bag_of_words(shape))
        assert (signature.dtype, len(signature.shape)) == ("text", len(shape))
        np.testing.assert_array_equal(running.predict(texts).values, SCORES)
