"""The worker's side: build the walls, then load one model and answer predictions.

Started by :mod:`mlgate.checks.assessment.sandbox.worker` as its own process. It is
asked to ``load`` and to ``predict`` and for nothing else: it never sees labels,
thresholds, or which sample is under attack.
"""

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from mlgate.checks.assessment.model import Loader, Model
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.walls import confine
from mlgate.core.discovery import modules

_MOST_TEXT = 500


def main(arguments: Sequence[str]) -> None:
    """Serve the gate on standard input and output until it closes them.

    Args:
        arguments: Format, bytes of memory, seconds of processor time.
    """
    name, memory, seconds = arguments
    loader: Any = next(
        module for module in modules("mlgate.checks.assessment.loaders") if name == module.FORMAT
    )
    loader.prepare()
    source, sink = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a native library prints is not part of the conversation
    _prefer_as_victim()
    walls = confine(int(memory), int(seconds))
    _send(sink, {"walls": [[wall.name, wall.stands, wall.note] for wall in walls]})
    serve(loader, source, sink)


def _prefer_as_victim() -> None:
    """Where memory runs out, the kernel should end this process, not the gate."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - imports less
            file.write("1000")
    except OSError:
        return


def serve(loader: Loader, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the stream ends; an error is an answer too."""
    model: Model | None = None
    while (frame := frames.receive(source)) is not None:
        header, body = frame
        try:
            if header.get("do") == "load":
                model = loader.load(body)
                shape, dtype = model.signature.shape, model.signature.dtype
                _send(sink, {"shape": list(shape), "dtype": dtype})
            elif model is not None:
                _answer(model, header, body, sink)
        except Unassessable as problem:
            _send(sink, {"error": problem.reason, "message": problem.message[:_MOST_TEXT]})
        except MemoryError:
            message = "the model needs more memory than limits.worker_bytes allows"
            _send(sink, {"error": "worker-memory", "message": message})


def _answer(model: Model, header: dict[str, Any], body: bytes, sink: BinaryIO) -> None:
    x = np.frombuffer(body, dtype=model.signature.dtype).reshape(header["shape"])
    scores = model.predict(x)
    values = np.ascontiguousarray(scores.values, dtype="<f8")
    names = None if scores.classes is None else list(scores.classes)
    _send(sink, {"shape": list(values.shape), "classes": names}, values.tobytes())


def _send(sink: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    sink.write(frames.pack(header, body))
    sink.write(body)
    sink.flush()
