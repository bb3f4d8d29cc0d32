"""The gate's side of a worker: real models in real workers, and workers that lie."""

import subprocess
import sys

import numpy as np
import pytest
from tests.checks.assessment import onnx_models

from mlgate.checks.assessment.loaders import onnx as loader
from mlgate.checks.assessment.model import Request, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox import frames, worker
from mlgate.checks.assessment.sandbox.worker import Worker

WEIGHTS = np.arange(8, dtype=np.float32).reshape(4, 2)


def start(*, memory=16 << 30, seconds=30.0, cpu_seconds=60):
    return Worker(loader, Request(), memory=memory, seconds=seconds, cpu_seconds=cpu_seconds)


def test_a_model_answers_through_all_walls():
    x = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    with start() as running:
        assert running.load(onnx_models.linear(WEIGHTS)) == Signature((None, 4), "float32")
        scores = running.predict(x)
        assert running.predict(x[:1]).values.shape == (1, 2)
        assert running.passes == 6
        assert [wall.name for wall in running.walls] == [
            "resource limits", "no new privileges", "landlock", "seccomp",
        ]  # fmt: skip
        assert [
            wall.note for wall in running.walls if wall.name == "landlock" and "threads ran" in wall.note
        ] == []
    np.testing.assert_allclose(scores.values, x @ WEIGHTS, rtol=1e-5)
    assert scores.classes is None


def test_an_error_is_an_answer_and_the_worker_goes_on():
    with start() as running:
        with pytest.raises(Unassessable) as caught:
            running.load(b"\x08\x0agarbage")
        assert caught.value.reason == "model-load"
        running.load(onnx_models.linear(WEIGHTS))
        assert running.predict(np.zeros((1, 4), np.float32)).values.shape == (1, 2)


def test_a_model_that_never_answers_is_stopped():
    with start(seconds=2.0) as running:
        running.load(onnx_models.endless(4))
        with pytest.raises(Unassessable) as caught:
            running.predict(np.zeros((1, 4), np.float32))
        assert caught.value.reason == "worker-timeout"
        assert "limits.file_seconds" in caught.value.message


def test_a_model_that_wants_too_much_memory_fails_alone():
    with start(memory=4 << 30) as running:
        running.load(onnx_models.greedy(4))
        with pytest.raises(Unassessable) as caught:
            running.predict(np.zeros((1, 4), np.float32))
        assert caught.value.reason in ("worker-memory", "worker-died")
        assert "limits.worker_bytes" in caught.value.message


def test_processor_time_is_bounded():
    with start(cpu_seconds=1) as running:
        running.load(onnx_models.endless(4))
        with pytest.raises(Unassessable) as caught:
            running.predict(np.zeros((1, 4), np.float32))
        assert caught.value.reason == "worker-died"
        assert "signal" in caught.value.message


def test_scores_that_are_not_numbers_are_refused():
    with start() as running:
        running.load(onnx_models.single_operator("Log", 4))
        with pytest.raises(Unassessable, match="finite"):
            running.predict(np.full((2, 4), -1, np.float32))


def test_weights_in_another_file_are_never_read(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(32))
    with start() as running, pytest.raises(Unassessable) as caught:
        running.load(onnx_models.external(str(tmp_path / "w.bin"), 4))
    assert caught.value.reason == "model-load"


def test_a_worker_that_does_not_start_is_said(monkeypatch):
    monkeypatch.setattr(worker, "_START", "import sys; sys.exit(3)")
    with pytest.raises(Unassessable) as caught:
        start()
    assert caught.value.reason == "worker-died"
    assert "code 3" in caught.value.message


def test_leaving_ends_the_process(monkeypatch):
    started = []
    real = subprocess.Popen

    def remember(*arguments, **settings):
        started.append(real(*arguments, **settings))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    with start():
        assert started[0].poll() is None
    assert started[0].returncode is not None


def test_the_environment_is_not_inherited(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("A_SECRET", "hunter2")
    script = "import os; os.write(1, repr(sorted(os.environ)).encode())"
    assert (
        b"A_SECRET"
        not in subprocess.run(
            [sys.executable, "-I", "-c", script], env=worker._ENVIRONMENT, capture_output=True, check=True
        ).stdout
    )


# A worker that a model has taken over can say anything. {} stands for the reply to a prediction.
LIAR = """
import json, os, sys
def say(header, body=b"", size=None):
    text = json.dumps({{**header, "size": len(body) if size is None else size}}).encode()
    os.write(1, len(text).to_bytes(4, "big") + text + body)
def hear():
    length = int.from_bytes(os.read(0, 4), "big")
    size = json.loads(os.read(0, length))["size"]
    while size:
        size -= len(os.read(0, size))
hear()
say({{"walls": []}})
hear()
say({})
hear()
{}
"""


def lie(monkeypatch, prediction, signature="{'shape': [None, 4], 'dtype': 'float32', 'offers': []}"):
    monkeypatch.setattr(worker, "_START", LIAR.format(signature, prediction))
    with start(seconds=2.0) as running:
        running.load(b"\x08\x0a")
        running.predict(np.zeros((2, 4), np.float32))


def test_a_worker_that_closes_its_pipes_and_stays_is_stopped(monkeypatch):
    monkeypatch.setattr(worker, "_LAST_SECONDS", 0.1)
    with pytest.raises(Unassessable, match="closed its pipes and was stopped") as caught:
        lie(monkeypatch, "os.close(1); import time; time.sleep(60)")
    assert caught.value.reason == "worker-died"


@pytest.mark.parametrize(
    "prediction",
    [
        "os.write(1, b'\\xff' * 100)",
        "os.write(1, (8).to_bytes(4, 'big') + b'nonsense')",
        "say({}, b'')",
        "say({'arrays': []}, b'')",
        "say({'arrays': 7}, bytes(32))",
        "say({'arrays': [7]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]]}, bytes(31))",
        "say({'arrays': [['scores', '<f8', [2, 2], 31]]}, bytes(31))",
        "say({'arrays': [['scores', '<f8', [3, 2], 48]]}, bytes(48))",
        "say({'arrays': [['scores', '<f8', [2, 0], 0]]}, bytes(0))",
        "say({'arrays': [['scores', '<f8', [2, -2], 32]]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2.0], 32]]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', 'wide', 32]]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]]}, b'', size=1 << 60)",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]]}, bytes(64))",
        "say({'arrays': [['scores', '|O8', [2, 2], 32]]}, bytes(32))",
        "say({'arrays': [['scores', '<i4', [2, 4], 32]]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]], 'classes': [0]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]], 'classes': [0, 0]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]], 'classes': [0, '0']}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]], 'classes': [0, []]}, bytes(32))",
        "say({'arrays': [['scores', '<f8', [2, 2], 32]], 'classes': 'ab'}, bytes(32))",
    ],
)
def test_a_lie_is_refused(monkeypatch, prediction):
    with pytest.raises(Unassessable) as caught:
        lie(monkeypatch, prediction)
    assert caught.value.reason == "worker-reply"


@pytest.mark.parametrize(
    "signature",
    ["{}", "{'shape': [], 'dtype': 'float32', 'offers': []}", "{'shape': [0], 'dtype': 'float32', 'offers': []}",
     "{'shape': [None, True], 'dtype': 'float32', 'offers': []}", "{'shape': [1] * 9, 'dtype': 'float32', 'offers': []}",
     "{'shape': [1, 4], 'dtype': 'float32'}",
     "{'shape': [1, 4], 'dtype': 'float32', 'offers': 'trees'}",
     "{'shape': [1, 4], 'dtype': 'float32', 'offers': [[]]}",
     "{'shape': [1, 4], 'dtype': 'object', 'offers': []}", "{'shape': [1, 4], 'dtype': [], 'offers': []}"],
)  # fmt: skip
def test_a_signature_that_makes_no_sense_is_refused(monkeypatch, signature):
    with pytest.raises(Unassessable) as caught:
        lie(monkeypatch, "", signature)
    assert caught.value.reason == "worker-reply"


def test_words_of_a_worker_are_cleaned(monkeypatch):
    with pytest.raises(Unassessable) as caught:
        lie(monkeypatch, r"say({'error': 'passed', 'message': '\x1b[2J\n' + 'a' * 9999})")
    assert caught.value.reason == "model-run"
    assert caught.value.message.isprintable()
    assert len(caught.value.message) <= 500


def test_silence_is_bounded(monkeypatch):
    with pytest.raises(Unassessable) as caught:
        lie(monkeypatch, "os.write(1, b'\\0'); import time; time.sleep(60)")
    assert caught.value.reason == "worker-timeout"


def test_a_worker_that_sleeps_a_little_each_time_is_bounded(monkeypatch):
    monkeypatch.setattr(worker, "_WAITS", 1 / 60)
    slow = "{} if __import__('time').sleep(1.2) else {'shape': [None, 4], 'dtype': 'float32', 'offers': []}"
    with pytest.raises(Unassessable, match="seconds in all") as caught:
        lie(monkeypatch, "", slow)
    assert caught.value.reason == "worker-timeout"


def test_trees_bring_one_text_and_no_more(monkeypatch):
    reply = "say({'arrays': [['link', 'text', [2], 8]]}, bytes(8))"
    signature = "{'shape': [None, 4], 'dtype': 'float32', 'offers': ['trees']}"
    monkeypatch.setattr(worker, "_START", LIAR.format(signature, reply))
    with start(seconds=2.0) as running:
        running.load(b"\x08\x0a")
        with pytest.raises(Unassessable, match="more than 1 texts"):
            running.trees()


def test_a_worker_that_stops_listening_is_bounded(monkeypatch):
    monkeypatch.setattr(
        worker,
        "_START",
        'import os, time; os.write(1, b\'\\0\\0\\0\\x19{"walls": [], "size": 0}  \'); time.sleep(60)',
    )
    with start(seconds=2.0) as running, pytest.raises(Unassessable) as caught:
        running.load(bytes(64 << 20))
    assert caught.value.reason == "worker-timeout"


def test_a_frame_for_a_worker_is_what_the_worker_reads():
    header = frames.pack({"do": "load"}, 3)
    assert frames.unpack(header[4:]) == ({"do": "load"}, 3)


def test_patience_without_end_is_no_error():
    with Worker(loader, Request(), memory=16 << 30, seconds=1e15, cpu_seconds=10**15) as running:
        running.load(onnx_models.linear(np.eye(2)))
        assert running.predict(np.ones((1, 2), np.float32)).values.shape == (1, 2)
