"""The worker's side: it loads and predicts, answers errors as errors, and does nothing else."""

import io

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.model import Request
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.inside import serve

W = np.eye(3, 2, dtype=np.float32)
X = np.ones((2, 3), np.float32)


def converse(*asked):
    source = io.BytesIO(b"".join(frames.pack(header, len(body)) + body for header, body in asked))
    sink = io.BytesIO()
    loader.prepare(Request())
    serve(loader, Request(), source, sink)
    sink.seek(0)
    answers = []
    while (frame := frames.receive(sink)) is not None:
        answers.append(frame)
    return answers


def predict(x):
    described, parts = frames.describe({"x": x})
    return {"do": "predict", "arrays": described}, b"".join(parts)


def test_load_then_predict():
    loaded, scored = converse(({"do": "load"}, onnx_models.linear(W)), predict(X))
    assert loaded == ({"shape": [None, 3], "dtype": "float32", "offers": [], "names": []}, b"")
    assert scored[0]["classes"] is None
    np.testing.assert_array_equal(frames.arrays(*scored)["scores"], np.ones((2, 2)))


def test_classes_are_told():
    _, scored = converse(({"do": "load"}, onnx_models.zipmap(np.eye(3))), predict(X))
    assert scored[0]["classes"] == [3, 5, 9]


def test_an_error_is_an_answer():
    (failed, _), (loaded, _) = converse(
        ({"do": "load"}, b"\x08\x0agarbage"), ({"do": "load"}, onnx_models.linear(W))
    )
    assert failed["error"] == "model-load"
    assert len(failed["message"]) <= 500
    assert loaded["dtype"] == "float32"


@pytest.mark.parametrize("header", [{"do": "exec"}, {}, {"do": "predict", "arrays": []}])
def test_nothing_else_is_answered(header):
    assert converse((header, X.tobytes())) == []


def test_memory_that_runs_out_is_an_answer():
    class Greedy:
        def load(self, data, request):
            raise MemoryError

    sink = io.BytesIO()
    serve(Greedy(), Request(), io.BytesIO(frames.pack({"do": "load"})), sink)
    sink.seek(0)
    assert frames.receive(sink)[0]["error"] == "worker-memory"
