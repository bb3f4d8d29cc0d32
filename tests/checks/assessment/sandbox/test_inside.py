"""The worker's side: it loads and predicts, answers errors as errors, and does nothing else."""

import io

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.inside import serve

W = np.eye(3, 2, dtype=np.float32)
X = np.ones((2, 3), np.float32)


def converse(*asked):
    source = io.BytesIO(b"".join(frames.pack(header, body) + body for header, body in asked))
    sink = io.BytesIO()
    loader.prepare()
    serve(loader, source, sink)
    sink.seek(0)
    answers = []
    while (frame := frames.receive(sink)) is not None:
        answers.append(frame)
    return answers


def predict(x):
    return {"do": "predict", "shape": list(x.shape)}, x.tobytes()


def test_load_then_predict():
    loaded, scored = converse(({"do": "load"}, onnx_models.linear(W)), predict(X))
    assert loaded == ({"shape": [None, 3], "dtype": "float32"}, b"")
    assert scored[0] == {"shape": [2, 2], "classes": None}
    np.testing.assert_array_equal(np.frombuffer(scored[1], "<f8"), 1)


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


@pytest.mark.parametrize("header", [{"do": "exec"}, {}, {"do": "predict", "shape": [2, 3]}])
def test_nothing_else_is_answered(header):
    assert converse((header, X.tobytes())) == []


def test_memory_that_runs_out_is_an_answer():
    class Greedy:
        def load(self, data):
            raise MemoryError

    sink = io.BytesIO()
    serve(Greedy(), io.BytesIO(frames.pack({"do": "load"}, b"")), sink)
    sink.seek(0)
    assert frames.receive(sink)[0]["error"] == "worker-memory"
